/* SPDX-License-Identifier: Apache-2.0
 *
 * What is done with an open bundle: metadata read, all checked, all written to a folder.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "bundle-format/limits.h"
#include "bundle-format/pipeline.h"
#include "bundle-format/reader.h"

/* ---- metadata ---- */

struct gathering {
    const struct bundle *bundle;
    const struct bundle_taker *taker;
    size_t member;
    struct buf content;
};

static int begin_gathering(void *ctx, size_t member, struct err *e)
{
    struct gathering *g = ctx;
    (void)e;
    g->member = member;
    buf_clear(&g->content);
    buf_reserve(&g->content, (size_t)g->bundle->index.members[member].size + 1); /* index_check(): 64 MiB */
    return 0;
}

static int gather(void *ctx, const void *bytes, size_t n, struct err *e)
{
    struct gathering *g = ctx;
    (void)e;
    buf_add(&g->content, bytes, n);
    return 0;
}

static int end_gathering(void *ctx, struct err *e)
{
    struct gathering *g = ctx;
    return g->taker->take(g->taker->ctx, index_path(&g->bundle->index, g->member), &g->content, e);
}

int bundle_read_metadata(struct bundle *b, const struct bundle_taker *taker, struct err *e)
{
    struct gathering g = {.bundle = b, .taker = taker};
    struct bundle_sink sink = {.begin = begin_gathering, .write = gather, .end = end_gathering, .ctx = &g};
    int rc = bundle_unroll(b, STREAM_METADATA, 1, &sink, NULL, NULL, e);
    buf_free(&g.content);
    return rc;
}

/* ---- all of them ---- */

/* Bytes that both parts unroll to: what progress counts. */
static uint64_t raw_total(const struct bundle *b)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < b->index.frame_count; i++)
        sum += b->index.frames[i].raw;
    return sum;
}

static int unroll_all(struct bundle *b, unsigned workers, const struct bundle_sink *metadata,
                      const struct bundle_sink *images, struct progress *progress, struct err *e)
{
    workers = pipeline_workers(workers);
    return bundle_unroll(b, STREAM_METADATA, workers, metadata, NULL, progress, e) ||
                   bundle_unroll(b, STREAM_IMAGES, workers, images, NULL, progress, e)
               ? -1
               : 0;
}

int bundle_check(struct bundle *b, unsigned workers, struct progress *progress, struct err *e)
{
    return bundle_watch(b, workers, NULL, progress, e);
}

int bundle_watch(struct bundle *b, unsigned workers, const struct bundle_sink *sink,
                 struct progress *progress, struct err *e)
{
    progress_begin(progress, "verify", raw_total(b));
    int rc = unroll_all(b, workers, NULL, sink, progress, e);
    progress_end(progress);
    return rc;
}

struct extraction {
    const struct bundle *bundle;
    int dirfd;
    char *folder; /* of the last member, kept open: the next is most often in the same */
    int folder_fd;
    int fd; /* the file being written */
    const char *path;
    struct progress *progress;
    uint64_t unsettled; /* bytes that were written and are not counted yet */
};

/* Opens the folder of x->path unless it is open; *ret_name is the path's last part. */
static int enter_folder(struct extraction *x, const char **ret_name, struct err *e)
{
    const char *slash = strrchr(x->path, '/'); /* every path has one: metadata/…, images/… */
    size_t len = (size_t)(slash - x->path);
    *ret_name = slash + 1;
    if (x->folder && strlen(x->folder) == len && !memcmp(x->folder, x->path, len))
        return 0;
    free(x->folder);
    x->folder = mem_strndup(x->path, len);
    cleanup_fd(&x->folder_fd);
    x->folder_fd = -1;
    return fs_open_dir_at(x->dirfd, x->folder, true, &x->folder_fd, e);
}

#define PREALLOCATE_FROM MIB(1)

static int begin_file(void *ctx, size_t member, struct err *e)
{
    struct extraction *x = ctx;
    const char *name;
    uint64_t size = x->bundle->index.members[member].size;
    x->path = index_path(&x->bundle->index, member);
    if (enter_folder(x, &name, e) ||
        fs_open_at(x->folder_fd, name, O_WRONLY | O_CREAT | O_EXCL, 0644, &x->fd, e))
        return err_context(e, "'%s'", x->path);
    /* an early "no space" and whole extents; file systems without it do without */
    if (size >= PREALLOCATE_FROM && fallocate(x->fd, 0, 0, (off_t)size) && errno == ENOSPC)
        return err_errno(e, ERR_MEDIUM_IO, "'%s'", x->path);
    return 0;
}

#define PACE MIB(16) /* the progress, which tells what is on the medium, lags no further behind */

/* Everything at once, since files are small by the thousand. */
static int settle(struct extraction *x, struct err *e)
{
    if (fs_sync_all(x->dirfd, e))
        return -1;
    progress_add(x->progress, x->unsettled);
    x->unsettled = 0;
    return 0;
}

static int write_file(void *ctx, const void *bytes, size_t n, struct err *e)
{
    struct extraction *x = ctx;
    if (fs_write_all(x->fd, bytes, n, e))
        return err_context(e, "'%s'", x->path);
    x->unsettled += n;
    /* where nobody watches, the flush at the end will do */
    return x->progress && x->unsettled >= PACE ? settle(x, e) : 0;
}

static int end_file(void *ctx, struct err *e)
{
    struct extraction *x = ctx;
    if (close(steal_fd(&x->fd)))
        return err_errno(e, ERR_MEDIUM_IO, "cannot close '%s'", x->path);
    return 0;
}

int bundle_extract(struct bundle *b, int dirfd, unsigned workers, struct progress *progress, struct err *e)
{
    struct extraction x = {.bundle = b, .dirfd = dirfd, .folder_fd = -1, .fd = -1, .progress = progress};
    struct bundle_sink sink = {.begin = begin_file, .write = write_file, .end = end_file, .ctx = &x};
    uint64_t total = 0;
    for (size_t i = 0; i < b->index.member_count; i++)
        total += b->index.members[i].size;
    progress_begin(progress, "extract", total);
    int rc = unroll_all(b, workers, &sink, &sink, NULL, e) || settle(&x, e);
    cleanup_fd(&x.fd);
    cleanup_fd(&x.folder_fd);
    free(x.folder);
    if (rc)
        return -1;
    progress_end(progress);
    return 0;
}
