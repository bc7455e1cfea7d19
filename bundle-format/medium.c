/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/medium.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"

static int posix_create(void *ctx, const char *name, int *ret_fd, struct err *e)
{
    if (fs_open_at(*(const int *)ctx, name, O_RDWR | O_CREAT | O_TRUNC, 0644, ret_fd, e) == 0)
        return 0;
    if (e->sys == EACCES || e->sys == EPERM)
        e->id = ERR_READ_ONLY;
    return -1;
}

static int posix_reopen(void *ctx, const char *name, int *ret_fd, struct err *e)
{
    return fs_open_at(*(const int *)ctx, name, O_RDWR, 0, ret_fd, e);
}

static int posix_cut(void *ctx, int fd, uint64_t size, struct err *e)
{
    (void)ctx;
    if (ftruncate(fd, (off_t)size) || lseek(fd, (off_t)size, SEEK_SET) < 0)
        return err_errno(e, ERR_MEDIUM_IO, "cannot shorten a file");
    return 0;
}

static int posix_list(void *ctx, int (*each)(void *each_ctx, const char *name, struct err *e), void *each_ctx,
                      struct err *e)
{
    return fs_each(*(const int *)ctx, each, each_ctx, e);
}

static int posix_open(void *ctx, const char *name, int *ret_fd, struct err *e)
{
    return fs_open_at(*(const int *)ctx, name, O_RDONLY, 0, ret_fd, e);
}

static int posix_write(void *ctx, int fd, const void *bytes, size_t n, struct err *e)
{
    (void)ctx;
    if (fs_write_all(fd, bytes, n, e))
        return -1;
    /* the medium starts at once, not when the cache is full: a slow stick is never idle */
    sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    return 0;
}

static int posix_flush(void *ctx, int fd, struct err *e)
{
    (void)ctx;
    if (fdatasync(fd) && errno != EINVAL) /* EINVAL: a FUSE folder without it */
        return err_errno(e, ERR_MEDIUM_IO, "cannot flush to the medium");
    return 0;
}

static int posix_await(void *ctx, int fd, uint64_t offset, uint64_t n, struct err *e)
{
    (void)ctx;
    return fs_await(fd, offset, n, e);
}

static int posix_drop_cache(void *ctx, int fd, struct err *e)
{
    (void)ctx;
    errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    if (errno)
        return err_errno(e, ERR_MEDIUM_IO, "cannot drop the cache");
    return 0;
}

static int posix_read(void *ctx, int fd, void *to, size_t n, uint64_t offset, struct err *e)
{
    (void)ctx;
    return fs_read_all(fd, to, n, offset, e);
}

static int posix_rename(void *ctx, const char *from, const char *to, struct err *e)
{
    int dirfd = *(const int *)ctx;
    if (renameat(dirfd, from, dirfd, to))
        return err_errno(e, ERR_MEDIUM_IO, "cannot rename '%s' to '%s'", from, to);
    /* vfat gives the new name no clusters and no size until the file itself is flushed: the folder's flush,
     * which follows, would leave an empty file */
    AUTO_FD int fd = -1;
    return fs_open_at(dirfd, to, O_RDONLY, 0, &fd, e) || fs_sync(fd, e) ? -1 : 0;
}

static int posix_remove(void *ctx, const char *name, struct err *e)
{
    if (unlinkat(*(const int *)ctx, name, 0) && errno != ENOENT)
        return err_errno(e, ERR_MEDIUM_IO, "cannot remove '%s'", name);
    return 0;
}

static int posix_flush_folder(void *ctx, struct err *e)
{
    return fs_sync(*(const int *)ctx, e);
}

struct medium medium_posix(const int *dirfd)
{
    return (struct medium){
        .ctx = (void *)(uintptr_t)dirfd, /* the table's ctx is not const for others' sake */
        .create = posix_create,
        .reopen = posix_reopen,
        .cut = posix_cut,
        .list = posix_list,
        .open = posix_open,
        .write = posix_write,
        .await = posix_await,
        .flush = posix_flush,
        .drop_cache = posix_drop_cache,
        .read = posix_read,
        .rename = posix_rename,
        .remove = posix_remove,
        .flush_folder = posix_flush_folder,
    };
}
