/* SPDX-License-Identifier: Apache-2.0
 *
 * What a reader must refuse. Damage is done to files; what a signer could have done on purpose is made by
 * taking a bundle apart, changing a part and signing it again.
 */
#include "bundle_fixture.h"

#include "bundle-format/first.h"
#include "bundle-format/head.h"
#include "bundle-format/index.h"

static struct fixture fixture; /* too large for a stack */
#define PAYLOAD_NAME FIXTURE_NAME ".001"

/* ---- a small bundle, taken apart ---- */

struct parts {
    struct buf first, signed_parts, index_bytes, metadata; /* F0; H and S; I; M: as stored */
    struct buf payload;                                    /* V and P */
    struct index index;
};

static void parts_free(struct parts *p)
{
    buf_free(&p->first);
    buf_free(&p->signed_parts);
    buf_free(&p->index_bytes);
    buf_free(&p->metadata);
    buf_free(&p->payload);
    index_free(&p->index);
}

static void read_file(const char *name, struct buf *ret)
{
    struct err e;
    assert_return_code(fs_read_at(fixture.dirfd, name, 16u << 20, ret, &e), 0);
}

static void write_file(const char *name, const void *bytes, size_t n)
{
    struct err e;
    assert_return_code(fs_replace_at(fixture.dirfd, name, bytes, n, 0644, &e), 0);
}

static int read_bytes(void *ctx, void *to, size_t n, uint64_t offset, struct err *e)
{
    (void)e;
    memcpy(to, (const uint8_t *)ctx + offset, n);
    return 0;
}

/* Length of the skippable frame at `at`. */
static size_t skippable_len(const uint8_t *at, const char *tag)
{
    uint64_t len;
    assert_true(frame_is_skippable(at, tag, &len));
    return (size_t)len;
}

static void parts_read(struct parts *p)
{
    AUTO(buf) struct buf head = {0};
    struct err e;
    uint64_t first;
    read_file(FIXTURE_NAME, &head);
    read_file(PAYLOAD_NAME, &p->payload);
    struct frame_input in = {.read = read_bytes, .ctx = head.data, .size = head.len};
    assert_return_code(frame_measure(&in, &first, &e), 0);
    const uint8_t *at = head.data;
    buf_add(&p->first, at, (size_t)first);
    at += first;
    size_t signed_len = HEAD_SIZE + skippable_len(at + HEAD_SIZE, SIGN_TAG);
    buf_add(&p->signed_parts, at, signed_len);
    at += signed_len;
    buf_add(&p->index_bytes, at, skippable_len(at, INDEX_TAG));
    at += p->index_bytes.len;
    buf_add(&p->metadata, at, (size_t)(head.data + head.len - at));
    assert_return_code(index_decode(p->index_bytes.data, p->index_bytes.len, &p->index, &e), 0);
}

static void parts_write(const struct parts *p)
{
    AUTO(buf) struct buf head = {0};
    buf_add(&head, p->first.data, p->first.len);
    buf_add(&head, p->signed_parts.data, p->signed_parts.len);
    buf_add(&head, p->index_bytes.data, p->index_bytes.len);
    buf_add(&head, p->metadata.data, p->metadata.len);
    write_file(FIXTURE_NAME, head.data, head.len);
    write_file(PAYLOAD_NAME, p->payload.data, p->payload.len);
}

/* One frame of these bytes. */
static void pack_frame(struct buf *to, const void *raw, size_t n)
{
    struct err e;
    size_t len;
    struct frame_packer *packer = frame_packer_new(3);
    assert_return_code(frame_pack(packer, raw, n, buf_reserve(to, frame_bound(n)), &len, &e), 0);
    to->len += len;
    frame_packer_delete(packer);
}

/* H, with H's bytes changed as wanted, and S over it. */
static void sign_again(struct parts *p, size_t change_at, uint8_t change)
{
    struct head head;
    struct head_digests digests;
    struct err e;
    hash_of(p->first.data, p->first.len, head.first_frame);
    hash_of(p->index_bytes.data, p->index_bytes.len, digests.index);
    memcpy(head.bundle_id, digests.index, BUNDLE_ID_SIZE);
    buf_clear(&p->signed_parts);
    head_add(&p->signed_parts, &head);
    p->signed_parts.data[change_at] ^= change;
    hash_of(p->signed_parts.data, HEAD_SIZE, digests.head);
    assert_return_code(head_add_signature(&p->signed_parts, &digests, &fixture.key, "", &e), 0);
}

/* Encodes the changed index and lists it in F0, so that only the index itself can be wrong. */
static void forge_index(struct parts *p)
{
    AUTO(buf) struct buf slice = {0};
    struct err e;
    buf_clear(&p->index_bytes);
    assert_return_code(index_encode(&p->index, &p->index_bytes, &e), 0);
    first_add(&slice, fixture.manifest, strlen(fixture.manifest), &p->index);
    buf_clear(&p->first);
    pack_frame(&p->first, slice.data, slice.len);
    sign_again(p, 0, 0);
    parts_write(p);
}

static void write_small_bundle(struct parts *ret)
{
    static const struct bundle_options quick = {.keep_cache = true};
    fixture_open(&fixture);
    fixture_add(&fixture, "metadata/director/1.root.json", "{\"signed\":{\"version\":1}}", 24);
    fixture_add(&fixture, "images/a.bin", "the first image", 15);
    fixture_add(&fixture, "images/b.tar", "one", 3);
    fixture_join(&fixture, "two", 3);
    fixture_add(&fixture, "images/c.bin", "the first image", 15);
    fixture_write(&fixture, &quick);
    *ret = (struct parts){0};
    parts_read(ret);
}

static void close_small_bundle(struct parts *p)
{
    parts_free(p);
    fixture_close(&fixture);
}

/* What opening and checking says: ERR_NONE when the bundle is good. */
static enum err_id verdict(void)
{
    struct bundle *b;
    struct err e = {0};
    if (bundle_open(fixture.dirfd, FIXTURE_NAME, &b, &e))
        return e.id;
    int rc = bundle_check(b, 1, NULL, &e);
    bundle_close(b);
    return rc ? e.id : ERR_NONE;
}

/* What does not pass the check is not copied either, and leaves nothing. */
static void assert_copy_is_refused(void)
{
    struct bundle *b;
    struct err e;
    struct stat st;
    const struct medium medium = medium_posix(&fixture.dirfd);
    assert_int_equal(bundle_open(fixture.dirfd, FIXTURE_NAME, &b, &e), 0);
    assert_int_equal(bundle_copy(b, &medium, "copy.lockbox", BUNDLE_AS_IT_IS, NULL, &e), -1);
    assert_int_equal(err_exit_code(e.id), EXIT_REFUSED);
    bundle_close(b);
    assert_int_equal(fstatat(fixture.dirfd, "copy.lockbox", &st, 0), -1);
    assert_int_equal(fstatat(fixture.dirfd, "copy.lockbox.001", &st, 0), -1);
}

#define assert_verdict(id) assert_string_equal(err_name(verdict()), err_name(ERR_##id))

/* ---- damage ---- */

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

/* What an extraction left in the folder "out" begins as the member does; returns its size. */
static size_t assert_right_as_far_as_it_goes(int out, const struct member *m)
{
    AUTO(buf) struct buf expected = {0}, file = {0};
    struct err e;
    for (size_t c = 0; c < m->content_count; c++) {
        const struct content_bytes *part = m->contents[c].ctx;
        buf_add(&expected, part->bytes, part->len);
    }
    if (fs_read_at(out, m->path, expected.len, &file, &e)) {
        assert_int_equal(e.id, ERR_NO_SUCH_PATH); /* it did not get there */
        return 0;
    }
    assert_memory_equal(file.data, expected.data, file.len);
    return file.len;
}

/* Extracts the bundle; no byte that comes out is wrong, whatever was refused. *ret_bytes: how many came. */
static enum err_id extract(size_t *ret_bytes)
{
    struct bundle *b;
    struct err e = {0}, ignored;
    AUTO_FD int out = -1;
    *ret_bytes = 0;
    if (bundle_open(fixture.dirfd, FIXTURE_NAME, &b, &e))
        return e.id;
    assert_return_code(fs_open_dir_at(fixture.dirfd, "out", true, &out, &ignored), 0);
    int rc = bundle_extract(b, out, 1, NULL, &e);
    bundle_close(b);
    for (size_t i = 0; i < fixture.member_count; i++)
        *ret_bytes += assert_right_as_far_as_it_goes(out, &fixture.members[i]);
    assert_return_code(fs_remove_at(fixture.dirfd, "out", &ignored), 0);
    return rc ? e.id : ERR_NONE;
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

/* ---- forgeries by somebody who can sign ---- */

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
        cmocka_unit_test(other_versions_flags_and_algorithms_are_refused),
        cmocka_unit_test(signatures_must_all_hold_and_be_of_different_keys),
        cmocka_unit_test(an_unknown_feature_is_refused),
        cmocka_unit_test(the_listing_must_be_that_of_the_index),
        cmocka_unit_test(unsafe_names_are_refused),
        cmocka_unit_test(an_index_that_contradicts_itself_is_refused),
        cmocka_unit_test(a_tar_stream_that_disagrees_with_the_index_is_refused),
        cmocka_unit_test(a_frame_larger_than_it_says_stops_at_the_size_it_said),
        cmocka_unit_test(what_the_signature_says_can_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
