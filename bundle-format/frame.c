/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/frame.h"

#include <stdlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "bundle-format/limits.h"
#include "bundle-format/wire.h"

#define ZSTD_MAGIC 0xFD2FB528u

struct frame_packer {
    ZSTD_CCtx *ctx;
    int level;
};

struct frame_unpacker {
    ZSTD_DCtx *ctx;
};

/* For what follows from our own parameters, never from input: a failure is a broken libzstd. */
static size_t or_abort(size_t result)
{
    if (ZSTD_isError(result))
        abort();
    return result;
}

unsigned frame_library_version(void)
{
    return ZSTD_versionNumber();
}

struct frame_packer *frame_packer_new(int level)
{
    struct frame_packer *p = mem_zeroed(1, sizeof *p);
    p->ctx = ZSTD_createCCtx();
    if (!p->ctx)
        abort();
    p->level = level;
    return p;
}

void frame_packer_delete(struct frame_packer *p)
{
    if (!p)
        return;
    ZSTD_freeCCtx(p->ctx);
    free(p);
}

size_t frame_bound(size_t n)
{
    return ZSTD_compressBound(n);
}

static size_t compress(struct frame_packer *p, int level, const void *raw, size_t n, void *to, size_t room)
{
    or_abort(ZSTD_CCtx_reset(p->ctx, ZSTD_reset_session_and_parameters));
    or_abort(ZSTD_CCtx_setParameter(p->ctx, ZSTD_c_compressionLevel, level));
    return ZSTD_compress2(p->ctx, to, room, raw, n);
}

size_t frame_packer_memory(int level, size_t raw)
{
    struct frame_packer *p = frame_packer_new(level);
    AUTO_FREE void *zeros = mem_zeroed(raw, 1);
    AUTO_FREE void *to = mem_zeroed(frame_bound(raw), 1);
    or_abort(compress(p, level, zeros, raw, to, frame_bound(raw)));
    size_t memory = ZSTD_sizeof_CCtx(p->ctx);
    frame_packer_delete(p);
    return memory;
}

/* Three samples tell: where even they shrink by less than 1/32, the frame holds .filez, gzip, zstd, a delta,
 * an encrypted image. Found by trying, not by magic numbers, since a frame seldom begins where a file does.
 */
#define SAMPLE KIB(8)
#define LEVEL_COMPRESSED 1

static bool is_compressed(struct frame_packer *p, const uint8_t *raw, size_t n, void *to, size_t room)
{
    size_t sum = 0;
    if (n < 8 * SAMPLE)
        return false;
    for (size_t i = 1; i <= 3; i++) {
        size_t len = compress(p, 1, raw + n / 4 * i, SAMPLE, to, room);
        sum += ZSTD_isError(len) ? SAMPLE : len;
    }
    return sum > 3 * (SAMPLE - SAMPLE / 32);
}

int frame_pack(struct frame_packer *p, const void *raw, size_t n, void *to, size_t *ret_len, struct err *e)
{
    size_t room = frame_bound(n);
    int level =
        p->level > LEVEL_COMPRESSED && is_compressed(p, raw, n, to, room) ? LEVEL_COMPRESSED : p->level;
    size_t len = compress(p, level, raw, n, to, room);
    if (ZSTD_isError(len))
        return err_set(e, ERR_INTERNAL, "cannot compress: %s", ZSTD_getErrorName(len));
    *ret_len = len;
    return 0;
}

struct frame_unpacker *frame_unpacker_new(void)
{
    struct frame_unpacker *u = mem_zeroed(1, sizeof *u);
    u->ctx = ZSTD_createDCtx();
    if (!u->ctx)
        abort();
    return u;
}

void frame_unpacker_delete(struct frame_unpacker *u)
{
    if (!u)
        return;
    ZSTD_freeDCtx(u->ctx);
    free(u);
}

int frame_raw_size(const void *stored, size_t stored_len, size_t limit, size_t *ret, struct err *e)
{
    unsigned long long size = ZSTD_getFrameContentSize(stored, stored_len);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR)
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "a frame does not declare its content size");
    if (size > limit)
        return err_set(e, ERR_BUNDLE_LIMIT, "a frame declares %llu bytes, above its limit of %zu", size,
                       limit);
    *ret = (size_t)size;
    return 0;
}

/* Behind the magic stands the descriptor (RFC 8878, 3.1.1.1), then the window, if any. libzstd would take a
 * dictionary's id of 0, and any window where the content goes straight into memory. */
#define DESCRIPTOR 4
#define DICTIONARY_BITS 0x03
#define SINGLE_SEGMENT 0x20
#define WINDOW_MAX ((LIMIT_WINDOW_LOG - 10) << 3)

static bool has_usual_header(const uint8_t *stored)
{
    uint8_t descriptor = stored[DESCRIPTOR], window = stored[DESCRIPTOR + 1];
    return !(descriptor & DICTIONARY_BITS) && (descriptor & SINGLE_SEGMENT || window <= WINDOW_MAX);
}

int frame_unpack(struct frame_unpacker *u, const void *stored, size_t stored_len, void *raw, size_t raw_len,
                 struct err *e)
{
    size_t declared = 0;
    if (frame_raw_size(stored, stored_len, SIZE_MAX, &declared, e))
        return -1;
    if (declared != raw_len || ZSTD_findFrameCompressedSize(stored, stored_len) != stored_len)
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "a frame has other sizes than the index says");
    if (!has_usual_header(stored)) /* it was long enough to be measured */
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "a frame has a dictionary or a window above 8 MiB");
    size_t len = ZSTD_decompressDCtx(u->ctx, raw, raw_len, stored, stored_len);
    if (ZSTD_isError(len))
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "a frame does not decompress: %s", ZSTD_getErrorName(len));
    if (len != raw_len)
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "a frame decompresses to another size than it declares");
    return 0;
}

/* Reads n bytes within the input and within F0's limit. */
static int measure_read(const struct frame_input *in, void *to, size_t n, uint64_t offset, struct err *e)
{
    if (offset + n > LIMIT_FIRST_FRAME)
        return err_set(e, ERR_NOT_A_BUNDLE, "its first frame is too long");
    if (offset + n > in->size)
        return err_set(e, ERR_BUNDLE_TRUNCATED, "it ends within its first frame");
    return in->read(in->ctx, to, n, offset, e);
}

/* Length of the frame header by its descriptor byte (RFC 8878, 3.1.1.1). */
static size_t frame_header_size(uint8_t descriptor)
{
    static const uint8_t size_bytes[] = {0, 2, 4, 8};
    bool single_segment = descriptor & SINGLE_SEGMENT;
    unsigned size_flag = descriptor >> 6;
    size_t window = single_segment ? 0 : 1,
           size = size_flag == 0 && single_segment ? 1 : size_bytes[size_flag];
    return 4 + 1 + window + size;
}

int frame_measure(const struct frame_input *in, uint64_t *ret_len, struct err *e)
{
    uint8_t start[5], block[3];
    if (in->size < sizeof start)
        return err_set(e, ERR_NOT_A_BUNDLE, "it is empty or too short");
    if (measure_read(in, start, sizeof start, 0, e))
        return -1;
    struct cursor c = {.at = start, .left = sizeof start};
    uint32_t magic = cursor_u32(&c);
    uint8_t descriptor = cursor_u8(&c);
    /* bits 0 and 1: a dictionary; bit 2: a checksum; bit 3: reserved. A writer sets none of them. */
    if (magic != ZSTD_MAGIC || descriptor & 0x0f)
        return err_set(e, ERR_NOT_A_BUNDLE, "it does not begin with a zstd frame of ours");

    uint64_t at = frame_header_size(descriptor);
    for (unsigned blocks = 0; blocks < LIMIT_FIRST_FRAME_BLOCKS; blocks++) {
        if (measure_read(in, block, sizeof block, at, e))
            return -1;
        unsigned type = block[0] >> 1 & 3;
        uint32_t size = ((uint32_t)block[2] << 16 | (uint32_t)block[1] << 8 | block[0]) >> 3;
        if (type == 3)
            return err_set(e, ERR_BUNDLE_DAMAGED, "its first frame has a block of no known type");
        at += sizeof block + (type == 1 ? 1 : size); /* a run-length block stores one byte */
        if (block[0] & 1) {
            if (at > in->size)
                return err_set(e, ERR_BUNDLE_TRUNCATED, "it ends within its first frame");
            *ret_len = at;
            return 0;
        }
    }
    return err_set(e, ERR_NOT_A_BUNDLE, "its first frame has too many blocks");
}

void frame_add_skippable(struct buf *to, const char tag[FRAME_TAG + 1], size_t body_len)
{
    wire_add_u32(to, FRAME_SKIP_MAGIC);
    wire_add_u32(to, (uint32_t)(FRAME_TAG + body_len));
    buf_add(to, tag, FRAME_TAG);
}

bool frame_is_skippable(const uint8_t header[FRAME_SKIP_HEADER + FRAME_TAG], const char tag[FRAME_TAG + 1],
                        uint64_t *ret_len)
{
    struct cursor c = {.at = header, .left = FRAME_SKIP_HEADER + FRAME_TAG};
    uint32_t magic = cursor_u32(&c), len = cursor_u32(&c);
    if (magic != FRAME_SKIP_MAGIC || len < FRAME_TAG || memcmp(c.at, tag, FRAME_TAG))
        return false;
    *ret_len = (uint64_t)FRAME_SKIP_HEADER + len;
    return true;
}
