/* SPDX-License-Identifier: Apache-2.0
 *
 * An index by somebody who can sign: the input is its blocks as they are before compression, each as table
 * u8, records u16, length u16, bytes; the harness packs and hashes them. What index_check() takes must come
 * back the same after being written again.
 */
#include <string.h>

#include "bundle-format/frame.h"
#include "bundle-format/index.h"
#include "bundle-format/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define BLOCKS_MAX 16

static void add_block(struct cursor *c, struct buf *directory, struct buf *blocks)
{
    uint8_t table = cursor_u8(c), digest[HASH_SIZE];
    uint16_t records = cursor_u16(c), wanted = cursor_u16(c);
    size_t raw_len = wanted < c->left ? wanted : c->left, stored;
    const uint8_t *raw = cursor_take(c, raw_len);
    struct err e;
    if (!raw)
        return;
    struct frame_packer *packer = frame_packer_new(1);
    uint8_t *to = buf_reserve(blocks, frame_bound(raw_len));
    if (frame_pack(packer, raw, raw_len, to, &stored, &e))
        __builtin_trap();
    frame_packer_delete(packer);
    blocks->len += stored;
    hash_of(to, stored, digest);
    buf_add_char(directory, (char)table);
    wire_add_zeros(directory, 3);
    wire_add_u32(directory, records);
    wire_add_u32(directory, (uint32_t)stored);
    wire_add_u32(directory, (uint32_t)raw_len);
    buf_add(directory, digest, HASH_SIZE);
}

static void write_again(const struct index *x)
{
    AUTO(buf) struct buf first = {0}, second = {0};
    AUTO(index) struct index again = {0};
    struct err e;
    if (index_encode(x, &first, &e) || index_decode(first.data, first.len, &again, &e) ||
        index_check(&again, &e) || index_encode(&again, &second, &e))
        __builtin_trap();
    if (first.len != second.len || memcmp(first.data, second.data, first.len))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(buf) struct buf directory = {0}, blocks = {0}, whole = {0};
    AUTO(index) struct index x = {0};
    struct cursor c = {.at = bytes, .left = len};
    uint32_t count = 0;
    struct err e;
    for (; count < BLOCKS_MAX && c.left > 0 && !c.failed; count++)
        add_block(&c, &directory, &blocks);
    frame_add_skippable(&whole, INDEX_TAG, 8 + directory.len + blocks.len);
    wire_add_u32(&whole, c.failed ? count - 1 : count);
    wire_add_zeros(&whole, 4);
    buf_add(&whole, directory.data, directory.len);
    buf_add(&whole, blocks.data, blocks.len);
    if (index_decode(whole.data, whole.len, &x, &e) == 0 && index_check(&x, &e) == 0)
        write_again(&x);
    return 0;
}
