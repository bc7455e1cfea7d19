/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/container_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/name.h"
#include "fetch/compose_lines.h"
#include "fetch/image_manifest.h"
#include "lockbox/container_judge.h"
#include "lockbox/container_obtain.h"

#define CHUNK (256u << 10)

bool container_check_is_due(const struct verdict *v)
{
    for (size_t i = 0; i < v->target_count; i++)
        if (container_is_app(&v->targets[i]))
            return true;
    return false;
}

static void judge_apps(const struct container_files *files, struct verdict *v)
{
    for (size_t i = 0; i < v->target_count; i++)
        if (container_is_app(&v->targets[i]))
            container_judge(files, &v->targets[i], v);
}

/* ---- a folder ---- */

struct folder {
    int dirfd;
    struct progress *progress;
};

static int missing(struct err *e)
{
    if (e->id == ERR_NO_SUCH_PATH)
        e->id = ERR_MISSING_TARGET;
    return -1;
}

static int folder_compose(void *ctx, const struct verdict_target *t, struct buf *ret, struct err *e)
{
    const struct folder *f = ctx;
    uint8_t found[HASH_SIZE];
    AUTO_FREE char *path = mem_format("images/%s", t->name);
    if (name_check_text(path, e) || fs_read_at(f->dirfd, path, COMPOSE_BYTES_MAX, ret, e))
        return missing(e);
    hash_of(ret->data, ret->len, found);
    return memcmp(found, t->sha256, HASH_SIZE) == 0 ? 0 : err_set(e, ERR_WRONG_HASH, "it is another file");
}

static int folder_manifest(void *ctx, const char *path, struct buf *ret, struct err *e)
{
    const struct folder *f = ctx;
    return fs_read_at(f->dirfd, path, IMAGE_JSON_MAX, ret, e) ? missing(e) : 0;
}

static int read_tarball(const struct folder *f, int fd, struct archive_check *check, struct err *e)
{
    AUTO_FREE uint8_t *chunk = mem_zeroed(1, CHUNK);
    for (;;) {
        ssize_t n = read(fd, chunk, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, ERR_MEDIUM_IO, "cannot read it");
        if (n == 0)
            return 0;
        archive_check_write(check, chunk, (size_t)n);
        progress_add(f->progress, (uint64_t)n);
    }
}

static int folder_tarball(void *ctx, const char *path, struct archive_found *ret, struct err *e)
{
    const struct folder *f = ctx;
    AUTO_FD int fd = -1;
    if (fs_open_at(f->dirfd, path, O_RDONLY, 0, &fd, e))
        return missing(e);
    struct archive_check *check = archive_check_new();
    int rc = read_tarball(f, fd, check, e);
    archive_check_end(check, ret);
    return rc;
}

void container_check_folder(int dirfd, struct verdict *v, struct progress *progress)
{
    struct folder folder = {.dirfd = dirfd, .progress = progress};
    const struct container_files files = {folder_compose, folder_manifest, folder_tarball, &folder};
    progress_begin(progress, "verify", 0);
    judge_apps(&files, v);
    progress_end(progress);
}

/* ---- a bundle ---- */

#define TARBALLS_MAX 4096u       /* what is known of each stays in memory */
#define COMPOSES_MAX (64u << 20) /* bytes of all compose files */

/* A member that was looked at. */
struct seen {
    char *path;
    struct buf bytes;           /* of a manifest or a compose file */
    struct archive_found found; /* of a tarball */
};

struct container_watch {
    const struct bundle_member_info *members;
    char **composes; /* paths of the compose files */
    size_t compose_count;
    struct seen *seen;
    size_t count, room;
    size_t tarballs, compose_bytes;
    struct archive_check *check; /* of the present member, if it is a tarball */
    bool keeps;                  /* the present member is a compose file */
};

static struct seen *add_seen(struct container_watch *w, const char *path)
{
    mem_grow(&w->seen, w->count, &w->room, sizeof *w->seen);
    w->seen[w->count] = (struct seen){.path = mem_strdup(path)};
    return &w->seen[w->count++];
}

static bool is_between(const char *path, const char *start, const char *end)
{
    size_t len = strlen(path), end_len = strlen(end);
    return strncmp(path, start, strlen(start)) == 0 && len > end_len && !strcmp(path + len - end_len, end);
}

static bool is_compose(const struct container_watch *w, const char *path)
{
    for (size_t i = 0; i < w->compose_count; i++)
        if (!strcmp(w->composes[i], path))
            return true;
    return false;
}

static bool is_tarball(const char *path)
{
    return is_between(path, "images/", ".tar") && strstr(path, ".images/");
}

bool container_watch_takes(const struct bundle_member_info *member)
{
    return is_tarball(member->path);
}

static int begin_member(void *watch, size_t member, struct err *e)
{
    struct container_watch *w = watch;
    const struct bundle_member_info info = w->members[member];
    bool tarball = is_tarball(info.path);
    (void)e;
    w->keeps = is_compose(w, info.path) && info.size <= COMPOSE_BYTES_MAX &&
               info.size <= COMPOSES_MAX - w->compose_bytes;
    if (w->keeps) {
        w->compose_bytes += (size_t)info.size;
        add_seen(w, info.path);
    } else if (tarball && w->tarballs < TARBALLS_MAX) {
        w->tarballs++;
        add_seen(w, info.path);
        w->check = archive_check_new();
    }
    return 0;
}

static int write_member(void *watch, const void *bytes, size_t n, struct err *e)
{
    struct container_watch *w = watch;
    (void)e;
    if (w->keeps)
        buf_add(&w->seen[w->count - 1].bytes, bytes, n);
    else if (w->check)
        archive_check_write(w->check, bytes, n);
    return 0;
}

static int end_member(void *watch, struct err *e)
{
    struct container_watch *w = watch;
    (void)e;
    if (w->check)
        archive_check_end(steal_ptr(w->check), &w->seen[w->count - 1].found);
    w->keeps = false;
    return 0;
}

static int take_manifest(void *watch, const char *path, struct buf *bytes, struct err *e)
{
    struct container_watch *w = watch;
    (void)e;
    if (!is_between(path, "metadata/docker/", ".json"))
        return 0;
    struct seen *seen = add_seen(w, path);
    buf_add(&seen->bytes, bytes->data, bytes->len);
    return 0;
}

void container_watch_start(const struct bundle_member_info *members, const struct verdict *v,
                           struct container_watch **ret, struct bundle_taker *ret_taker,
                           struct bundle_sink *ret_sink)
{
    struct container_watch *w = mem_zeroed(1, sizeof *w);
    w->members = members;
    w->composes = mem_zeroed(v->target_count, sizeof *w->composes);
    for (size_t i = 0; i < v->target_count; i++)
        if (container_is_app(&v->targets[i]))
            w->composes[w->compose_count++] = mem_format("images/%s", v->targets[i].name);
    *ret_taker = (struct bundle_taker){take_manifest, w};
    *ret_sink = (struct bundle_sink){begin_member, write_member, end_member, w};
    *ret = w;
}

void container_watch_delete(struct container_watch *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++) {
        free(w->seen[i].path);
        buf_free(&w->seen[i].bytes);
        archive_found_free(&w->seen[i].found);
    }
    for (size_t i = 0; i < w->compose_count; i++)
        free(w->composes[i]);
    if (w->check) {
        struct archive_found unused;
        archive_check_end(w->check, &unused);
        archive_found_free(&unused);
    }
    free(w->composes);
    free(w->seen);
    free(w);
}

static int compare_seen(const void *a, const void *b)
{
    return strcmp(((const struct seen *)a)->path, ((const struct seen *)b)->path);
}

static struct seen *find_seen(const struct container_watch *w, const char *path, struct err *e)
{
    const struct seen key = {.path = (char *)path};
    struct seen *seen = w->count ? bsearch(&key, w->seen, w->count, sizeof *w->seen, compare_seen) : NULL;
    if (!seen)
        err_set(e, ERR_MISSING_TARGET, "'%s' is not there", path);
    return seen;
}

static int bundle_manifest_file(void *watch, const char *path, struct buf *ret, struct err *e)
{
    const struct seen *seen = find_seen(watch, path, e);
    if (!seen)
        return -1;
    buf_add(ret, seen->bytes.data, seen->bytes.len);
    return 0;
}

static int bundle_compose(void *watch, const struct verdict_target *t, struct buf *ret, struct err *e)
{
    uint8_t found[HASH_SIZE];
    AUTO_FREE char *path = mem_format("images/%s", t->name);
    if (bundle_manifest_file(watch, path, ret, e))
        return -1;
    hash_of(ret->data, ret->len, found);
    return memcmp(found, t->sha256, HASH_SIZE) == 0 ? 0 : err_set(e, ERR_WRONG_HASH, "it is another file");
}

static int bundle_tarball(void *watch, const char *path, struct archive_found *ret, struct err *e)
{
    struct seen *seen = find_seen(watch, path, e);
    if (!seen)
        return -1;
    *ret = (struct archive_found){.wrong = seen->found.wrong ? mem_strdup(seen->found.wrong) : NULL,
                                  .odd = seen->found.odd ? mem_strdup(seen->found.odd) : NULL,
                                  .tag = seen->found.tag ? mem_strdup(seen->found.tag) : NULL};
    memcpy(ret->config, seen->found.config, HASH_SIZE);
    return 0;
}

void container_watch_end(struct container_watch *w, struct verdict *v)
{
    const struct container_files files = {bundle_compose, bundle_manifest_file, bundle_tarball, w};
    if (w->count)
        qsort(w->seen, w->count, sizeof *w->seen, compare_seen);
    judge_apps(&files, v);
    container_watch_delete(w);
}
