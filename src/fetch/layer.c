/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/fs.h"
#include "base/mem.h"

#define INPUT_SIZE (128u << 10)
#define MAGIC_SIZE 4u

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

struct layer_stream {
    int fd;
    enum packing packing;
    struct inflate_state *gzip; /* ISA-L: twice as fast as zlib */
    ZSTD_DCtx *zstd;
    uint8_t *input;
    size_t at, len; /* of the input: what is used, what is there */
    bool ended;     /* no more input */
    bool between;   /* the input so far ends with a whole member or frame */
    uint64_t out, limit;
};

static int layer_open(void *ctx, void **ret_stream, struct err *e);
static ssize_t layer_read(void *stream, void *to, size_t n, struct err *e);
static void layer_close(void *stream);

const struct content_source content_from_layer = {layer_open, layer_read, layer_close};

uint64_t layer_limit(uint64_t blob_size)
{
    uint64_t grown =
        blob_size > LAYER_RAW_MAX / LAYER_GROWTH_MAX ? LAYER_RAW_MAX : blob_size * LAYER_GROWTH_MAX;
    return grown + LAYER_GROWTH_FREE > LAYER_RAW_MAX ? LAYER_RAW_MAX : grown + LAYER_GROWTH_FREE;
}

static int open_blob(const struct layer *l, int *ret_fd, struct err *e)
{
    char path[STORE_PATH_SIZE];
    store_object_path(l->blob, path);
    return fs_open_at(l->store->cache_fd, path, O_RDONLY, 0, ret_fd, e);
}

/* A gzip member's header, or a zstd frame's, skippable ones included. */
static enum packing packing_of(const uint8_t *magic, size_t len)
{
    if (len == MAGIC_SIZE && magic[0] == 0x1f && magic[1] == 0x8b && magic[2] == 8)
        return PACKING_GZIP;
    bool frame = len == MAGIC_SIZE && !memcmp(magic, "\x28\xb5\x2f\xfd", MAGIC_SIZE);
    bool skippable = len == MAGIC_SIZE && magic[0] >> 4 == 5 && !memcmp(magic + 1, "\x2a\x4d\x18", 3);
    return frame || skippable ? PACKING_ZSTD : PACKING_NONE;
}

static int fill(struct layer_stream *s, struct err *e)
{
    ssize_t n;
    do
        n = read(s->fd, s->input, INPUT_SIZE);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_errno(e, ERR_SYSTEM, "cannot read a layer");
    s->at = 0;
    s->len = (size_t)n;
    s->ended = n == 0;
    return 0;
}

static void start_member(struct layer_stream *s)
{
    isal_inflate_init(s->gzip);
    s->gzip->crc_flag = ISAL_GZIP; /* with header and trailer, which it checks */
}

static int start_unpacking(struct layer_stream *s, struct err *e)
{
    if (fill(s, e))
        return -1;
    s->packing = packing_of(s->input, s->len < MAGIC_SIZE ? s->len : MAGIC_SIZE);
    if (s->packing == PACKING_GZIP) {
        s->gzip = mem_zeroed(1, sizeof *s->gzip);
        start_member(s);
    }
    if (s->packing == PACKING_ZSTD) {
        s->zstd = ZSTD_createDCtx();
        if (!s->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, LAYER_WINDOW_LOG)))
            abort(); /* out of memory */
    }
    s->between = s->packing != PACKING_GZIP;
    return 0;
}

static int layer_open(void *ctx, void **ret_stream, struct err *e)
{
    const struct layer *l = ctx;
    int fd;
    if (open_blob(l, &fd, e))
        return -1;
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    struct layer_stream *s = mem_zeroed(1, sizeof *s);
    *s = (struct layer_stream){.fd = fd,
                               .input = mem_zeroed(INPUT_SIZE, 1),
                               .limit = l->limit ? l->limit : layer_limit(l->blob_size)};
    if (start_unpacking(s, e)) {
        layer_close(s);
        return -1;
    }
    *ret_stream = s;
    return 0;
}

static void layer_close(void *stream)
{
    struct layer_stream *s = stream;
    free(s->gzip);
    ZSTD_freeDCtx(s->zstd);
    close(s->fd);
    free(s->input);
    free(s);
}

/* ---- the three forms: each takes input, gives output, and says how much ---- */

static int take_plain(struct layer_stream *s, uint8_t *to, size_t n, size_t *ret, struct err *e)
{
    (void)e;
    *ret = s->len - s->at < n ? s->len - s->at : n;
    memcpy(to, s->input + s->at, *ret);
    s->at += *ret;
    return 0;
}

/* A gzip file may be several members in a row (RFC 1952, 2.2). */
static int take_gzip(struct layer_stream *s, uint8_t *to, size_t n, size_t *ret, struct err *e)
{
    if (s->between)
        start_member(s);
    s->gzip->next_in = s->input + s->at;
    s->gzip->avail_in = (uint32_t)(s->len - s->at);
    s->gzip->next_out = to;
    s->gzip->avail_out = (uint32_t)n;
    int result = isal_inflate(s->gzip);
    if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT && result != ISAL_OUT_OVERFLOW)
        return err_set(e, ERR_BAD_IMAGE, "a layer's gzip is damaged");
    s->at = s->len - s->gzip->avail_in;
    s->between = s->gzip->block_state == ISAL_BLOCK_FINISH;
    *ret = n - s->gzip->avail_out;
    return 0;
}

static int take_zstd(struct layer_stream *s, uint8_t *to, size_t n, size_t *ret, struct err *e)
{
    ZSTD_inBuffer in = {.src = s->input, .size = s->len, .pos = s->at};
    ZSTD_outBuffer out = {.dst = to, .size = n};
    size_t result = ZSTD_decompressStream(s->zstd, &out, &in);
    if (ZSTD_isError(result))
        return err_set(e, ERR_BAD_IMAGE, "a layer's zstd cannot be read: %s", ZSTD_getErrorName(result));
    s->at = in.pos;
    s->between = result == 0;
    *ret = out.pos;
    return 0;
}

static int take(struct layer_stream *s, uint8_t *to, size_t n, size_t *ret, struct err *e)
{
    switch (s->packing) {
    case PACKING_GZIP:
        return take_gzip(s, to, n, ret, e);
    case PACKING_ZSTD:
        return take_zstd(s, to, n, ret, e);
    case PACKING_NONE:
        break;
    }
    return take_plain(s, to, n, ret, e);
}

static ssize_t layer_read(void *stream, void *to, size_t n, struct err *e)
{
    struct layer_stream *s = stream;
    size_t got = 0, room = n < UINT32_MAX ? n : UINT32_MAX;
    while (got == 0 && room > 0) {
        if (s->at == s->len && !s->ended && fill(s, e))
            return -1;
        if (s->ended && s->between)
            return 0;
        if (take(s, to, room, &got, e))
            return -1;
        if (s->ended && got == 0 && !s->between)
            return err_set(e, ERR_BAD_IMAGE, "a layer ends within its compressed data");
    }
    s->out += got;
    if (s->out > s->limit)
        return err_set(e, ERR_TOO_LARGE, "a layer unpacks to more than %" PRIu64 " bytes", s->limit);
    return (ssize_t)got;
}

/* ---- guessing ---- */

/* The last four bytes of gzip are the size modulo 2^32 (RFC 1952, 2.3.1): of the last member, so that a file
 * of several is guessed wrong. What is packed is hardly ever larger than what it was made of. */
static bool guess_gzip(int fd, uint64_t blob_size, uint64_t *ret)
{
    uint8_t end[4];
    struct err ignored;
    if (blob_size < 18 || fs_read_all(fd, end, sizeof end, blob_size - sizeof end, &ignored))
        return false;
    *ret = (uint64_t)end[3] << 24 | (uint64_t)end[2] << 16 | (uint64_t)end[1] << 8 | end[0];
    while (*ret + (1u << 20) < blob_size)
        *ret += 1ull << 32;
    return true;
}

static bool guess_zstd(int fd, uint64_t blob_size, uint64_t *ret)
{
    uint8_t start[18]; /* the longest header of a frame (RFC 8878, 3.1.1.1) */
    struct err ignored;
    size_t len = blob_size < sizeof start ? (size_t)blob_size : sizeof start;
    if (fs_read_all(fd, start, len, 0, &ignored))
        return false;
    unsigned long long size = ZSTD_getFrameContentSize(start, len);
    *ret = size;
    return size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR;
}

bool layer_guess_size(const struct layer *l, uint64_t *ret)
{
    uint8_t magic[MAGIC_SIZE];
    AUTO_FD int fd = -1;
    struct err ignored;
    *ret = l->blob_size;
    if (l->blob_size < MAGIC_SIZE)
        return true;
    if (open_blob(l, &fd, &ignored) || fs_read_all(fd, magic, sizeof magic, 0, &ignored))
        return false;
    switch (packing_of(magic, sizeof magic)) {
    case PACKING_GZIP:
        return guess_gzip(fd, l->blob_size, ret);
    case PACKING_ZSTD:
        return guess_zstd(fd, l->blob_size, ret);
    case PACKING_NONE:
        break;
    }
    return true;
}
