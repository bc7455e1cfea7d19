/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/ostree_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "fetch/ostree_checker.h"
#include "fetch/ostree_file.h"
#include "lockbox/ostree_graph.h"

#define FOLDER "images/ostree"
#define CHUNK (128u << 10)
#define CONFIG_MAX (64u << 10)

bool ostree_check_is_due(const struct verdict *v)
{
    for (size_t i = 0; i < v->target_count; i++)
        if (v->targets[i].is_ostree)
            return true;
    return false;
}

/* ---- a folder ---- */

struct walk {
    int fd; /* of the repository */
    struct ostree_graph graph;
    uint32_t *files; /* numbers of nodes */
    size_t file_count, file_room;
    uint64_t bytes; /* of these files */
    struct progress *progress;
};

/* From the commits on: nodes are added behind the one that is looked at. */
static int walk_folders(struct walk *w, struct err *e)
{
    for (uint32_t node = 0; node < w->graph.set.count; node++) {
        char path[OSTREE_PATH_SIZE];
        struct stat st;
        ostree_path(&w->graph.set.names[node], path);
        if (w->graph.set.names[node].kind != OSTREE_FILE) {
            if (ostree_graph_read_at(&w->graph, w->fd, node, e))
                return -1;
        } else if (fstatat(w->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            mem_grow(&w->files, w->file_count, &w->file_room, sizeof *w->files);
            w->files[w->file_count++] = node;
            w->bytes += (uint64_t)st.st_size;
        }
    }
    return 0;
}

static int read_file(const struct walk *w, struct ostree_file *f, const struct ostree_name *name,
                     uint8_t *chunk, struct err *e)
{
    char path[OSTREE_PATH_SIZE];
    AUTO_FD int fd = -1;
    ostree_path(name, path);
    if (fs_open_at(w->fd, path, O_RDONLY, 0, &fd, e))
        return -1;
    ostree_file_begin(f);
    for (;;) {
        ssize_t n = read(fd, chunk, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, ERR_MEDIUM_IO, "cannot read it");
        if (n == 0)
            return ostree_file_end(f, name->checksum, e);
        progress_add(w->progress, (uint64_t)n);
        if (ostree_file_update(f, chunk, (size_t)n, e))
            return -1;
    }
}

#define FILES_AT_ONCE 64u /* by one thread with one verifier */

static void check_files(void *walk, size_t i)
{
    struct walk *w = walk;
    struct ostree_file *f = ostree_file_new();
    AUTO_FREE uint8_t *chunk = mem_zeroed(1, CHUNK);
    size_t end = (i + 1) * FILES_AT_ONCE < w->file_count ? (i + 1) * FILES_AT_ONCE : w->file_count;
    for (size_t k = i * FILES_AT_ONCE; k < end; k++) {
        struct err e;
        uint32_t node = w->files[k];
        bool good = read_file(w, f, &w->graph.set.names[node], chunk, &e) == 0;
        ostree_graph_settle(&w->graph, node, good ? NULL : &e);
    }
    ostree_file_delete(f);
}

static void walk_free(struct walk *w)
{
    cleanup_fd(&w->fd);
    ostree_graph_free(&w->graph);
    free(w->files);
}

void ostree_check_folder(int dirfd, const struct needs *needs, struct verdict *v, struct progress *progress)
{
    AUTO(walk) struct walk w = {.fd = -1, .progress = progress};
    AUTO(buf) struct buf config = {0};
    struct err e;
    if (fs_open_dir_at(dirfd, FOLDER, false, &w.fd, &e)) {
        if (e.id != ERR_NO_SUCH_PATH)
            judge_add_problem(v, e.id, "", true, "%s", e.message);
    } else if (fs_read_at(w.fd, "config", CONFIG_MAX, &config, &e) == 0) {
        ostree_graph_read_config(&w.graph, buf_text(&config));
    }
    if (ostree_graph_add_commits(&w.graph, v, &e) || (w.fd >= 0 && walk_folders(&w, &e))) {
        judge_add_problem(v, e.id, "", true, FOLDER ": %s", e.message);
        return;
    }
    progress_begin(progress, "verify", w.bytes);
    parallel_for((w.file_count + FILES_AT_ONCE - 1) / FILES_AT_ONCE, 0, check_files, &w);
    progress_end(progress);
    ostree_graph_report(&w.graph, needs, v);
}

/* ---- a bundle ---- */

enum member_kind { MEMBER_OTHER, MEMBER_CONFIG, MEMBER_METADATA, MEMBER_FILE, MEMBER_LARGE_FILE };

#define IN_MEMORY                                                                                            \
    (1u << 20) /* a file up to here is left to the checker's threads, a larger one checked as it comes */

/* The members of a bundle as they come by. */
struct ostree_watch {
    const struct bundle_member_info *members;
    struct ostree_graph graph;
    struct ostree_checker *checker;
    struct ostree_file *file;
    enum member_kind kind; /* of the present member */
    uint32_t node;
    struct buf bytes; /* of what is held in memory */
    bool failed;
    struct err error;
};

static enum member_kind kind_of(const struct bundle_member_info *member, struct ostree_name *ret)
{
    static const char folder[] = FOLDER "/";
    if (strncmp(member->path, folder, strlen(folder)) != 0)
        return MEMBER_OTHER;
    const char *path = member->path + strlen(folder);
    if (!strcmp(path, "config"))
        return member->size > CONFIG_MAX ? MEMBER_OTHER : MEMBER_CONFIG;
    if (!ostree_path_parse(path, ret) || ret->kind == OSTREE_COMMITMETA)
        return MEMBER_OTHER;
    if (ret->kind == OSTREE_FILE)
        return member->size > IN_MEMORY ? MEMBER_LARGE_FILE : MEMBER_FILE;
    return MEMBER_METADATA;
}

bool ostree_watch_takes(const struct bundle_member_info *member)
{
    struct ostree_name name;
    return kind_of(member, &name) != MEMBER_OTHER;
}

static int begin_member(void *watch, size_t member, struct err *e)
{
    struct ostree_watch *w = watch;
    struct ostree_name name;
    const struct bundle_member_info *info = &w->members[member];
    w->kind = kind_of(info, &name);
    w->failed = false;
    buf_clear(&w->bytes);
    if (w->kind == MEMBER_OTHER || w->kind == MEMBER_CONFIG)
        return 0;
    if (w->kind == MEMBER_LARGE_FILE)
        ostree_file_begin(w->file);
    if (w->kind == MEMBER_METADATA && info->size > OSTREE_METADATA_MAX)
        w->failed =
            err_set(&w->error, ERR_WRONG_HASH, "it is larger than %u bytes", OSTREE_METADATA_MAX) != 0;
    return ostree_graph_node(&w->graph, &name, &w->node, e);
}

/* What is wrong with an object is kept for its end: the bundle is read on. */
static int write_member(void *watch, const void *bytes, size_t n, struct err *e)
{
    struct ostree_watch *w = watch;
    (void)e;
    if (w->failed || w->kind == MEMBER_OTHER)
        return 0;
    if (w->kind == MEMBER_LARGE_FILE)
        w->failed = ostree_file_update(w->file, bytes, n, &w->error) != 0;
    else
        buf_add(&w->bytes, bytes, n);
    return 0;
}

static void harvest(struct ostree_watch *w)
{
    for (struct ostree_check *check; (check = ostree_checker_take_ended(w->checker));) {
        ostree_graph_settle(&w->graph, check->number, check->error);
        ostree_check_delete(check);
    }
}

static void hand_over(struct ostree_watch *w)
{
    struct ostree_check *check = mem_zeroed(1, sizeof *check);
    *check = (struct ostree_check){
        .name = w->graph.set.names[w->node], .number = w->node, .source = CHECK_ONLY, .bytes = w->bytes};
    w->bytes = (struct buf){0};
    ostree_checker_add(w->checker, check);
    harvest(w);
}

static int end_member(void *watch, struct err *e)
{
    struct ostree_watch *w = watch;
    switch (w->kind) {
    case MEMBER_OTHER:
        break;
    case MEMBER_CONFIG:
        ostree_graph_read_config(&w->graph, buf_text(&w->bytes));
        break;
    case MEMBER_METADATA:
        if (!w->failed)
            return ostree_graph_read(&w->graph, w->node, w->bytes.data, w->bytes.len, e);
        ostree_graph_settle(&w->graph, w->node, &w->error);
        break;
    case MEMBER_FILE:
        hand_over(w);
        break;
    case MEMBER_LARGE_FILE:
        if (!w->failed)
            w->failed = ostree_file_end(w->file, w->graph.set.names[w->node].checksum, &w->error) != 0;
        ostree_graph_settle(&w->graph, w->node, w->failed ? &w->error : NULL);
        break;
    }
    return 0;
}

int ostree_watch_start(const struct bundle_member_info *members, const struct verdict *v,
                       struct ostree_watch **ret, struct bundle_sink *ret_sink, struct err *e)
{
    struct ostree_watch *w = mem_zeroed(1, sizeof *w);
    w->members = members;
    w->file = ostree_file_new();
    w->checker = ostree_checker_start(NULL, NULL);
    if (ostree_graph_add_commits(&w->graph, v, e)) {
        ostree_watch_delete(w);
        return -1;
    }
    *ret_sink = (struct bundle_sink){begin_member, write_member, end_member, w};
    *ret = w;
    return 0;
}

void ostree_watch_end(struct ostree_watch *w, const struct needs *needs, struct verdict *v)
{
    ostree_checker_drain(w->checker);
    harvest(w);
    ostree_graph_report(&w->graph, needs, v);
    ostree_watch_delete(w);
}

void ostree_watch_delete(struct ostree_watch *w)
{
    if (!w)
        return;
    ostree_checker_stop(w->checker);
    ostree_file_delete(w->file);
    ostree_graph_free(&w->graph);
    buf_free(&w->bytes);
    free(w);
}
