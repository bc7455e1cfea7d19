/* SPDX-License-Identifier: Apache-2.0
 *
 * A small bundle that can be taken apart, changed in one part, signed again and put together, and what a
 * reader says of it then.
 */
#ifndef AIRLOCK_TESTS_SMALL_BUNDLE_H
#define AIRLOCK_TESTS_SMALL_BUNDLE_H

#include "bundle_fixture.h"

#include "bundle-format/first.h"
#include "bundle-format/head.h"
#include "bundle-format/index.h"

static struct fixture fixture; /* too large for a stack */
#define PAYLOAD_NAME FIXTURE_NAME ".001"

struct parts {
    struct buf first, signed_parts, index_bytes, metadata; /* F0; H and S; I; M: as stored */
    struct buf payload;                                    /* V and P */
    struct index index;
};

static inline void parts_free(struct parts *p)
{
    buf_free(&p->first);
    buf_free(&p->signed_parts);
    buf_free(&p->index_bytes);
    buf_free(&p->metadata);
    buf_free(&p->payload);
    index_free(&p->index);
}

static inline void read_file(const char *name, struct buf *ret)
{
    struct err e;
    assert_return_code(fs_read_at(fixture.dirfd, name, 16u << 20, ret, &e), 0);
}

static inline void write_file(const char *name, const void *bytes, size_t n)
{
    struct err e;
    assert_return_code(fs_replace_at(fixture.dirfd, name, bytes, n, 0644, &e), 0);
}

static inline int read_bytes(void *ctx, void *to, size_t n, uint64_t offset, struct err *e)
{
    (void)e;
    memcpy(to, (const uint8_t *)ctx + offset, n);
    return 0;
}

/* Length of the skippable frame at `at`. */
static inline size_t skippable_len(const uint8_t *at, const char *tag)
{
    uint64_t len;
    assert_true(frame_is_skippable(at, tag, &len));
    return (size_t)len;
}

static inline void parts_read(struct parts *p)
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

static inline void parts_write(const struct parts *p)
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
static inline void pack_frame(struct buf *to, const void *raw, size_t n)
{
    struct err e;
    size_t len;
    struct frame_packer *packer = frame_packer_new(3);
    assert_return_code(frame_pack(packer, raw, n, buf_reserve(to, frame_bound(n)), &len, &e), 0);
    to->len += len;
    frame_packer_delete(packer);
}

/* H, with H's bytes changed as wanted, and S over it. */
static inline void sign_again(struct parts *p, size_t change_at, uint8_t change)
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
static inline void forge_index(struct parts *p)
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

static inline void write_small_bundle(struct parts *ret)
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

static inline void close_small_bundle(struct parts *p)
{
    parts_free(p);
    fixture_close(&fixture);
}

/* What opening and checking says: ERR_NONE when the bundle is good. */
static inline enum err_id verdict(void)
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
static inline void assert_copy_is_refused(void)
{
    struct bundle *b;
    struct err e;
    struct stat st;
    const struct medium medium = medium_posix(&fixture.dirfd);
    assert_int_equal(bundle_open(fixture.dirfd, FIXTURE_NAME, &b, &e), 0);
    assert_int_equal(copy_one(b, &medium, "copy.lockbox", BUNDLE_AS_IT_IS, &e), -1);
    assert_int_equal(err_exit_code(e.id), EXIT_REFUSED);
    bundle_close(b);
    assert_int_equal(fstatat(fixture.dirfd, "copy.lockbox", &st, 0), -1);
    assert_int_equal(fstatat(fixture.dirfd, "copy.lockbox.001", &st, 0), -1);
}

#define assert_verdict(id) assert_string_equal(err_name(verdict()), err_name(ERR_##id))

/* What an extraction left in the folder "out" begins as the member does; returns its size. */
static inline size_t assert_right_as_far_as_it_goes(int out, const struct member *m)
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
static inline enum err_id extract(size_t *ret_bytes)
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

#endif
