/* SPDX-License-Identifier: Apache-2.0
 *
 * A layer as the store keeps it (a blob: gzip, zstd or plain tar) read as what the device wants (the tar).
 * The form is told by the first bytes, as Docker does, since media types are not to be relied on. Memory is
 * bounded: zstd's window is capped, and reading stops where more comes out than the limit allows.
 *
 * A content_source, so that members of a bundle or a folder are read straight out of compressed blobs.
 */
#ifndef AIRLOCK_FETCH_LAYER_H
#define AIRLOCK_FETCH_LAYER_H

#include <stdbool.h>

#include "bundle-format/member.h"
#include "store/store.h"

#define LAYER_WINDOW_LOG                                                                                     \
    25 /* zstd: 32 MiB, what level 22 without --long needs at most is 128, usual is 8                        \
        */
/* What a layer may grow to. An honest one grows two to five times; a bomb, a thousand times. */
#define LAYER_GROWTH_MAX 200u
#define LAYER_GROWTH_FREE (256ull << 20) /* bytes that are never called a bomb */
#define LAYER_RAW_MAX (1ull << 40)

struct layer {
    const struct store *store;
    uint8_t blob[HASH_SIZE];
    uint64_t blob_size;
    uint64_t limit; /* bytes of tar; 0: layer_limit() */
};

/* ctx: struct layer. ERR_BAD_IMAGE where the blob does not decompress, ERR_TOO_LARGE beyond the limit. */
extern const struct content_source content_from_layer;

uint64_t layer_limit(uint64_t blob_size);
/* How large the tar will be, as far as the blob itself says; false: it does not say. A guess, to be checked.
 */
bool layer_guess_size(const struct layer *l, uint64_t *ret);

#endif
