/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ostree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "fetch/ostree_checker.h"
#include "fetch/ostree_file.h"
#include "fetch/ostree_set.h"
#include "fetch/ostree_source.h"

#define TRIES 2                 /* of an object that arrives whole but wrong */
#define IN_MEMORY (128u << 10)  /* a larger object arrives in a file; up to 64 arrive at once */
#define DETACHED_MAX (1u << 20) /* of a commit's detached metadata: some signatures */
/* Bytes of a file as it is served: deflate adds at most 5 to each 65 535. */
#define STORED_MAX (OSTREE_FILE_MAX + (64u << 20))

/* Beside the set's names, by number. */
struct object {
    uint64_t size;
    uint8_t sha256[HASH_SIZE];
    uint16_t depth;
    uint8_t tries;
};

/* Numbers of objects that are to be fetched. */
struct stack {
    uint32_t *numbers;
    size_t count, room;
};

struct mirror {
    struct cloud *cloud;
    struct ostree_repo repo;
    struct ostree_checker *checker;
    struct progress *progress;
    struct ostree_set set;
    struct object *objects;
    size_t object_room;
    size_t looked;               /* objects below are known to be in the store or are on their way there */
    struct stack folders, files; /* folders first: they lead to more */
    uint32_t visiting;           /* whose bytes are read just now */
    struct arrival *arriving;
    struct ostree_source source; /* of the commit that is fetched just now */
    struct buf commit_bytes;     /* named last */
    bool failed;
    struct err error; /* the first */
};

/* An object on its way. */
struct arrival {
    struct arrival *next, **place; /* in the mirror's list */
    struct mirror *mirror;
    uint32_t number;
    char *url;
    char path[OSTREE_PATH_SIZE];
    uint64_t len;
    struct buf bytes; /* all of them, while they are few */
    int fd;           /* of the partial file, where it is one; else -1 */
};

static void fail(struct mirror *m, uint32_t number, const struct err *e)
{
    char path[OSTREE_PATH_SIZE];
    if (m->failed)
        return;
    m->failed = true;
    m->error = *e;
    ostree_path(&m->set.names[number], path);
    err_context(&m->error, "'%s'", path);
}

static void push(struct stack *to, uint32_t number)
{
    mem_grow(&to->numbers, to->count, &to->room, sizeof *to->numbers);
    to->numbers[to->count++] = number;
}

static bool is_file(const struct mirror *m, uint32_t number)
{
    return m->set.names[number].kind == OSTREE_FILE;
}

static void want(struct mirror *m, uint32_t number)
{
    push(is_file(m, number) ? &m->files : &m->folders, number);
}

/* ---- which objects ---- */

static int add_object(struct mirror *m, const struct ostree_name *name, unsigned depth, struct err *e)
{
    uint32_t number;
    bool is_new;
    if (depth > OSTREE_DEPTH_MAX)
        return err_set(e, ERR_TOO_LARGE, "folders are nested deeper than %u", OSTREE_DEPTH_MAX);
    if (ostree_set_add(&m->set, name, &number, &is_new, e))
        return -1;
    if (is_new) {
        mem_grow(&m->objects, number, &m->object_room, sizeof *m->objects);
        m->objects[number] = (struct object){.depth = (uint16_t)depth};
    }
    return 0;
}

static int visit(void *mirror, const struct ostree_name *name, struct err *e)
{
    struct mirror *m = mirror;
    return add_object(m, name, m->objects[m->visiting].depth + 1u, e);
}

/* What is not a file: read, and what it mentions is added. Its bytes' SHA-256 is its name. */
static int take_metadata(struct mirror *m, uint32_t number, const void *bytes, size_t n, struct err *e)
{
    const struct ostree_visitor visitor = {visit, m};
    const struct ostree_name name = m->set.names[number]; /* which the set may move while it grows */
    m->visiting = number;
    if (ostree_metadata_read(&name, bytes, n, &visitor, e))
        return -1;
    m->objects[number].size = n;
    memcpy(m->objects[number].sha256, name.checksum, HASH_SIZE);
    if (name.kind == OSTREE_COMMIT) {
        buf_clear(&m->commit_bytes);
        buf_add(&m->commit_bytes, bytes, n);
    }
    return 0;
}

static void check(struct mirror *m, uint32_t number, enum check_source source, struct buf *bytes)
{
    struct ostree_check *c = mem_zeroed(1, sizeof *c);
    *c = (struct ostree_check){
        .name = m->set.names[number], .number = number, .source = source, .folder = m->source.folder};
    if (bytes) {
        c->bytes = *bytes;
        *bytes = (struct buf){0};
    }
    ostree_checker_add(m->checker, c);
}

/* In the store already? Then it need not be fetched, if it is right. */
static void look(struct mirror *m, uint32_t number)
{
    char path[OSTREE_PATH_SIZE];
    struct stat st;
    struct err e;
    AUTO(buf) struct buf bytes = {0};
    ostree_path(&m->set.names[number], path);
    if (fstatat(m->repo.fd, path, &st, AT_SYMLINK_NOFOLLOW))
        want(m, number);
    else if (is_file(m, number))
        check(m, number, CHECK_STORED, NULL);
    else if (fs_read_at(m->repo.fd, path, OSTREE_METADATA_MAX, &bytes, &e))
        want(m, number);
    else if (take_metadata(m, number, bytes.data, bytes.len, &e) == 0)
        progress_skip(m->progress, bytes.len);
    else if (e.id == ERR_WRONG_HASH)
        want(m, number);
    else
        fail(m, number, &e);
}

/* It came to nothing: once more, unless that was tried. */
static void try_again(struct mirror *m, uint32_t number, const struct err *e)
{
    if (e->id == ERR_WRONG_HASH && m->objects[number].tries < TRIES)
        want(m, number);
    else
        fail(m, number, e);
}

/* Takes the answers of the checker. */
static void harvest(struct mirror *m)
{
    for (struct ostree_check *c; (c = ostree_checker_take_ended(m->checker));) {
        struct object *o = &m->objects[c->number];
        char path[OSTREE_PATH_SIZE];
        struct err ignored;
        ostree_path(&c->name, path);
        if (!c->error) {
            o->size = c->size;
            memcpy(o->sha256, c->sha256, HASH_SIZE);
        } else if (c->source == CHECK_STORED) {
            want(m, c->number); /* the new one replaces it */
        } else if (c->source == CHECK_PARTIAL && ostree_repo_drop_partial(&m->repo, path, &ignored)) {
            fail(m, c->number, &ignored);
        } else {
            try_again(m, c->number, c->error);
        }
        ostree_check_delete(c);
    }
}

static void look_at_all(struct mirror *m)
{
    while (!m->failed && m->looked < m->set.count) {
        look(m, (uint32_t)m->looked++);
        harvest(m);
    }
}

/* ---- from a server ---- */

static int spill(struct arrival *a, struct err *e)
{
    const struct ostree_repo *repo = &a->mirror->repo;
    if (ostree_repo_drop_partial(repo, a->path, e) || ostree_repo_open_partial(repo, a->path, &a->fd, e) ||
        fs_write_all(a->fd, a->bytes.data, a->bytes.len, e))
        return err_context(e, "the store");
    buf_free(&a->bytes);
    return 0;
}

static int sink_write(void *arrival, const void *bytes, size_t n, struct err *e)
{
    struct arrival *a = arrival;
    a->len += n;
    if (a->len > (is_file(a->mirror, a->number) ? STORED_MAX : OSTREE_METADATA_MAX))
        return err_set(e, ERR_TOO_LARGE, "the server sends more than any such object has");
    progress_add(a->mirror->progress, n);
    if (a->fd < 0 && a->bytes.len + n <= IN_MEMORY) {
        buf_add(&a->bytes, bytes, n);
        return 0;
    }
    if (a->fd < 0 && spill(a, e))
        return -1;
    return fs_write_all(a->fd, bytes, n, e) ? err_context(e, "the store") : 0;
}

static int sink_restart(void *arrival, struct err *e)
{
    struct arrival *a = arrival;
    a->len = 0;
    buf_clear(&a->bytes);
    if (a->fd >= 0 && ftruncate(a->fd, 0))
        return err_errno(e, ERR_SYSTEM, "cannot empty a file of the store");
    return 0;
}

static struct arrival *arrival_new(struct mirror *m, uint32_t number)
{
    struct arrival *a = mem_zeroed(1, sizeof *a);
    *a =
        (struct arrival){.next = m->arriving, .place = &m->arriving, .mirror = m, .number = number, .fd = -1};
    if (a->next)
        a->next->place = &a->next;
    m->arriving = a;
    ostree_path(&m->set.names[number], a->path);
    a->url = cloud_ostree_url(&m->source.at, a->path);
    return a;
}

static void arrival_delete(struct arrival *a)
{
    *a->place = a->next;
    if (a->next)
        a->next->place = a->place;
    buf_free(&a->bytes);
    cleanup_fd(&a->fd);
    free(a->url);
    free(a);
}

static bool pop(struct mirror *m, uint32_t *ret)
{
    struct stack *from = m->folders.count ? &m->folders : &m->files;
    if (from->count == 0)
        return false;
    *ret = from->numbers[--from->count];
    m->objects[*ret].tries++;
    return true;
}

/* What an earlier run left of a large file is gone on with. A partial that is wrong is found out at its end,
 * like all others. */
static uint64_t resume(struct arrival *a)
{
    struct err e;
    uint64_t have = ostree_repo_partial_size(&a->mirror->repo, a->path);
    if (have <= IN_MEMORY || !is_file(a->mirror, a->number) ||
        ostree_repo_open_partial(&a->mirror->repo, a->path, &a->fd, &e))
        return 0;
    progress_skip(a->mirror->progress, have);
    a->len = have;
    return have;
}

static bool next_transfer(void *mirror, struct http_transfer *ret)
{
    struct mirror *m = mirror;
    uint32_t number;
    look_at_all(m);
    harvest(m);
    if (m->failed || !pop(m, &number))
        return false;
    struct arrival *a = arrival_new(m, number);
    *ret = (struct http_transfer){
        .url = a->url,
        .auth = m->source.at.auth,
        .sink = {.ctx = a,
                 .have = resume(a),
                 .expected = HTTP_LENGTH_UNKNOWN,
                 .write = sink_write,
                 .restart = sink_restart},
        .small = true,
        .user = a,
    };
    return true;
}

/* The whole of a folder's or a commit's object, wherever it arrived. */
static int arrived_metadata(struct arrival *a, struct err *e)
{
    struct mirror *m = a->mirror;
    if (a->fd >= 0) {
        size_t size = (size_t)a->len; /* sink_write(): at most OSTREE_METADATA_MAX */
        if (fs_read_all(a->fd, buf_reserve(&a->bytes, size), size, 0, e) ||
            ostree_repo_drop_partial(&m->repo, a->path, e))
            return -1;
        a->bytes.len = size;
    }
    if (take_metadata(m, a->number, a->bytes.data, a->bytes.len, e))
        return -1;
    if (m->set.names[a->number].kind == OSTREE_COMMIT)
        return 0;
    return ostree_repo_put(&m->repo, a->path, a->bytes.data, a->bytes.len, e);
}

static void arrived(struct arrival *a)
{
    struct err e;
    struct mirror *m = a->mirror;
    if (!is_file(m, a->number)) {
        if (arrived_metadata(a, &e))
            try_again(m, a->number, &e);
    } else if (a->fd >= 0) {
        cleanup_fd(&a->fd);
        a->fd = -1;
        check(m, a->number, CHECK_PARTIAL, NULL);
    } else {
        check(m, a->number, CHECK_BYTES, &a->bytes);
    }
}

static int transfer_done(void *mirror, struct http_transfer *t, const struct err *e, struct err *stop)
{
    struct mirror *m = mirror;
    struct arrival *a = t->user;
    if (!e)
        arrived(a);
    else
        fail(m, a->number, e);
    arrival_delete(a);
    harvest(m);
    if (!m->failed)
        return 0;
    *stop = m->error;
    return -1;
}

static int fetch_from_server(struct mirror *m, struct err *e)
{
    const struct http_queue queue = {.ctx = m, .next = next_transfer, .done = transfer_done};
    int rc = http_run(cloud_http(m->cloud), &queue, e);
    while (m->arriving)
        arrival_delete(m->arriving); /* the run was stopped */
    return rc;
}

/* ---- from a folder of this machine ---- */

static int copy_metadata(struct mirror *m, uint32_t number, struct err *e)
{
    char path[OSTREE_PATH_SIZE];
    AUTO(buf) struct buf bytes = {0};
    ostree_path(&m->set.names[number], path);
    if (fs_read_at(m->source.folder, path, OSTREE_METADATA_MAX, &bytes, e) ||
        take_metadata(m, number, bytes.data, bytes.len, e))
        return -1;
    progress_skip(m->progress, bytes.len);
    if (m->set.names[number].kind == OSTREE_COMMIT)
        return 0;
    return ostree_repo_put(&m->repo, path, bytes.data, bytes.len, e);
}

static void copy_from_folder(struct mirror *m)
{
    uint32_t number;
    struct err e;
    while (!m->failed && pop(m, &number)) {
        if (is_file(m, number))
            check(m, number, CHECK_COPY, NULL);
        else if (copy_metadata(m, number, &e))
            try_again(m, number, &e);
        look_at_all(m);
        harvest(m);
    }
}

/* ---- one commit ---- */

/* Goes on until everything that the commit needs is in the store. */
static int fetch_objects(struct mirror *m, const struct fetch_commit *commit, const struct ostree_name *name,
                         struct err *e)
{
    for (;;) {
        look_at_all(m);
        ostree_checker_drain(m->checker);
        harvest(m);
        if (m->failed || (m->folders.count == 0 && m->files.count == 0))
            break;
        if (!m->source.at.url && ostree_source_find(m->cloud, commit->uri, name, &m->source, e))
            return -1;
        if (m->source.folder >= 0)
            copy_from_folder(m);
        else if (fetch_from_server(m, e))
            return -1;
    }
    if (m->failed)
        *e = m->error;
    return m->failed ? -1 : 0;
}

/* Signatures beside the commit, where the repository has any. Nothing vouches for them, and no device is
 * asked to believe them: they are carried for those who want to look at them. */
static int ask_for_detached(struct mirror *m, const char *path, struct buf *ret, struct err *e)
{
    if (m->source.folder >= 0) {
        bool is_there = fs_read_at(m->source.folder, path, DETACHED_MAX, ret, e) == 0;
        return is_there || e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    }
    AUTO_FREE char *url = cloud_ostree_url(&m->source.at, path);
    const struct http_request request = {.url = url, .auth = m->source.at.auth, .max_answer = DETACHED_MAX};
    struct http_reply reply;
    if (http_send(cloud_http(m->cloud), &request, ret, &reply, e))
        return -1;
    if (reply.status != 200)
        buf_clear(ret);
    http_reply_free(&reply);
    return 0;
}

static int take_detached(struct mirror *m, const struct ostree_name *commit, struct err *e)
{
    char path[OSTREE_PATH_SIZE];
    struct ostree_name name = *commit;
    AUTO(buf) struct buf bytes = {0};
    name.kind = OSTREE_COMMITMETA;
    ostree_path(&name, path);
    if (m->source.at.url) {
        if (ask_for_detached(m, path, &bytes, e))
            return -1;
        if (!ostree_is_dictionary(bytes.data,
                                  bytes.len)) /* some servers have a page for all that they lack */
            return 0;
        if (ostree_repo_put(&m->repo, path, bytes.data, bytes.len, e))
            return -1;
    } else if (fs_read_at(m->repo.fd, path, DETACHED_MAX, &bytes, e) && e->id != ERR_NO_SUCH_PATH) {
        return -1;
    }
    if (!ostree_is_dictionary(bytes.data, bytes.len))
        return 0;
    uint32_t number = (uint32_t)m->set.count;
    if (add_object(m, &name, 0, e))
        return -1;
    m->looked = m->set.count;
    m->objects[number].size = bytes.len;
    hash_of(bytes.data, bytes.len, m->objects[number].sha256);
    return 0;
}

static int fetch_commit(struct mirror *m, const struct fetch_commit *commit, struct err *e)
{
    char path[OSTREE_PATH_SIZE];
    struct ostree_name name = {.kind = OSTREE_COMMIT};
    uint32_t number;
    memcpy(name.checksum, commit->commit, HASH_SIZE);
    if (ostree_set_find(&m->set, &name, &number)) /* another target's, too */
        return 0;
    number = (uint32_t)m->set.count;
    ostree_source_free(&m->source);
    if (add_object(m, &name, 0, e) || fetch_objects(m, commit, &name, e) || take_detached(m, &name, e))
        return err_context(e, "'%s'", commit->name);
    ostree_path(&name, path);
    bool has_name = m->objects[number].tries == 0;
    return has_name ? 0 : ostree_repo_put(&m->repo, path, m->commit_bytes.data, m->commit_bytes.len, e);
}

/* ---- all of them ---- */

static void list_files(const struct mirror *m, struct fetched_commits *ret)
{
    *ret = (struct fetched_commits){.files = mem_zeroed(m->set.count, sizeof *ret->files),
                                    .count = m->set.count};
    for (size_t i = 0; i < ret->count; i++) {
        char path[OSTREE_PATH_SIZE];
        const struct object *o = &m->objects[i];
        ostree_path(&m->set.names[i], path);
        ret->files[i] = (struct record_file){.path = mem_format(STORE_OSTREE "%s", path), .size = o->size};
        memcpy(ret->files[i].sha256, o->sha256, HASH_SIZE);
        ret->bytes += o->size;
    }
}

int fetch_ostree(struct cloud *cloud, const struct store *s, const struct fetch_commit *commits, size_t n,
                 struct progress *progress, struct fetched_commits *ret, struct err *e)
{
    struct mirror m = {.cloud = cloud, .progress = progress, .source = OSTREE_SOURCE_NONE};
    int rc = 0;
    *ret = (struct fetched_commits){0};
    if (n == 0)
        return 0;
    if (ostree_repo_open(s, &m.repo, e))
        return -1;
    progress_begin(progress, "fetch", 0);
    m.checker = ostree_checker_start(&m.repo, progress);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = fetch_commit(&m, &commits[i], e);
    ostree_checker_stop(m.checker);
    progress_end(progress);
    if (rc == 0)
        list_files(&m, ret);
    ostree_source_free(&m.source);
    ostree_repo_free(&m.repo);
    ostree_set_free(&m.set);
    buf_free(&m.commit_bytes);
    free(m.objects);
    free(m.folders.numbers);
    free(m.files.numbers);
    return rc;
}

void fetched_commits_free(struct fetched_commits *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->files[i].path);
    free(f->files);
    *f = (struct fetched_commits){0};
}
