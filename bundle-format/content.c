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
