/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/hex.h"
#include "base/mem.h"

int fs_open_dir(const char *path, int *ret_fd, struct err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, errno == ENOENT || errno == ENOTDIR ? ERR_NO_SUCH_PATH : ERR_SYSTEM,
                         "cannot open the folder '%s'", path);
    *ret_fd = fd;
    return 0;
}

int fs_make_dir(const char *path, bool private, int *ret_fd, struct err *e)
{
    mode_t mode = private ? 0700 : 0777;
    AUTO_FREE char *copy = mem_strdup(path);
    for (char *slash = copy + 1; *copy && (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (mkdir(copy, mode) && errno != EEXIST)
            return err_errno(e, ERR_SYSTEM, "cannot make the folder '%s'", copy);
        *slash = '/';
    }
    if (mkdir(path, mode) && errno != EEXIST)
        return err_errno(e, ERR_SYSTEM, "cannot make the folder '%s'", path);
    return fs_open_dir(path, ret_fd, e);
}

/* One step down; a link, or anything else that is no folder, is refused by the kernel. */
static int open_part(int dirfd, const char *part, bool create, int *ret_fd, struct err *e)
{
    if (!strcmp(part, ".."))
        return err_set(e, ERR_UNSAFE_NAME, "a path climbs with '..'");
    if (create && mkdirat(dirfd, part, 0777) && errno != EEXIST)
        return err_errno(e, ERR_SYSTEM, "cannot make the folder '%s'", part);
    int fd = openat(dirfd, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_errno(e, errno == ENOENT ? ERR_NO_SUCH_PATH : ERR_SYSTEM, "cannot open the folder '%s'",
                         part);
    *ret_fd = fd;
    return 0;
}

int fs_open_dir_at(int dirfd, const char *path, bool create, int *ret_fd, struct err *e)
{
    AUTO_FREE char *copy = mem_strdup(*path ? path : ".");
    AUTO_FD int at = -1;
    char *rest = copy;
    for (char *part; (part = strsep(&rest, "/"));) {
        int next = -1;
        if (!*part)
            continue;
        if (open_part(at < 0 ? dirfd : at, part, create, &next, e))
            return -1;
        if (at >= 0)
            close(at);
        at = next;
    }
    *ret_fd = steal_fd(&at);
    return 0;
}

/* Opens the folder of path's last part; *ret_last points into path. */
static int open_parent(int dirfd, const char *path, bool create, int *ret_fd, const char **ret_last,
                       struct err *e)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = slash ? mem_strndup(path, (size_t)(slash - path)) : mem_strdup(".");
    const char *last = slash ? slash + 1 : path;
    if (!*last || !strcmp(last, "..") || !strcmp(last, "."))
        return err_set(e, ERR_UNSAFE_NAME, "'%s' names no file", path);
    if (fs_open_dir_at(dirfd, folder, create, ret_fd, e))
        return -1;
    *ret_last = last;
    return 0;
}

static int refuse_link(const char *path, struct err *e)
{
    err_set(e, ERR_UNSAFE_NAME, "'%s' is a symbolic link, and no link is followed here", path);
    e->sys = ELOOP;
    return err_hint(e, "put the file itself there");
}

int fs_open_at(int dirfd, const char *path, int flags, mode_t mode, int *ret_fd, struct err *e)
{
    AUTO_FD int parent = -1;
    const char *last;
    if (open_parent(dirfd, path, false, &parent, &last, e))
        return -1;
    /* O_NONBLOCK: a FIFO that somebody planted must not hold us; it means nothing on a regular file */
    AUTO_FD int fd = openat(parent, last, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
    if (fd < 0 && errno == ELOOP)
        return refuse_link(path, e);
    if (fd < 0)
        return err_errno(e, errno == ENOENT ? ERR_NO_SUCH_PATH : ERR_SYSTEM, "cannot open '%s'", path);
    struct stat st;
    if (fstat(fd, &st))
        return err_errno(e, ERR_SYSTEM, "cannot stat '%s'", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_UNSAFE_NAME, "'%s' is not a regular file", path);
    *ret_fd = steal_fd(&fd);
    return 0;
}

static int read_to_end(int fd, const char *shown, size_t limit, struct buf *ret, struct err *e)
{
    AUTO(buf) struct buf content = {0};
    for (;;) {
        ssize_t n = read(fd, buf_reserve(&content, 65536), 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, ERR_SYSTEM, "cannot read '%s'", shown);
        content.len += (size_t)n;
        if (content.len > limit)
            return err_set(e, ERR_TOO_LARGE, "'%s' is larger than %zu bytes", shown, limit);
        if (n == 0)
            break;
    }
    buf_add(&content, "", 0);
    buf_free(ret);
    *ret = content;
    content = (struct buf){0};
    return 0;
}

int fs_read_at(int dirfd, const char *path, size_t limit, struct buf *ret, struct err *e)
{
    AUTO_FD int fd = -1;
    if (fs_open_at(dirfd, path, O_RDONLY, 0, &fd, e))
        return -1;
    return read_to_end(fd, path, limit, ret, e);
}

int fs_read_file(const char *path, size_t limit, struct buf *ret, struct err *e)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, errno == ENOENT ? ERR_NO_SUCH_PATH : ERR_SYSTEM, "cannot open '%s'", path);
    return read_to_end(fd, path, limit, ret, e);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_names(int dirfd, char ***ret_names, size_t *ret_count, struct err *e)
{
    size_t count = 0, room = 0;
    char **names = NULL;
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        err_errno(e, ERR_SYSTEM, "cannot list a folder");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    errno = 0;
    for (struct dirent *entry; (entry = readdir(dir)); errno = 0) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        mem_grow(&names, count, &room, sizeof *names);
        names[count++] = mem_strdup(entry->d_name);
    }
    int rc = errno ? err_errno(e, ERR_MEDIUM_IO, "cannot list a folder") : 0;
    closedir(dir);
    if (count)
        qsort(names, count, sizeof *names, compare_names);
    *ret_names = names;
    *ret_count = count;
    return rc;
}

int fs_each(int dirfd, int (*each)(void *ctx, const char *name, struct err *e), void *ctx, struct err *e)
{
    char **names = NULL;
    size_t count = 0;
    int rc = list_names(dirfd, &names, &count, e);
    for (size_t i = 0; i < count; i++) {
        if (rc == 0)
            rc = each(ctx, names[i], e);
        free(names[i]);
    }
    free(names);
    return rc;
}

static int remove_entry(void *ctx, const char *name, struct err *e)
{
    int dirfd = *(const int *)ctx;
    if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return err_errno(e, ERR_MEDIUM_IO, "cannot remove '%s'", name);
    AUTO_FD int inside = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (inside < 0)
        return err_errno(e, ERR_MEDIUM_IO, "cannot remove '%s'", name);
    if (fs_each(inside, remove_entry, &inside, e))
        return -1;
    if (unlinkat(dirfd, name, AT_REMOVEDIR) && errno != ENOENT)
        return err_errno(e, ERR_MEDIUM_IO, "cannot remove the folder '%s'", name);
    return 0;
}

int fs_remove_at(int dirfd, const char *path, struct err *e)
{
    AUTO_FD int parent = -1;
    const char *last;
    if (open_parent(dirfd, path, false, &parent, &last, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    return remove_entry(&parent, last, e);
}

int fs_write_all(int fd, const void *bytes, size_t n, struct err *e)
{
    for (const uint8_t *at = bytes; n > 0;) {
        ssize_t done = write(fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return err_errno(e, ERR_MEDIUM_IO, "cannot write");
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

int fs_read_all(int fd, void *ret, size_t n, uint64_t offset, struct err *e)
{
    for (uint8_t *to = ret; n > 0;) {
        ssize_t done = pread(fd, to, n, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return err_errno(e, ERR_MEDIUM_IO, "cannot read");
        if (done == 0)
            return err_set(e, ERR_MEDIUM_IO, "the file ends early");
        to += done;
        n -= (size_t)done;
        offset += (uint64_t)done;
    }
    return 0;
}

int fs_sync(int fd, struct err *e)
{
    /* EINVAL: the file system has no fsync for this kind of file (some FUSE folders) */
    if (fsync(fd) && errno != EINVAL)
        return err_errno(e, ERR_MEDIUM_IO, "cannot flush to the medium");
    return 0;
}

int fs_await(int fd, uint64_t offset, uint64_t n, struct err *e)
{
    if (sync_file_range(fd, (off_t)offset, (off_t)n,
                        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) ==
        0)
        return 0;
    if (errno == ENOSYS || errno == EINVAL || errno == ESPIPE) /* a kernel or file system without it */
        return fs_sync(fd, e);
    return err_errno(e, ERR_MEDIUM_IO, "cannot write to the medium");
}

int fs_sync_all(int dirfd, struct err *e)
{
    if (syncfs(dirfd))
        return err_errno(e, ERR_MEDIUM_IO, "cannot flush to the medium");
    /* syncfs() of vfat writes all and leaves it in the medium's own cache; fsync() empties that */
    return fs_sync(dirfd, e);
}

int fs_sync_parent(int dirfd, const char *path, struct err *e)
{
    AUTO_FD int parent = -1;
    const char *last;
    if (open_parent(dirfd, path, false, &parent, &last, e))
        return -1;
    return fs_sync(parent, e);
}

int fs_temp_open(struct fs_temp *t, int dirfd, const char *path, mode_t mode, struct err *e)
{
    AUTO_FD int parent = -1;
    const char *last;
    uint8_t random[8];
    char suffix[2 * sizeof random + 1];
    if (open_parent(dirfd, path, true, &parent, &last, e))
        return -1;
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return err_errno(e, ERR_SYSTEM, "no random numbers");
    hex_encode(random, sizeof random, suffix);
    AUTO_FREE char *temp = mem_format(".%.200s.%s.tmp", last, suffix);
    int fd = openat(parent, temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return err_errno(e, ERR_MEDIUM_IO, "cannot make a file beside '%s'", path);
    *t = (struct fs_temp){
        .fd = fd, .parent_fd = steal_fd(&parent), .name = mem_strdup(last), .temp = steal_ptr(temp)};
    return 0;
}

static int close_temp(struct fs_temp *t, struct err *e)
{
    return close(steal_fd(&t->fd)) ? err_errno(e, ERR_MEDIUM_IO, "cannot close '%s'", t->name) : 0;
}

static int name_temp(struct fs_temp *t, struct err *e)
{
    if (renameat(t->parent_fd, t->temp, t->parent_fd, t->name))
        return err_errno(e, ERR_MEDIUM_IO, "cannot rename to '%s'", t->name);
    free(t->temp);
    t->temp = NULL;
    return 0;
}

int fs_temp_commit_cached(struct fs_temp *t, struct err *e)
{
    return close_temp(t, e) || name_temp(t, e) ? -1 : 0;
}

int fs_temp_commit(struct fs_temp *t, struct err *e)
{
    if (fs_sync(t->fd, e))
        return err_context(e, "'%s'", t->name);
    /* and again under its name: vfat gives that no clusters and no size until the file itself is flushed, so
     * the folder's flush alone would leave an empty file */
    return name_temp(t, e) || fs_sync(t->fd, e) || close_temp(t, e) || fs_sync(t->parent_fd, e) ? -1 : 0;
}

void fs_temp_free(struct fs_temp *t)
{
    if (t->temp)
        unlinkat(t->parent_fd, t->temp, 0);
    if (t->name) {
        cleanup_fd(&t->fd);
        cleanup_fd(&t->parent_fd);
    }
    free(t->temp);
    free(t->name);
    *t = (struct fs_temp){.fd = -1, .parent_fd = -1};
}

static int replace(int dirfd, const char *path, const void *bytes, size_t n, mode_t mode,
                   int (*commit)(struct fs_temp *, struct err *), struct err *e)
{
    AUTO(fs_temp) struct fs_temp temp = {.fd = -1};
    if (fs_temp_open(&temp, dirfd, path, mode, e) || fs_write_all(temp.fd, bytes, n, e) || commit(&temp, e))
        return err_context(e, "cannot write '%s'", path);
    return 0;
}

int fs_replace_at(int dirfd, const char *path, const void *bytes, size_t n, mode_t mode, struct err *e)
{
    return replace(dirfd, path, bytes, n, mode, fs_temp_commit, e);
}

int fs_replace_cached_at(int dirfd, const char *path, const void *bytes, size_t n, mode_t mode, struct err *e)
{
    return replace(dirfd, path, bytes, n, mode, fs_temp_commit_cached, e);
}
