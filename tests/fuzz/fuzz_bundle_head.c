/* SPDX-License-Identifier: Apache-2.0
 *
 * H and V, the two parts of a bundle with fixed sizes: what is taken is, byte for byte, what is written.
 */
#include <string.h>

#include "bundle-format/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
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
        if (again.len != HEAD_SIZE || memcmp(again.data, padded, HEAD_SIZE))
            __builtin_trap();
    }
    if (head_parse_volume(padded, &volume, &e) == 0) {
        AUTO(buf) struct buf again = {0};
        head_add_volume(&again, &volume);
        if (again.len != VOLUME_SIZE || memcmp(again.data, padded, VOLUME_SIZE))
            __builtin_trap();
    }
    return 0;
}
