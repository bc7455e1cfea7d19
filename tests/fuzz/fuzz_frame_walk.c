/* SPDX-License-Identifier: Apache-2.0
 *
 * The first frame of a bundle, which is walked over before anything is known to be genuine. libzstd's own
 * walk must come to the same end, and what unpacks must stay within the size that it declares.
 */
#include <string.h>
#include <zstd.h>

#include "base/mem.h"
#include "bundle-format/frame.h"
#include "bundle-format/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define RAW_MAX (1u << 20) /* of what is unpacked here */
#define DESCRIPTOR 4u      /* place of the byte that tells of dictionary, checksum and a reserved bit */

static int read_bytes(void *ctx, void *to, size_t n, uint64_t offset, struct err *e)
{
    (void)e;
    memcpy(to, (const uint8_t *)ctx + offset, n);
    return 0;
}

/* Does libzstd find a whole frame there, of the kind that F0 may be? */
static bool is_frame(const uint8_t *bytes, size_t len, size_t *ret_len)
{
    *ret_len = ZSTD_findFrameCompressedSize(bytes, len);
    return !ZSTD_isError(*ret_len) && !memcmp(bytes, "\x28\xb5\x2f\xfd", DESCRIPTOR) &&
           !(bytes[DESCRIPTOR] & 0x0f);
}

static void unpack(const uint8_t *bytes, size_t len)
{
    struct err e;
    size_t raw_len;
    if (frame_raw_size(bytes, len, RAW_MAX, &raw_len, &e))
        return;
    struct frame_unpacker *unpacker = frame_unpacker_new();
    AUTO_FREE uint8_t *raw = mem_zeroed(raw_len ? raw_len : 1, 1); /* the sanitizer guards its end */
    if (frame_unpack(unpacker, bytes, len, raw, raw_len, &e) && e.id != ERR_BUNDLE_INCONSISTENT)
        __builtin_trap();
    frame_unpacker_delete(unpacker);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct frame_input in = {.read = read_bytes, .ctx = (void *)(uintptr_t)bytes, .size = len};
    uint64_t measured = 0;
    size_t theirs;
    struct err e;
    bool ours = frame_measure(&in, &measured, &e) == 0;
    bool zstd = is_frame(bytes, len, &theirs);
    if (ours && (measured > len || (zstd && measured != theirs)))
        __builtin_trap();
    if (zstd && !ours &&
        len < 3 * LIMIT_FIRST_FRAME_BLOCKS) /* fewer blocks than the limit, at 3 bytes each */
        __builtin_trap();
    if (ours)
        unpack(bytes, (size_t)measured);
    return 0;
}
