/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/name.h"
#include "bundle-format/member.h"

int members_check_names(const struct member *members, size_t n, struct err *e)
{
    AUTO_FREE const char **paths = mem_zeroed(n, sizeof *paths);
    for (size_t i = 0; i < n; i++) {
        paths[i] = members[i].path;
        if (name_check_text(paths[i], e))
            return -1;
    }
    return name_check_twins(paths, n, e);
}

static int pour(const struct content *c, void *stream, uint8_t *chunk, size_t chunk_len, struct hash *h,
                int (*take)(void *ctx, const uint8_t *bytes, size_t n, struct err *e), void *ctx,
                struct err *e)
{
    uint8_t digest[HASH_SIZE];
    uint64_t done = 0;
    for (;;) {
        ssize_t n = c->source->read(stream, chunk, chunk_len, e);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        hash_update(h, chunk, (size_t)n);
        if (take(ctx, chunk, (size_t)n, e))
            return -1;
        done += (uint64_t)n;
    }
    hash_final(h, digest);
    if (done != c->size)
        return err_set(e, ERR_WRONG_LENGTH, "a content has %llu bytes instead of %llu",
                       (unsigned long long)done, (unsigned long long)c->size);
    return memcmp(digest, c->sha256, HASH_SIZE)
               ? err_set(e, ERR_WRONG_HASH, "a content does not match its hash")
               : 0;
}

int content_pour(const struct content *c, uint8_t *chunk, size_t chunk_len, struct hash *h,
                 int (*take)(void *ctx, const uint8_t *bytes, size_t n, struct err *e), void *ctx,
                 struct err *e)
{
    void *stream;
    if (c->source->open(c->ctx, &stream, e))
        return -1;
    int rc = pour(c, stream, chunk, chunk_len, h, take, ctx, e);
    c->source->close(stream);
    return rc;
}

struct file_stream {
    int fd;
};

static int file_open(void *ctx, void **ret_stream, struct err *e)
{
    const struct content_file *file = ctx;
    int fd;
    if (fs_open_at(file->dirfd, file->path, O_RDONLY, 0, &fd, e))
        return -1;
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* advice: a refusal costs nothing but speed */
    struct file_stream *stream = mem_zeroed(1, sizeof *stream);
    stream->fd = fd;
    *ret_stream = stream;
    return 0;
}

static ssize_t file_read(void *stream, void *to, size_t n, struct err *e)
{
    const struct file_stream *file = stream;
    ssize_t got;
    do
        got = read(file->fd, to, n);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_errno(e, ERR_SYSTEM, "cannot read");
    return got;
}

static void file_close(void *stream)
{
    struct file_stream *file = stream;
    close(file->fd);
    free(file);
}

const struct content_source content_from_file = {file_open, file_read, file_close};

struct bytes_stream {
    const uint8_t *at;
    size_t left;
};

static int bytes_open(void *ctx, void **ret_stream, struct err *e)
{
    (void)e;
    const struct content_bytes *content = ctx;
    struct bytes_stream *stream = mem_zeroed(1, sizeof *stream);
    *stream = (struct bytes_stream){.at = content->bytes, .left = content->len};
    *ret_stream = stream;
    return 0;
}

static ssize_t bytes_read(void *stream, void *to, size_t n, struct err *e)
{
    (void)e;
    struct bytes_stream *bytes = stream;
    size_t take = n < bytes->left ? n : bytes->left;
    if (take)
        memcpy(to, bytes->at, take);
    bytes->at += take;
    bytes->left -= take;
    return (ssize_t)take;
}

const struct content_source content_from_bytes = {bytes_open, bytes_read, free};
