/* SPDX-License-Identifier: Apache-2.0
 *
 * The small parts of a bundle, each from the same bytes: the walk over F0, H, S, V, the header of the
 * manifest in the tar slice of F0, and that slice against an empty index.
 */
#include <string.h>

#include "bundle-format/first.h"
#include "bundle-format/frame.h"
#include "bundle-format/head.h"
#include "bundle-format/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static int read_bytes(void *ctx, void *to, size_t n, uint64_t offset, struct err *e)
{
    (void)e;
    memcpy(to, (const uint8_t *)ctx + offset, n);
    return 0;
}

static void try_fixed_sizes(const uint8_t *bytes, size_t len)
{
    uint8_t padded[HEAD_SIZE] = {0};
    struct head head;
    struct volume_id volume;
    struct err e;
    if (len)
        memcpy(padded, bytes, len < sizeof padded ? len : sizeof padded);
    if (head_parse(padded, &head, &e) == 0) {
        AUTO(buf) struct buf again = {0};
        head_add(&again, &head);
        if (memcmp(again.data, padded, HEAD_SIZE))
            __builtin_trap();
    }
    if (head_parse_volume(padded, &volume, &e) == 0) {
        AUTO(buf) struct buf again = {0};
        head_add_volume(&again, &volume);
        if (memcmp(again.data, padded, VOLUME_SIZE))
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct frame_input in = {.read = read_bytes, .ctx = (void *)(uintptr_t)bytes, .size = len};
    struct head_digests digests = {0};
    struct head_signatures signatures;
    struct index nothing = {0};
    const uint8_t *manifest;
    uint64_t measured;
    size_t manifest_len;
    bool shared;
    struct err e;
    if (frame_measure(&in, &measured, &e) == 0 && measured > len)
        __builtin_trap();
    try_fixed_sizes(bytes, len);
    if (head_check_signatures(bytes, len, &digests, &signatures, &e) == 0)
        head_signatures_free(&signatures);
    if (first_manifest(bytes, len, &manifest, &manifest_len, &e) == 0 &&
        first_check(bytes, len, manifest, manifest_len, &nothing, &e) == 0 &&
        manifest_check(manifest, manifest_len, &shared, &e) == 0 && manifest_len > len)
        __builtin_trap();
    return 0;
}
