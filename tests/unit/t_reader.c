/* SPDX-License-Identifier: Apache-2.0
 *
 * What a reader refuses of damaged files, and what it says of a good one.
 */
#include "small_bundle.h"

static void flip_bit(const char *name, struct buf *content, size_t bit)
{
    content->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    write_file(name, content->data, content->len);
}

/* One bit of that byte. */
static void flip(const char *name, struct buf *content, size_t at)
{
    flip_bit(name, content, 8 * at + at % 8);
}

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct parts parts;
    size_t bytes;
    static const char *const names[] = {FIXTURE_NAME, PAYLOAD_NAME};
    write_small_bundle(&parts);
    assert_verdict(NONE);
    assert_int_equal(extract(&bytes), ERR_NONE);
    assert_int_equal(bytes, 24 + 15 + 6 + 15);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO(buf) struct buf content = {0};
        read_file(names[i], &content);
        for (size_t bit = 0; bit < 8 * content.len; bit++) {
            flip_bit(names[i], &content, bit);
            if (err_exit_code(verdict()) != EXIT_REFUSED || err_exit_code(extract(&bytes)) != EXIT_REFUSED)
                fail_msg("%s: bit %zu of byte %zu flipped: %s", names[i], bit % 8, bit / 8,
                         err_name(verdict()));
            flip_bit(names[i], &content, bit);
        }
    }
    assert_verdict(NONE);
    close_small_bundle(&parts);
}

static void damage_to_each_part_has_its_id(void **state)
{
    (void)state;
    struct parts p;
    write_small_bundle(&p);
    size_t h = p.first.len, s = h + HEAD_SIZE, i = h + p.signed_parts.len, m = i + p.index_bytes.len;
    const struct {
        size_t at;
        enum err_id id;
    } cases[] = {
        {0, ERR_NOT_A_BUNDLE},          {h - 20, ERR_BUNDLE_DAMAGED},   {h + 9, ERR_NOT_A_BUNDLE},
        {h + 16, ERR_BUNDLE_VERSION},   {h + 20, ERR_BUNDLE_FEATURE},   {h + 30, ERR_BUNDLE_DAMAGED},
        {h + 50, ERR_BUNDLE_SIGNATURE}, {h + 100, ERR_BUNDLE_DAMAGED},  {s + 9, ERR_BUNDLE_DAMAGED},
        {s + 16, ERR_BUNDLE_FEATURE},   {s + 20, ERR_BUNDLE_SIGNATURE}, {i - 1, ERR_BUNDLE_SIGNATURE},
        {i + 9, ERR_BUNDLE_DAMAGED},    {m - 1, ERR_BUNDLE_DAMAGED},    {m + 12, ERR_BUNDLE_DAMAGED},
    };
    AUTO(buf) struct buf head = {0};
    read_file(FIXTURE_NAME, &head);
    for (size_t c = 0; c < COUNT_OF(cases); c++) {
        flip(FIXTURE_NAME, &head, cases[c].at);
        if (verdict() != cases[c].id)
            fail_msg("byte %zu: %s instead of %s", cases[c].at, err_name(verdict()), err_name(cases[c].id));
        flip(FIXTURE_NAME, &head, cases[c].at);
    }
    flip(PAYLOAD_NAME, &p.payload, 8);
    assert_verdict(BUNDLE_DAMAGED);
    flip(PAYLOAD_NAME, &p.payload, 8);
    flip(PAYLOAD_NAME, &p.payload, 20);
    assert_verdict(VOLUME_FOREIGN);
    flip(PAYLOAD_NAME, &p.payload, 20);
    flip(PAYLOAD_NAME, &p.payload, 90);
    assert_verdict(BUNDLE_DAMAGED);
    close_small_bundle(&p);
}

static void a_bundle_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct parts p;
    AUTO(buf) struct buf head = {0};
    write_small_bundle(&p);
    read_file(FIXTURE_NAME, &head);
    for (size_t len = 0; len < head.len; len++) {
        enum err_id expected = len < 5 || len == p.first.len ? ERR_NOT_A_BUNDLE : ERR_BUNDLE_TRUNCATED;
        write_file(FIXTURE_NAME, head.data, len);
        if (verdict() != expected)
            fail_msg("head of %zu bytes: %s", len, err_name(verdict()));
    }
    write_file(FIXTURE_NAME, head.data, head.len);
    for (size_t len = 0; len < p.payload.len; len++) {
        write_file(PAYLOAD_NAME, p.payload.data, len);
        assert_verdict(BUNDLE_TRUNCATED);
    }
    close_small_bundle(&p);
}

static void bytes_that_follow_the_end_are_refused(void **state)
{
    (void)state;
    struct parts p;
    AUTO(buf) struct buf whole = {0};
    write_small_bundle(&p);
    buf_add_char(&p.payload, '\0');
    write_file(PAYLOAD_NAME, p.payload.data, p.payload.len);
    assert_verdict(BUNDLE_DAMAGED);
    read_file(FIXTURE_NAME, &whole);
    size_t head_len = whole.len;
    buf_add(&whole, p.payload.data, p.payload.len - 1);
    write_file(FIXTURE_NAME, whole.data, whole.len);
    assert_verdict(NONE);
    buf_add_char(&whole, '\0');
    write_file(FIXTURE_NAME, whole.data, whole.len);
    assert_verdict(BUNDLE_DAMAGED);
    write_file(FIXTURE_NAME, whole.data, whole.len - 2);
    assert_verdict(BUNDLE_TRUNCATED);
    assert_return_code(unlinkat(fixture.dirfd, PAYLOAD_NAME, 0), 0);
    write_file(FIXTURE_NAME, whole.data, head_len);
    assert_verdict(VOLUME_MISSING);
    close_small_bundle(&p);
}

static void a_volume_of_another_bundle_is_called_foreign(void **state)
{
    (void)state;
    struct parts p;
    AUTO(buf) struct buf head = {0};
    static const struct bundle_options quick = {.keep_cache = true};
    write_small_bundle(&p);
    read_file(FIXTURE_NAME, &head);
    fixture_add(&fixture, "images/d.bin", "more", 4);
    fixture_write(&fixture, &quick);
    write_file(FIXTURE_NAME, head.data, head.len);
    assert_verdict(VOLUME_FOREIGN);
    /* as after a crash between the rename of the head and that of the volume */
    write_file(PAYLOAD_NAME ".new", p.payload.data, p.payload.len);
    assert_verdict(NONE);
    close_small_bundle(&p);
}

static void other_files_are_not_bundles(void **state)
{
    (void)state;
    struct parts p;
    AUTO(buf) struct buf frames = {0}, noise = {0};
    write_small_bundle(&p);
    fixture_noise(&noise, 1000, 4);
    write_file(FIXTURE_NAME, noise.data, noise.len);
    assert_verdict(NOT_A_BUNDLE);
    pack_frame(&frames, noise.data, noise.len);
    write_file(FIXTURE_NAME, frames.data, frames.len);
    assert_verdict(NOT_A_BUNDLE);
    pack_frame(&frames, noise.data, noise.len);
    write_file(FIXTURE_NAME, frames.data, frames.len);
    assert_verdict(NOT_A_BUNDLE);
    close_small_bundle(&p);
}

static void what_the_signature_says_can_be_asked(void **state)
{
    (void)state;
    struct parts p;
    uint64_t stored, raw;
    size_t len;
    write_small_bundle(&p);
    struct bundle *b = fixture_open_bundle(&fixture);
    assert_int_equal(bundle_signature_count(b), 1);
    struct bundle_signature s = bundle_signature_at(b, 0);
    assert_string_equal(s.comment, "written by a test");
    assert_memory_equal(s.public_key, fixture.key.public_key, SIGN_PUBLIC_SIZE);
    assert_memory_equal(bundle_manifest(b, &len), fixture.manifest, strlen(fixture.manifest));
    assert_int_equal(len, strlen(fixture.manifest));
    bundle_sizes(b, &stored, &raw);
    assert_int_equal(raw, 24 + 15 + 6 + 15);
    assert_int_equal(stored,
                     p.first.len + p.signed_parts.len + p.index_bytes.len + p.metadata.len + p.payload.len);
    bundle_close(b);
    close_small_bundle(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(damage_to_each_part_has_its_id),
        cmocka_unit_test(a_bundle_cut_anywhere_is_refused),
        cmocka_unit_test(bytes_that_follow_the_end_are_refused),
        cmocka_unit_test(a_volume_of_another_bundle_is_called_foreign),
        cmocka_unit_test(other_files_are_not_bundles),
        cmocka_unit_test(what_the_signature_says_can_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
