/* SPDX-License-Identifier: Apache-2.0
 *
 * What a reader must refuse although somebody who can sign made it on purpose.
 */
#include "small_bundle.h"

static void other_versions_flags_and_algorithms_are_refused(void **state)
{
    (void)state;
    struct parts p;
    write_small_bundle(&p);
    sign_again(&p, 16, 3); /* major 2 */
    parts_write(&p);
    assert_verdict(BUNDLE_VERSION);
    sign_again(&p, 18, 1); /* minor 1 */
    parts_write(&p);
    assert_verdict(BUNDLE_VERSION);
    sign_again(&p, 20, 1);
    parts_write(&p);
    assert_verdict(BUNDLE_FEATURE);
    sign_again(&p, 100, 1); /* reserved */
    parts_write(&p);
    assert_verdict(BUNDLE_DAMAGED);
    sign_again(&p, 0, 0);
    parts_write(&p);
    assert_verdict(NONE);
    close_small_bundle(&p);
}

static void signatures_must_all_hold_and_be_of_different_keys(void **state)
{
    (void)state;
    struct parts p;
    write_small_bundle(&p);
    sign_again(&p, 0, 0);
    AUTO(buf) struct buf entry = {0};
    buf_add(&entry, p.signed_parts.data + HEAD_SIZE + 16, SIGN_ENTRY_SIZE);
    p.signed_parts.data[HEAD_SIZE + 4] = (uint8_t)(FRAME_TAG + 2 * SIGN_ENTRY_SIZE);
    buf_add(&p.signed_parts, entry.data, entry.len);
    parts_write(&p);
    assert_verdict(BUNDLE_SIGNATURE); /* twice the same */
    p.signed_parts.len = HEAD_SIZE + FRAME_SKIP_HEADER + FRAME_TAG;
    p.signed_parts.data[HEAD_SIZE + 4] = FRAME_TAG;
    parts_write(&p);
    assert_verdict(BUNDLE_SIGNATURE); /* none */
    sign_again(&p, 0, 0);
    struct sign_key other;
    static const uint8_t seed[32] = {8};
    sign_key_from_seed(seed, &other);
    memcpy(p.signed_parts.data + HEAD_SIZE + 17, other.public_key, SIGN_PUBLIC_SIZE);
    parts_write(&p);
    assert_verdict(BUNDLE_SIGNATURE); /* in somebody else's name */
    close_small_bundle(&p);
}

static void an_unknown_feature_is_refused(void **state)
{
    (void)state;
    struct parts p;
    write_small_bundle(&p);
    fixture.manifest = "{\"features\":[\"encryption\"]}";
    forge_index(&p);
    assert_verdict(BUNDLE_FEATURE);
    fixture.manifest = "{\"features\":[1]}";
    forge_index(&p);
    assert_verdict(BUNDLE_INCONSISTENT);
    fixture.manifest = "{\"features\":[],\"features\":[]}";
    forge_index(&p);
    assert_verdict(JSON_DUPLICATE_KEY);
    close_small_bundle(&p);
}

static void the_listing_must_be_that_of_the_index(void **state)
{
    (void)state;
    struct parts p;
    AUTO(buf) struct buf slice = {0};
    write_small_bundle(&p);
    p.index.member_count--;
    first_add(&slice, fixture.manifest, strlen(fixture.manifest), &p.index);
    p.index.member_count++;
    buf_clear(&p.first);
    pack_frame(&p.first, slice.data, slice.len);
    sign_again(&p, 0, 0);
    parts_write(&p);
    assert_verdict(BUNDLE_INCONSISTENT);
    close_small_bundle(&p);
}

/* Names of members: what name_check() refuses is refused here. */
static void rename_member(struct parts *p, size_t member, const char *path)
{
    p->index.members[member].path = (uint32_t)p->index.paths.len;
    buf_add(&p->index.paths, path, strlen(path) + 1);
}

static void unsafe_names_are_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {"images/../../etc/passwd",
                                        "/images/x",
                                        "images/A.BIN",
                                        "images/nul",
                                        "images/x.",
                                        "images/a\\b",
                                        "images/-x",
                                        "images/a;b",
                                        "images/A~1.BIN",
                                        "images/\xc3\xb6",
                                        "etc/x",
                                        "images/a.bin/x",
                                        "images/"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct parts p;
        write_small_bundle(&p);
        rename_member(&p, 3, paths[i]);
        forge_index(&p);
        if (verdict() != ERR_UNSAFE_NAME && verdict() != ERR_BUNDLE_INCONSISTENT)
            fail_msg("'%s': %s", paths[i], err_name(verdict()));
        close_small_bundle(&p);
    }
}

/* Changes to the index that must be found, by number. */
static bool change_index(struct index *x, unsigned which)
{
    struct index_frame *payload = &x->frames[x->frame_count - 1];
    switch (which) {
    case 0:
        return payload->offset++, true;
    case 1:
        return payload->stored--, true;
    case 2:
        return payload->raw++, true;
    case 3:
        return payload->volume++, true;
    case 4:
        return x->frames[0].offset++, true;
    case 5:
        return index_add_frame(x, payload), true;
    case 6:
        return x->volumes[1].bytes++, true;
    case 7:
        return x->volumes[1].number++, true;
    case 8:
        return x->volumes[0].id[0]++, true;
    case 9:
        return x->volume_count--, true;
    case 10:
        return index_add_volume(x, &x->volumes[1]), true;
    case 11:
        return x->contents[1].offset++, true;
    case 12:
        return x->contents[1].frame++, true;
    case 13:
        return x->contents[1].size++, true;
    case 14:
        return x->contents[1].sha256[0]++, true;
    case 15:
        return index_add_content(x, &x->contents[0]), true;
    case 16:
        return x->members[1].size++, true;
    case 17:
        return x->members[1].sha256[0]++, true;
    case 18:
        return x->refs[1] = 3, true;
    case 19:
        return x->refs[4] = 77, true;
    case 20:
        return x->members[1].path = x->members[2].path, true;
    case 21:
        return x->members[0].path = x->members[1].path, true;
    case 22:
        return x->members[3].size = UINT64_MAX, true;
    case 23:
        return x->contents[0].size = UINT64_MAX - 23, true;
    case 24:
        return payload->raw = 0, true;
    case 25:
        return x->frame_count--, true;
    case 26:
        return payload->raw = UINT32_MAX, true;
    default:
        return false;
    }
}

static void an_index_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    bool more = true;
    for (unsigned which = 0; more; which++) {
        struct parts p;
        write_small_bundle(&p);
        more = change_index(&p.index, which);
        forge_index(&p);
        enum err_id id = verdict();
        if (more && id != ERR_BUNDLE_INCONSISTENT && id != ERR_BUNDLE_LIMIT)
            fail_msg("change %u: %s", which, err_name(id));
        if (!more)
            assert_int_equal(id, ERR_NONE);
        close_small_bundle(&p);
    }
}

/* Replaces the payload's only frame by one of these bytes, with its right hash and length in the index. */
static void replace_payload(struct parts *p, const struct buf *raw)
{
    struct index_frame *f = &p->index.frames[p->index.frame_count - 1];
    AUTO(buf) struct buf frame = {0};
    pack_frame(&frame, raw->data, raw->len);
    p->payload.len = VOLUME_SIZE;
    buf_add(&p->payload, frame.data, frame.len);
    f->stored = (uint32_t)frame.len;
    hash_of(frame.data, frame.len, f->sha256);
    p->index.volumes[1].bytes = p->payload.len;
    forge_index(p);
}

static void unpack_payload(const struct parts *p, struct buf *ret)
{
    const struct index_frame *f = &p->index.frames[p->index.frame_count - 1];
    struct err e;
    struct frame_unpacker *unpacker = frame_unpacker_new();
    assert_return_code(
        frame_unpack(unpacker, p->payload.data + f->offset, f->stored, buf_reserve(ret, f->raw), f->raw, &e),
        0);
    ret->len = f->raw;
    frame_unpacker_delete(unpacker);
}

static void a_tar_stream_that_disagrees_with_the_index_is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        enum err_id id;
    } cases[] = {
        {0, ERR_BUNDLE_INCONSISTENT},    /* the name in a header */
        {156, ERR_BUNDLE_INCONSISTENT},  /* its type: a link, a device */
        {100, ERR_BUNDLE_INCONSISTENT},  /* its mode */
        {512, ERR_WRONG_HASH},           /* content */
        {600, ERR_BUNDLE_INCONSISTENT},  /* padding */
        {1536, ERR_WRONG_HASH},          /* a content of several */
        {4095, ERR_BUNDLE_INCONSISTENT}, /* the end */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct parts p;
        AUTO(buf) struct buf raw = {0};
        write_small_bundle(&p);
        unpack_payload(&p, &raw);
        assert_int_equal(raw.len, 4096);
        raw.data[cases[i].at] ^= 1;
        replace_payload(&p, &raw);
        if (verdict() != cases[i].id)
            fail_msg("byte %zu: %s", cases[i].at, err_name(verdict()));
        assert_copy_is_refused();
        close_small_bundle(&p);
    }
}

/* A payload of nothing but content, of which members and index know less than there is. */
static void a_frame_larger_than_it_says_stops_at_the_size_it_said(void **state)
{
    (void)state;
    struct parts p;
    AUTO(buf) struct buf bomb = {0};
    size_t bytes;
    write_small_bundle(&p);
    unpack_payload(&p, &bomb);
    memset(buf_reserve(&bomb, 64u << 20), 0, 64u << 20); /* behind what is right */
    bomb.len = 64u << 20;
    replace_payload(&p, &bomb); /* the index goes on saying 4 096 bytes */
    assert_verdict(BUNDLE_INCONSISTENT);
    assert_int_equal(extract(&bytes), ERR_BUNDLE_INCONSISTENT);
    assert_int_equal(bytes, 24); /* the metadata: not one byte of the frame */
    /* the same with a frame header that lies as well */
    p.payload.data[VOLUME_SIZE + 4] = 0x60; /* single segment, two bytes of size: 256 + 3840 */
    p.payload.data[VOLUME_SIZE + 5] = 0x00;
    p.payload.data[VOLUME_SIZE + 6] = 0x0f;
    struct index_frame *f = &p.index.frames[p.index.frame_count - 1];
    hash_of(p.payload.data + VOLUME_SIZE, f->stored, f->sha256);
    forge_index(&p);
    assert_verdict(BUNDLE_INCONSISTENT);
    assert_int_equal(extract(&bytes), ERR_BUNDLE_INCONSISTENT);
    assert_int_equal(bytes, 24);
    close_small_bundle(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_versions_flags_and_algorithms_are_refused),
        cmocka_unit_test(signatures_must_all_hold_and_be_of_different_keys),
        cmocka_unit_test(an_unknown_feature_is_refused),
        cmocka_unit_test(the_listing_must_be_that_of_the_index),
        cmocka_unit_test(unsafe_names_are_refused),
        cmocka_unit_test(an_index_that_contradicts_itself_is_refused),
        cmocka_unit_test(a_tar_stream_that_disagrees_with_the_index_is_refused),
        cmocka_unit_test(a_frame_larger_than_it_says_stops_at_the_size_it_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
