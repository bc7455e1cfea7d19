/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/squashfs_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sqfs/error.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

/* The caller's; there is nothing to free. */
static void destroy(sqfs_object_t *object)
{
    (void)object;
}

static int read_at(sqfs_file_t *file, sqfs_u64 offset, void *to, size_t n)
{
    struct squashfs_file *f = (struct squashfs_file *)file;
    int fd = f->fd;
    if (offset > f->size || n > f->size - offset)
        return SQFS_ERROR_OUT_OF_BOUNDS;
    for (size_t i = 0; f->at && i < f->at->count; i++)
        if (!f->at->ones[i].out)
            fd = f->fds[i];
    return fs_read_all(fd, to, n, offset, &f->error) ? SQFS_ERROR_IO : 0;
}

static sqfs_u64 get_size(const sqfs_file_t *file)
{
    return ((const struct squashfs_file *)file)->size;
}

/* ---- to be written ---- */

struct step {
    struct squashfs_file *file;
    const char *bytes;
    size_t n;
    uint64_t offset;
};

static int wait_for_medium(int fd, struct pace *p, struct err *e)
{
    for (uint64_t due; (due = pace_due(p)) > 0; pace_arrived(p, due))
        if (fs_await(fd, p->from, due, e))
            return -1;
    return 0;
}

static int write_bytes(void *ctx, size_t i, struct err *e)
{
    const struct step *s = ctx;
    int fd = s->file->fds[i];
    uint64_t end = s->offset + s->n, size = s->file->size;
    for (size_t done = 0; done < s->n;) {
        ssize_t put = pwrite(fd, s->bytes + done, s->n - done, (off_t)(s->offset + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return err_errno(e, ERR_MEDIUM_IO, "cannot write");
        done += (size_t)put;
    }
    /* the medium starts at once, not when the cache is full: a slow stick is never idle */
    sync_file_range(fd, (off_t)s->offset, (off_t)s->n, SYNC_FILE_RANGE_WRITE);
    pace_wrote(&s->file->paces[i], end > size ? end - size : 0);
    return wait_for_medium(fd, &s->file->paces[i], e);
}

static int write_at(sqfs_file_t *file, sqfs_u64 offset, const void *bytes, size_t n)
{
    struct squashfs_file *f = (struct squashfs_file *)file;
    struct step step = {.file = f, .bytes = bytes, .n = n, .offset = offset};
    if (several_each(f->at, write_bytes, &step, &f->error))
        return SQFS_ERROR_IO;
    f->size = offset + n > f->size ? offset + n : f->size;
    return 0;
}

static int cut(void *ctx, size_t i, struct err *e)
{
    const struct step *s = ctx;
    if (ftruncate(s->file->fds[i], (off_t)s->offset))
        return err_errno(e, ERR_MEDIUM_IO, "cannot set a file's length");
    pace_cut(&s->file->paces[i], s->offset);
    return 0;
}

static int truncate_to(sqfs_file_t *file, sqfs_u64 size)
{
    struct squashfs_file *f = (struct squashfs_file *)file;
    if (several_each(f->at, cut, &(struct step){.file = f, .offset = size}, &f->error))
        return SQFS_ERROR_IO;
    f->size = size;
    return 0;
}

/* ---- all of it ---- */

int squashfs_file_open(struct squashfs_file *f, int fd, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_errno(e, ERR_MEDIUM_IO, "cannot stat");
    *f = (struct squashfs_file){
        .base = {.base = {.destroy = destroy}, .read_at = read_at, .get_size = get_size},
        .fd = fd,
        .size = (uint64_t)st.st_size,
    };
    return 0;
}

void squashfs_file_create(struct squashfs_file *f, const int *fds, struct several *at)
{
    *f = (struct squashfs_file){
        .base = {.base = {.destroy = destroy},
                 .read_at = read_at,
                 .write_at = write_at,
                 .get_size = get_size,
                 .truncate = truncate_to},
        .fd = -1,
        .at = at,
        .fds = fds,
        .paces = mem_zeroed(at->count, sizeof *f->paces),
    };
    for (size_t i = 0; i < at->count; i++)
        f->paces[i].progress = several_progress(at, i);
}

void squashfs_file_count(struct squashfs_file *f, uint64_t bytes)
{
    for (size_t i = 0; i < f->at->count; i++)
        pace_worth(&f->paces[i], bytes);
}

static int settle(void *ctx, size_t i, struct err *e)
{
    struct squashfs_file *f = ctx;
    if (fs_sync(f->fds[i], e))
        return -1;
    pace_settled(&f->paces[i]);
    return 0;
}

int squashfs_file_settle(struct squashfs_file *f, struct err *e)
{
    return several_each(f->at, settle, f, e);
}

void squashfs_file_free(struct squashfs_file *f)
{
    free(f->paces);
    f->paces = NULL;
}

int squashfs_error(const struct squashfs_file *f, int returned, const char *what, struct err *e)
{
    if (f->error.id) {
        *e = f->error;
        return err_context(e, "%s", what);
    }
    return err_set(e, ERR_SYSTEM, "%s: libsquashfs says %d", what, returned);
}
