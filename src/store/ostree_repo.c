/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ostree_repo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fs.h"

#define OBJECTS "objects/"
#define KEEP_TEXT "This folder belongs to an OSTree repository.\n"

/* A name that begins with a dot is no ref. */
const struct ostree_fixture ostree_fixtures[OSTREE_FIXTURES] = {
    {"config", "[core]\nrepo_version=1\nmode=archive-z2\n"},
    {"refs/heads/.keep", KEEP_TEXT},
    {"refs/remotes/.keep", KEEP_TEXT},
    {"tmp/.keep", KEEP_TEXT},
};

static int make_fixtures(int fd, struct err *e)
{
    struct stat st;
    for (size_t i = 0; i < OSTREE_FIXTURES; i++) {
        const struct ostree_fixture *f = &ostree_fixtures[i];
        if (fstatat(fd, f->path, &st, AT_SYMLINK_NOFOLLOW) &&
            fs_replace_cached_at(fd, f->path, f->text, strlen(f->text), 0600, e))
            return -1;
    }
    return 0;
}

int ostree_repo_open(const struct store *s, struct ostree_repo *ret, struct err *e)
{
    AUTO(ostree_repo) struct ostree_repo r = OSTREE_REPO_CLOSED;
    AUTO_FD int objects = -1;
    if (fs_open_dir_at(s->cache_fd, "ostree", true, &r.fd, e) ||
        fs_open_dir_at(r.fd, "objects", true, &objects, e) || fs_open_dir_at(r.fd, "tmp", true, &r.tmp_fd, e))
        return -1;
    while (flock(r.fd, LOCK_EX))
        if (errno != EINTR)
            return err_errno(e, ERR_SYSTEM, "cannot lock the store's OSTree repository");
    if (make_fixtures(r.fd, e))
        return -1;
    *ret = r;
    r = OSTREE_REPO_CLOSED;
    return 0;
}

void ostree_repo_free(struct ostree_repo *r)
{
    cleanup_fd(&r->fd);
    cleanup_fd(&r->tmp_fd);
    *r = OSTREE_REPO_CLOSED;
}

/* "objects/ab/cdef….kind" arrives as "abcdef….kind". */
static void temporary_name(const char *path, char ret[STORE_PATH_SIZE])
{
    const char *digits = path + strlen(OBJECTS);
    snprintf(ret, STORE_PATH_SIZE, "%.2s%s", digits, digits + 3);
}

/* The folder of two digits is made by its first object. */
static int make_folder(const struct ostree_repo *r, const char *path, struct err *e)
{
    char folder[STORE_PATH_SIZE];
    snprintf(folder, sizeof folder, "%.*s", (int)(strlen(OBJECTS) + 2), path);
    if (mkdirat(r->fd, folder, 0777) && errno != EEXIST)
        return err_errno(e, ERR_SYSTEM, "cannot make the folder '%s'", folder);
    return 0;
}

static int open_new(const struct ostree_repo *r, const char *path, const char *arriving, int *ret_fd,
                    struct err *e)
{
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    if (fs_open_at(r->fd, arriving, flags, 0600, ret_fd, e) == 0)
        return 0;
    if (e->id != ERR_NO_SUCH_PATH || make_folder(r, path, e))
        return -1;
    return fs_open_at(r->fd, arriving, flags, 0600, ret_fd, e);
}

int ostree_repo_put(const struct ostree_repo *r, const char *path, const void *bytes, size_t n, struct err *e)
{
    char arriving[STORE_PATH_SIZE + 8];
    AUTO_FD int fd = -1;
    snprintf(arriving, sizeof arriving, "%s.tmp", path);
    if (open_new(r, path, arriving, &fd, e) || fs_write_all(fd, bytes, n, e))
        return err_context(e, "the store");
    if (close(steal_fd(&fd)))
        return err_errno(e, ERR_SYSTEM, "cannot close '%s'", arriving);
    if (renameat(r->fd, arriving, r->fd, path))
        return err_errno(e, ERR_SYSTEM, "cannot name the object '%s'", path);
    return 0;
}

int ostree_repo_open_partial(const struct ostree_repo *r, const char *path, int *ret_fd, struct err *e)
{
    char temporary[STORE_PATH_SIZE];
    temporary_name(path, temporary);
    return fs_open_at(r->tmp_fd, temporary, O_RDWR | O_CREAT | O_APPEND, 0600, ret_fd, e);
}

uint64_t ostree_repo_partial_size(const struct ostree_repo *r, const char *path)
{
    char temporary[STORE_PATH_SIZE];
    struct stat st;
    temporary_name(path, temporary);
    bool is_there = fstatat(r->tmp_fd, temporary, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
    return is_there ? (uint64_t)st.st_size : 0;
}

int ostree_repo_name_partial(const struct ostree_repo *r, const char *path, struct err *e)
{
    char temporary[STORE_PATH_SIZE];
    temporary_name(path, temporary);
    if (make_folder(r, path, e))
        return -1;
    if (renameat(r->tmp_fd, temporary, r->fd, path))
        return err_errno(e, ERR_SYSTEM, "cannot name the object '%s'", path);
    return 0;
}

int ostree_repo_drop_partial(const struct ostree_repo *r, const char *path, struct err *e)
{
    char temporary[STORE_PATH_SIZE];
    temporary_name(path, temporary);
    return fs_remove_at(r->tmp_fd, temporary, e);
}
