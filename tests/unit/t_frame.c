/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_fixture.h"

#include "bundle-format/frame.h"
#include "bundle-format/limits.h"

static void pack(struct buf *to, const struct buf *raw, int level)
{
    struct err e;
    size_t len;
    struct frame_packer *packer = frame_packer_new(level);
    assert_return_code(
        frame_pack(packer, raw->data, raw->len, buf_reserve(to, frame_bound(raw->len)), &len, &e), 0);
    to->len += len;
    frame_packer_delete(packer);
}

static int unpack(const struct buf *stored, size_t raw_len, struct err *e)
{
    struct frame_unpacker *unpacker = frame_unpacker_new();
    AUTO_FREE uint8_t *raw = mem_zeroed(raw_len, 1);
    int rc = frame_unpack(unpacker, stored->data, stored->len, raw, raw_len, e);
    frame_unpacker_delete(unpacker);
    return rc;
}

static void text(struct buf *to, size_t n)
{
    for (unsigned i = 0; to->len < n; i++)
        buf_addf(to, "line %u of a text\n", i);
    to->len = n;
}

static void a_frame_unpacks_to_its_own_size_only(void **state)
{
    (void)state;
    AUTO(buf) struct buf raw = {0}, stored = {0};
    struct err e;
    text(&raw, 100000);
    pack(&stored, &raw, 3);
    assert_return_code(unpack(&stored, 100000, &e), 0);
    assert_int_equal(unpack(&stored, 100001, &e), -1);
    assert_int_equal(e.id, ERR_BUNDLE_INCONSISTENT);
    assert_int_equal(unpack(&stored, 99999, &e), -1);
    assert_int_equal(e.id, ERR_BUNDLE_INCONSISTENT);
    buf_add_char(&stored, 'x');
    assert_int_equal(unpack(&stored, 100000, &e), -1);
    assert_int_equal(e.id, ERR_BUNDLE_INCONSISTENT);
    stored.len -= 2;
    assert_int_equal(unpack(&stored, 100000, &e), -1);
    assert_int_equal(e.id, ERR_BUNDLE_INCONSISTENT);
}

/* A frame of run-length blocks, each 128 KiB out of four bytes, that declares `declared` bytes in all. */
static void make_bomb(struct buf *to, uint16_t declared, unsigned blocks)
{
    static const uint8_t start[] = {0x28, 0xb5, 0x2f, 0xfd, 0x60}; /* single segment, two bytes of size */
    buf_add(to, start, sizeof start);
    buf_add_char(to, (char)(declared - 256));
    buf_add_char(to, (char)((declared - 256) >> 8));
    for (unsigned i = 0; i < blocks; i++) {
        uint32_t block = 128u << 10 << 3 | 1u << 1 | (i + 1 == blocks);
        for (unsigned at = 0; at < 3; at++)
            buf_add_char(to, (char)(block >> 8 * at));
        buf_add_char(to, 'x');
    }
}

/* Nothing is written behind the size that a frame declares. The bytes there are ours, so that this also shows
 * without a sanitizer. */
static void a_bomb_stops_at_the_declared_size(void **state)
{
    (void)state;
    AUTO(buf) struct buf bomb = {0};
    uint8_t raw[4096 + 4096];
    struct err e;
    make_bomb(&bomb, 4096, 8192); /* a gibibyte */
    struct frame_unpacker *unpacker = frame_unpacker_new();
    memset(raw, 0xa5, sizeof raw);
    assert_int_equal(frame_unpack(unpacker, bomb.data, bomb.len, raw, 4096, &e), -1);
    assert_non_null(strstr(e.message, "does not decompress")); /* it was begun */
    for (size_t i = 4096; i < sizeof raw; i++)
        assert_int_equal(raw[i], 0xa5);
    frame_unpacker_delete(unpacker);
}

static void what_is_compressed_already_costs_no_more_than_its_blocks(void **state)
{
    (void)state;
    AUTO(buf) struct buf raw = {0}, stored = {0}, again = {0};
    fixture_noise(&raw, 1u << 20, 5);
    pack(&stored, &raw, 19);
    pack(&again, &raw, 1);
    assert_in_range(stored.len, raw.len, raw.len + 64);
    assert_int_equal(stored.len, again.len); /* found out, and not tried at level 19 */
    assert_memory_equal(stored.data, again.data, again.len);
}

static int read_bytes(void *ctx, void *to, size_t n, uint64_t offset, struct err *e)
{
    (void)e;
    memcpy(to, (const uint8_t *)ctx + offset, n);
    return 0;
}

static void a_frame_is_measured_without_unpacking_it(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 255, 256, 65791, 65792, 131072, 131073, 700000};
    for (size_t i = 0; i < 2 * COUNT_OF(sizes); i++) {
        AUTO(buf) struct buf raw = {0}, stored = {0};
        struct err e;
        uint64_t len;
        if (i % 2)
            fixture_noise(&raw, sizes[i / 2], i);
        else
            text(&raw, sizes[i / 2]);
        pack(&stored, &raw, 9);
        size_t frame = stored.len;
        buf_add_text(&stored, "what follows");
        struct frame_input in = {.read = read_bytes, .ctx = stored.data, .size = stored.len};
        assert_return_code(frame_measure(&in, &len, &e), 0);
        assert_int_equal(len, frame);
        in.size = frame - 1;
        assert_int_equal(frame_measure(&in, &len, &e), -1);
        assert_int_equal(e.id, ERR_BUNDLE_TRUNCATED);
    }
}

static void the_memory_of_a_packer_is_known_before(void **state)
{
    (void)state;
    assert_in_range(frame_packer_memory(3, MIB(1)), 500000, MIB(4));
    assert_true(frame_packer_memory(19, MIB(1)) > frame_packer_memory(3, MIB(1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_unpacks_to_its_own_size_only),
        cmocka_unit_test(a_bomb_stops_at_the_declared_size),
        cmocka_unit_test(what_is_compressed_already_costs_no_more_than_its_blocks),
        cmocka_unit_test(a_frame_is_measured_without_unpacking_it),
        cmocka_unit_test(the_memory_of_a_packer_is_known_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
