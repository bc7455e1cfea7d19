/* SPDX-License-Identifier: Apache-2.0
 *
 * What is done with an open bundle: one member read, all checked, all written to a folder.
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

/* ---- one member ---- */

/* A frame at hand, checked and decompressed. */
struct loaded {
    struct frame_unpacker *unpacker;
    uint8_t *stored, *raw;
    size_t frame; /* SIZE_MAX: none */
};

static int load_frame(const struct bundle *b, size_t frame, struct loaded *l, struct err *e)
{
    const struct index_frame *f = &b->index.frames[frame];
    uint8_t digest[HASH_SIZE];
    if (l->frame == frame)
        return 0;
    l->frame = SIZE_MAX;
    l->stored = mem_resize(l->stored, f->stored, 1);
    l->raw = mem_resize(l->raw, f->raw, 1);
    if (bundle_load_frame(b, frame, l->stored, e))
        return -1;
    hash_of(l->stored, f->stored, digest);
    if (memcmp(digest, f->sha256, HASH_SIZE))
        return bundle_frame_error(b, frame, e);
    if (frame_unpack(l->unpacker, l->stored, f->stored, l->raw, f->raw, e))
        return -1;
    l->frame = frame;
    return 0;
}

static int read_content(const struct bundle *b, const struct index_content *c, struct loaded *l,
                        struct buf *to, struct err *e)
{
    uint64_t left = c->size;
    size_t offset = c->offset;
    for (size_t frame = c->frame; left > 0; frame++) {
        if (load_frame(b, frame, l, e))
            return -1;
        size_t here = b->index.frames[frame].raw - offset;
        size_t n = left < here ? (size_t)left : here;
        buf_add(to, l->raw + offset, n);
        left -= n;
        offset = 0;
    }
    return 0;
}

static int read_member(const struct bundle *b, const struct index_member *m, struct buf *to, struct err *e)
{
    struct loaded l = {.unpacker = frame_unpacker_new(), .frame = SIZE_MAX};
    int rc = 0;
    buf_add(to, "", 0); /* text even when empty */
    for (uint32_t r = 0; r < m->ref_count && rc == 0; r++)
        rc = read_content(b, &b->index.contents[b->index.refs[m->first_ref + r]], &l, to, e);
    frame_unpacker_delete(l.unpacker);
    free(l.stored);
    free(l.raw);
    return rc;
}

int bundle_read_member(struct bundle *b, const char *path, size_t limit, struct buf *ret, struct err *e)
{
    AUTO(buf) struct buf content = {0};
    uint8_t digest[HASH_SIZE];
    size_t i = 0;
    while (i < b->index.member_count && strcmp(index_path(&b->index, i), path))
        i++;
    if (i == b->index.member_count)
        return err_set(e, ERR_NO_SUCH_PATH, "bundle '%s' has no '%s'", b->name, path);
    const struct index_member *m = &b->index.members[i];
    if (m->size > limit)
        return err_set(e, ERR_TOO_LARGE, "'%s' is larger than %zu bytes", path, limit);
    if (read_member(b, m, &content, e))
        return err_context(e, "'%s'", path);
    hash_of(content.data, content.len, digest);
    if (memcmp(digest, m->sha256, HASH_SIZE))
        return err_set(e, ERR_WRONG_HASH, "'%s' in bundle '%s' does not match its hash", path, b->name);
    buf_free(ret);
    *ret = content;
    content = (struct buf){0};
    return 0;
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

static int unroll_all(struct bundle *b, const char *phase, unsigned workers, const struct extract_sink *sink,
                      struct progress *progress, struct err *e)
{
    workers = pipeline_workers(workers);
    progress_begin(progress, phase, raw_total(b));
    int rc = 0;
    if (bundle_unroll(b, STREAM_METADATA, workers, sink, progress, e) ||
        bundle_unroll(b, STREAM_IMAGES, workers, sink, progress, e))
        rc = -1;
    progress_end(progress);
    return rc;
}

int bundle_check(struct bundle *b, unsigned workers, struct progress *progress, struct err *e)
{
    return unroll_all(b, "verify", workers, NULL, progress, e);
}

struct extraction {
    const struct bundle *bundle;
    int dirfd;
    char *folder; /* of the last member, kept open: the next is most often in the same */
    int folder_fd;
    int fd; /* the file being written */
    const char *path;
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

static int write_file(void *ctx, const void *bytes, size_t n, struct err *e)
{
    const struct extraction *x = ctx;
    return fs_write_all(x->fd, bytes, n, e) ? err_context(e, "'%s'", x->path) : 0;
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
    struct extraction x = {.bundle = b, .dirfd = dirfd, .folder_fd = -1, .fd = -1};
    struct extract_sink sink = {.begin = begin_file, .write = write_file, .end = end_file, .ctx = &x};
    int rc = unroll_all(b, "extract", workers, &sink, progress, e);
    cleanup_fd(&x.fd);
    cleanup_fd(&x.folder_fd);
    free(x.folder);
    if (rc)
        return -1;
    /* once for all files, instead of once for each of thousands */
    if (syncfs(dirfd))
        return err_errno(e, ERR_MEDIUM_IO, "cannot flush what was extracted");
    return 0;
}
