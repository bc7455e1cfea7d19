/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/squashfs_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sqfs/error.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

/* The caller's; there is nothing to free. */
static void destroy(sqfs_object_t *object)
{
    (void)object;
}

static int read_at(sqfs_file_t *file, sqfs_u64 offset, void *to, size_t n)
{
    struct squashfs_file *f = (struct squashfs_file *)file;
    if (offset > f->size || n > f->size - offset)
        return SQFS_ERROR_OUT_OF_BOUNDS;
    return fs_read_all(f->fd, to, n, offset, &f->error) ? SQFS_ERROR_IO : 0;
}

static int write_at(sqfs_file_t *file, sqfs_u64 offset, const void *bytes, size_t n)
{
    struct squashfs_file *f = (struct squashfs_file *)file;
    const char *at = bytes;
    for (size_t done = 0; done < n;) {
        ssize_t put = pwrite(f->fd, at + done, n - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            err_errno(&f->error, ERR_MEDIUM_IO, "cannot write");
            return SQFS_ERROR_IO;
        }
        done += (size_t)put;
    }
    /* the medium starts at once, not when the cache is full: a slow stick is never idle */
    sync_file_range(f->fd, (off_t)offset, (off_t)n, SYNC_FILE_RANGE_WRITE);
    f->size = offset + n > f->size ? offset + n : f->size;
    return 0;
}

static sqfs_u64 get_size(const sqfs_file_t *file)
{
    return ((const struct squashfs_file *)file)->size;
}

static int truncate_to(sqfs_file_t *file, sqfs_u64 size)
{
    struct squashfs_file *f = (struct squashfs_file *)file;
    if (ftruncate(f->fd, (off_t)size)) {
        err_errno(&f->error, ERR_MEDIUM_IO, "cannot set a file's length");
        return SQFS_ERROR_IO;
    }
    f->size = size;
    return 0;
}

int squashfs_file_init(struct squashfs_file *f, int fd, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_errno(e, ERR_MEDIUM_IO, "cannot stat");
    *f = (struct squashfs_file){
        .base = {.base = {.destroy = destroy},
                 .read_at = read_at,
                 .write_at = write_at,
                 .get_size = get_size,
                 .truncate = truncate_to},
        .fd = fd,
        .size = (uint64_t)st.st_size,
    };
    return 0;
}

int squashfs_error(const struct squashfs_file *f, int returned, const char *what, struct err *e)
{
    if (f->error.id) {
        *e = f->error;
        return err_context(e, "%s", what);
    }
    return err_set(e, ERR_SYSTEM, "%s: libsquashfs says %d", what, returned);
}
