/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ostree_checker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "fetch/ostree_file.h"

#define WAITING_BYTES_MAX (8u << 20)
#define WAITING_MAX 1024u
#define CHUNK (128u << 10)

struct ostree_checker {
    const struct ostree_repo *repo;
    struct progress *progress;
    pthread_mutex_t lock;
    pthread_cond_t has_work, has_room, is_idle;
    struct ostree_check *first, **last, *ended;
    size_t waiting, waiting_bytes, busy;
    bool stopping;
    pthread_t *threads;
    unsigned thread_count;
};

static void *work(void *checker);

void ostree_check_delete(struct ostree_check *check)
{
    buf_free(&check->bytes);
    free(check->error);
    free(check);
}

struct ostree_checker *ostree_checker_start(const struct ostree_repo *repo, struct progress *progress)
{
    struct ostree_checker *c = mem_zeroed(1, sizeof *c);
    c->repo = repo;
    c->progress = progress;
    c->last = &c->first;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->has_work, NULL);
    pthread_cond_init(&c->has_room, NULL);
    pthread_cond_init(&c->is_idle, NULL);
    unsigned wanted = parallel_cores();
    c->threads = mem_zeroed(wanted, sizeof *c->threads);
    while (c->thread_count < wanted && pthread_create(&c->threads[c->thread_count], NULL, work, c) == 0)
        c->thread_count++;
    if (c->thread_count == 0)
        abort(); /* no thread is no memory */
    return c;
}

void ostree_checker_stop(struct ostree_checker *c)
{
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_broadcast(&c->has_work);
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->thread_count; i++)
        pthread_join(c->threads[i], NULL);
    for (struct ostree_check *check; (check = ostree_checker_take_ended(c));)
        ostree_check_delete(check);
    pthread_cond_destroy(&c->has_work);
    pthread_cond_destroy(&c->has_room);
    pthread_cond_destroy(&c->is_idle);
    pthread_mutex_destroy(&c->lock);
    free(c->threads);
    free(c);
}

void ostree_checker_add(struct ostree_checker *c, struct ostree_check *check)
{
    pthread_mutex_lock(&c->lock);
    while (c->waiting >= WAITING_MAX ||
           (c->waiting > 0 && c->waiting_bytes + check->bytes.len > WAITING_BYTES_MAX))
        pthread_cond_wait(&c->has_room, &c->lock);
    c->waiting++;
    c->waiting_bytes += check->bytes.len;
    *c->last = check;
    c->last = &check->next;
    pthread_cond_signal(&c->has_work);
    pthread_mutex_unlock(&c->lock);
}

void ostree_checker_drain(struct ostree_checker *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->first || c->busy > 0)
        pthread_cond_wait(&c->is_idle, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

struct ostree_check *ostree_checker_take_ended(struct ostree_checker *c)
{
    pthread_mutex_lock(&c->lock);
    struct ostree_check *check = c->ended;
    if (check)
        c->ended = check->next;
    pthread_mutex_unlock(&c->lock);
    return check;
}

/* ---- a thread ---- */

struct worker {
    struct ostree_checker *checker;
    struct ostree_file *file;
    struct hash *hash; /* of the stored bytes */
    uint8_t *chunk;
};

static int take_piece(struct worker *w, struct ostree_check *check, const void *bytes, size_t n,
                      struct err *e)
{
    check->size += n;
    hash_update(w->hash, bytes, n);
    return ostree_file_update(w->file, bytes, n, e);
}

/* Reads to the end of the file; what is read goes to `copy` too, unless that is -1. */
static int take_stream(struct worker *w, struct ostree_check *check, int fd, int copy, struct err *e)
{
    for (;;) {
        ssize_t n = read(fd, w->chunk, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, ERR_SYSTEM, "cannot read");
        if (n == 0)
            return 0;
        if (take_piece(w, check, w->chunk, (size_t)n, e) ||
            (copy >= 0 && fs_write_all(copy, w->chunk, (size_t)n, e)))
            return -1;
    }
}

static int take_file(struct worker *w, struct ostree_check *check, int folder, const char *path,
                     struct err *e)
{
    AUTO_FD int fd = -1;
    return fs_open_at(folder, path, O_RDONLY, 0, &fd, e) || take_stream(w, check, fd, -1, e) ? -1 : 0;
}

static int take_partial(struct worker *w, struct ostree_check *check, const char *path, struct err *e)
{
    AUTO_FD int fd = -1;
    return ostree_repo_open_partial(w->checker->repo, path, &fd, e) || take_stream(w, check, fd, -1, e) ? -1
                                                                                                        : 0;
}

static int take_copy(struct worker *w, struct ostree_check *check, const char *path, struct err *e)
{
    const struct ostree_repo *repo = w->checker->repo;
    AUTO_FD int from = -1;
    AUTO_FD int to = -1;
    if (fs_open_at(check->folder, path, O_RDONLY, 0, &from, e) || ostree_repo_drop_partial(repo, path, e) ||
        ostree_repo_open_partial(repo, path, &to, e))
        return -1;
    return take_stream(w, check, from, to, e);
}

static int check_one(struct worker *w, struct ostree_check *check, const char *path, struct err *e)
{
    const struct ostree_repo *repo = w->checker->repo;
    ostree_file_begin(w->file);
    switch (check->source) {
    case CHECK_STORED:
        return take_file(w, check, repo->fd, path, e) || ostree_file_end(w->file, check->name.checksum, e)
                   ? -1
                   : 0;
    case CHECK_ONLY:
    case CHECK_BYTES:
        if (take_piece(w, check, check->bytes.data, check->bytes.len, e) ||
            ostree_file_end(w->file, check->name.checksum, e))
            return -1;
        return check->source == CHECK_ONLY
                   ? 0
                   : ostree_repo_put(repo, path, check->bytes.data, check->bytes.len, e);
    case CHECK_PARTIAL:
    case CHECK_COPY:
        if ((check->source == CHECK_COPY ? take_copy : take_partial)(w, check, path, e) ||
            ostree_file_end(w->file, check->name.checksum, e))
            return -1;
        return ostree_repo_name_partial(repo, path, e);
    }
    return 0;
}

static void check_and_say(struct worker *w, struct ostree_check *check)
{
    char path[OSTREE_PATH_SIZE];
    struct err e;
    ostree_path(&check->name, path);
    check->size = 0;
    hash_final(w->hash, check->sha256); /* forgets what a broken one left */
    if (check_one(w, check, path, &e)) {
        check->error = mem_zeroed(1, sizeof e);
        *check->error = e;
    }
    hash_final(w->hash, check->sha256);
    if (check->source == CHECK_STORED || check->source == CHECK_COPY)
        progress_skip(w->checker->progress, check->size);
    buf_free(&check->bytes);
}

/* The next one to check; NULL when no more will come. */
static struct ostree_check *next_check(struct ostree_checker *c)
{
    while (!c->first && !c->stopping)
        pthread_cond_wait(&c->has_work, &c->lock);
    struct ostree_check *check = c->first;
    if (!check)
        return NULL;
    c->first = check->next;
    if (!c->first)
        c->last = &c->first;
    c->busy++;
    c->waiting--;
    c->waiting_bytes -= check->bytes.len;
    pthread_cond_signal(&c->has_room);
    return check;
}

static void *work(void *checker)
{
    struct ostree_checker *c = checker;
    struct worker w = {
        .checker = c, .file = ostree_file_new(), .hash = hash_new(), .chunk = mem_zeroed(1, CHUNK)};
    pthread_mutex_lock(&c->lock);
    for (struct ostree_check *check; (check = next_check(c));) {
        pthread_mutex_unlock(&c->lock);
        check_and_say(&w, check);
        pthread_mutex_lock(&c->lock);
        check->next = c->ended;
        c->ended = check;
        c->busy--;
        if (!c->first && c->busy == 0)
            pthread_cond_broadcast(&c->is_idle);
    }
    pthread_mutex_unlock(&c->lock);
    ostree_file_delete(w.file);
    hash_delete(w.hash);
    free(w.chunk);
    return NULL;
}
