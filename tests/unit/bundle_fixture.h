/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of bundles share: a temporary folder, a list of members made from bytes, a key.
 */
#ifndef AIRLOCK_TESTS_BUNDLE_FIXTURE_H
#define AIRLOCK_TESTS_BUNDLE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "bundle-format/bundle.h"
#include "tests/one_place.h"

#define FIXTURE_MANIFEST "{\"features\":[],\"name\":\"pump\"}"
#define FIXTURE_NAME "pump-v1-0a1b2c.lockbox"

/* Members of a bundle, each of one content or, after fixture_join(), of the last two. */
struct fixture {
    struct member members[4000];
    struct content contents[4001];
    struct content_bytes bytes[4001];
    size_t member_count, content_count;
    struct sign_key key;
    const char *manifest;
    char folder[64];
    int dirfd;
};

static inline void fixture_open(struct fixture *f)
{
    static const uint8_t seed[32] = {7};
    struct err e;
    memset(f, 0, sizeof *f);
    sign_key_from_seed(seed, &f->key);
    f->manifest = FIXTURE_MANIFEST;
    /* in memory where there is such a place: thousands of flushes would only measure the disk */
    const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(f->folder, sizeof f->folder, "%s/airlock-bundle-XXXXXX", place);
    assert_non_null(mkdtemp(f->folder));
    assert_return_code(fs_open_dir(f->folder, &f->dirfd, &e), 0);
}

static inline void fixture_clear(struct fixture *f)
{
    for (size_t i = 0; i < f->member_count; i++)
        free((void *)(uintptr_t)f->members[i].path);
    for (size_t i = 0; i < f->content_count; i++)
        free((void *)(uintptr_t)f->bytes[i].bytes);
    f->member_count = f->content_count = 0;
}

static inline void fixture_close(struct fixture *f)
{
    AUTO_FREE char *command = mem_format("rm -rf '%s'", f->folder);
    fixture_clear(f);
    close(f->dirfd);
    assert_int_equal(system(command), 0);
}

/* Adds a member whose content is a copy of the bytes. */
static inline void fixture_add(struct fixture *f, const char *path, const void *bytes, size_t len)
{
    size_t i = f->content_count++;
    assert_in_range(f->content_count, 1, COUNT_OF(f->contents));
    f->bytes[i] = (struct content_bytes){.bytes = mem_strndup(len ? bytes : "", len), .len = len};
    f->contents[i] = (struct content){.size = len, .source = &content_from_bytes, .ctx = &f->bytes[i]};
    hash_of(bytes, len, f->contents[i].sha256);
    struct member *m = &f->members[f->member_count++];
    *m = (struct member){
        .path = mem_strdup(path), .size = len, .contents = &f->contents[i], .content_count = 1};
    memcpy(m->sha256, f->contents[i].sha256, HASH_SIZE);
}

/* Adds one more content to the member added last. */
static inline void fixture_join(struct fixture *f, const void *bytes, size_t len)
{
    AUTO(buf) struct buf whole = {0};
    struct member *m = &f->members[f->member_count - 1];
    size_t i = f->content_count++;
    f->bytes[i] = (struct content_bytes){.bytes = mem_strndup(len ? bytes : "", len), .len = len};
    f->contents[i] = (struct content){.size = len, .source = &content_from_bytes, .ctx = &f->bytes[i]};
    hash_of(bytes, len, f->contents[i].sha256);
    m->content_count++;
    m->size += len;
    for (size_t c = 0; c < m->content_count; c++) {
        const struct content_bytes *part = m->contents[c].ctx;
        buf_add(&whole, part->bytes, part->len);
    }
    hash_of(whole.data, whole.len, m->sha256);
}

/* Bytes that do not compress, the same for the same seed. */
static inline void fixture_noise(struct buf *to, size_t n, uint64_t seed)
{
    uint8_t *at = buf_reserve(to, n);
    uint64_t x = seed * 2654435761u + 88172645463325252u;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        at[i] = (uint8_t)(x >> 32);
    }
    to->len += n;
}

static inline struct bundle_plan fixture_plan(const struct fixture *f)
{
    return (struct bundle_plan){
        .manifest_json = f->manifest,
        .manifest_len = strlen(f->manifest),
        .members = f->members,
        .member_count = f->member_count,
        .signer = &f->key,
        .comment = "written by a test",
    };
}

static inline int fixture_write_on(const struct fixture *f, const struct bundle_options *options,
                                   const struct medium *medium, struct err *e)
{
    struct bundle_plan plan = fixture_plan(f);
    struct bundle_summary summary;
    return write_one(&plan, options, medium, FIXTURE_NAME, NULL, &summary, e);
}

static inline void fixture_write(const struct fixture *f, const struct bundle_options *options)
{
    struct medium medium = medium_posix(&f->dirfd);
    struct err e = {0};
    if (fixture_write_on(f, options, &medium, &e))
        fail_msg("%s: %s", err_name(e.id), e.message);
}

static inline struct bundle *fixture_open_bundle(const struct fixture *f)
{
    struct bundle *b = NULL;
    struct err e = {0};
    if (bundle_open(f->dirfd, FIXTURE_NAME, &b, &e))
        fail_msg("%s: %s", err_name(e.id), e.message);
    return b;
}

/* Opens, checks, extracts into "out" and compares every member. */
static inline void fixture_compare(const struct fixture *f)
{
    struct err e = {0};
    struct bundle *b = fixture_open_bundle(f);
    AUTO_FD int out = -1;
    assert_int_equal(bundle_member_count(b), f->member_count);
    if (bundle_check(b, 2, NULL, &e) || fs_remove_at(f->dirfd, "out", &e) ||
        fs_open_dir_at(f->dirfd, "out", true, &out, &e) || bundle_extract(b, out, 2, NULL, &e))
        fail_msg("%s: %s", err_name(e.id), e.message);
    for (size_t i = 0; i < f->member_count; i++) {
        const struct member *m = &f->members[i];
        struct bundle_member_info info = bundle_member_at(b, i);
        AUTO(buf) struct buf file = {0};
        uint8_t digest[HASH_SIZE];
        assert_string_equal(info.path, m->path);
        assert_int_equal(info.size, m->size);
        assert_return_code(fs_read_at(out, m->path, (size_t)m->size, &file, &e), 0);
        hash_of(file.data, file.len, digest);
        assert_int_equal(file.len, m->size);
        assert_memory_equal(digest, m->sha256, HASH_SIZE);
    }
    bundle_close(b);
}

#endif
