/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle_fixture.h"

#include "base/hex.h"
#include "bundle-format/examine.h"

static struct fixture fixture; /* too large for a stack; its folder holds all bundles of a test */

#define V1 "pump-v1-0a1b2c.lockbox"
#define V2 "pump-v2-0a1b2c.shared.lockbox"
#define V3 "pump-v3-0a1b2c.shared.lockbox"

static const struct bundle_options one_volume = {.keep_cache = true};
static const struct bundle_options small_volumes = {.keep_cache = true, .volume_bytes = 1100000};

static struct medium folder(void)
{
    return medium_posix(&fixture.dirfd);
}

static int try_to_write(const char *name, const struct bundle_options *options,
                        const struct bundle_loans *loans, struct bundle_summary *ret, struct err *e)
{
    AUTO(buf) struct buf manifest = {0};
    struct medium medium = folder();
    struct bundle_plan plan = fixture_plan(&fixture);
    buf_addf(&manifest, "{\"features\":[%s],\"needs\":[", loans ? "\"shared-content\"" : "");
    for (size_t i = 0; loans && i < bundle_loans_count(loans); i++) {
        struct bundle_loan loan = bundle_loans_at(loans, i);
        char hex[33];
        hex_encode(loan.id, sizeof loan.id, hex);
        buf_addf(&manifest, "%s{\"volume\":\"%s\",\"file\":\"%s\"}", i ? "," : "", hex, loan.file);
    }
    buf_add_text(&manifest, "]}");
    plan.manifest_json = buf_text(&manifest);
    plan.manifest_len = manifest.len;
    plan.loans = loans;
    return write_one(&plan, options, &medium, name, NULL, ret, e);
}

static struct bundle_summary write_whole(const char *name, const struct bundle_options *options)
{
    struct bundle_summary summary = {0};
    struct err e = {0};
    if (try_to_write(name, options, NULL, &summary, &e))
        fail_msg("%s: %s", err_name(e.id), e.message);
    return summary;
}

static struct bundle_loans *find_loans(const char *name)
{
    struct bundle_loans *loans = NULL;
    struct medium medium = folder();
    struct err e = {0};
    if (bundle_loans_find(&medium, name, fixture.members, fixture.member_count, NULL, &loans, &e))
        fail_msg("%s: %s", err_name(e.id), e.message);
    return loans;
}

static struct bundle_summary write_shared(const char *name)
{
    struct bundle_loans *loans = find_loans(name);
    struct bundle_summary summary = {0};
    struct err e = {0};
    assert_non_null(loans);
    if (try_to_write(name, &one_volume, loans, &summary, &e))
        fail_msg("%s: %s", err_name(e.id), e.message);
    bundle_loans_free(loans);
    return summary;
}

static struct bundle *open_bundle(const char *name)
{
    struct bundle *b = NULL;
    struct err e = {0};
    if (bundle_open(fixture.dirfd, name, &b, &e))
        fail_msg("%s: %s", err_name(e.id), e.message);
    return b;
}

static enum err_id error_of_opening(const char *name, struct err *e)
{
    struct bundle *b = NULL;
    *e = (struct err){0};
    int rc = bundle_open(fixture.dirfd, name, &b, e);
    bundle_close(b);
    return rc ? e->id : 0;
}

/* Every member comes out of the bundle as the fixture has it. */
static void compare(const char *name)
{
    struct err e = {0};
    struct bundle *b = open_bundle(name);
    AUTO_FD int out = -1;
    assert_int_equal(bundle_member_count(b), fixture.member_count);
    if (bundle_check(b, 2, NULL, &e) || fs_remove_at(fixture.dirfd, "out", &e) ||
        fs_open_dir_at(fixture.dirfd, "out", true, &out, &e) || bundle_extract(b, out, 2, NULL, &e))
        fail_msg("%s: %s", err_name(e.id), e.message);
    for (size_t i = 0; i < fixture.member_count; i++) {
        const struct member *m = &fixture.members[i];
        AUTO(buf) struct buf file = {0};
        uint8_t digest[HASH_SIZE];
        assert_return_code(fs_read_at(out, m->path, (size_t)m->size, &file, &e), 0);
        hash_of(file.data, file.len, digest);
        assert_memory_equal(digest, m->sha256, HASH_SIZE);
    }
    bundle_close(b);
}

/* 1 000 files of 2 KiB; of a later version every twentieth is another one. */
static void add_objects(unsigned version)
{
    fixture_clear(&fixture);
    AUTO_FREE char *role = mem_format("{\"version\":%u}", version);
    fixture_add(&fixture, "metadata/director/1.root.json", "{}", 2);
    fixture_add(&fixture, "metadata/director/pump.json", role, strlen(role));
    for (unsigned i = 0; i < 1000; i++) {
        AUTO(buf) struct buf bytes = {0};
        char path[48];
        snprintf(path, sizeof path, "images/objects/%04u", i);
        fixture_noise(&bytes, 2048, i % 20 == version % 20 ? 1000 * version + i + 1 : i + 1);
        fixture_add(&fixture, path, bytes.data, bytes.len);
    }
}

/* The second borrows from the first; the fixture holds its members. */
static void write_two_versions(void)
{
    add_objects(1);
    write_whole(V1, &one_volume);
    add_objects(2);
    write_shared(V2);
}

static int open_folder(void **state)
{
    (void)state;
    fixture_open(&fixture);
    return 0;
}

static int close_folder(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static void a_twentieth_changed_is_about_a_twentieth_written(void **state)
{
    (void)state;
    add_objects(1);
    struct bundle_summary whole = write_whole(V1, &one_volume);
    add_objects(2);
    struct bundle_loans *loans = find_loans(V2);
    assert_non_null(loans);
    assert_int_equal(bundle_loans_count(loans), 1);
    assert_string_equal(bundle_loans_at(loans, 0).file, V1 ".001");
    assert_int_equal(bundle_loans_bytes(loans), 900 * 2048); /* 1/20 of either version is its own */
    bundle_loans_free(loans);
    struct bundle_summary shared = write_shared(V2);
    assert_in_range(shared.payload_bytes, 100 * 2048, whole.payload_bytes / 8); /* and the tar headers */
    compare(V2);
    struct bundle *b = open_bundle(V2);
    assert_true(bundle_is_shared(b));
    bundle_close(b);
}

static void a_third_version_borrows_from_both(void **state)
{
    (void)state;
    write_two_versions();
    add_objects(2); /* the same packages under new roles */
    struct bundle_loans *loans = find_loans(V3);
    assert_int_equal(bundle_loans_count(loans), 2);
    assert_int_equal(bundle_loans_bytes(loans), 1000 * 2048);
    bundle_loans_free(loans);
    write_shared(V3);
    compare(V3);
    compare(V2);
}

static void a_content_through_several_volumes_is_borrowed_whole(void **state)
{
    (void)state;
    AUTO(buf) struct buf layer = {0};
    fixture_noise(&layer, 3 << 20, 5);
    fixture_add(&fixture, "images/a.tar", "header", 6);
    fixture_join(&fixture, layer.data, layer.len);
    write_whole(V1, &small_volumes);
    fixture_clear(&fixture);
    fixture_add(&fixture, "images/b.tar", "another header", 14);
    fixture_join(&fixture, layer.data, layer.len);
    fixture_join(&fixture, "trailer", 7);
    fixture_join(&fixture, layer.data, layer.len);
    struct bundle_summary shared = write_shared(V2);
    assert_in_range(shared.payload_bytes, 1, 2000);
    compare(V2);
}

static void what_was_used_before_is_not_written_again(void **state)
{
    (void)state;
    AUTO(buf) struct buf common = {0}, own = {0};
    fixture_noise(&common, 5000, 6);
    fixture_noise(&own, 1500000, 7); /* its first use is a frame away from its last one */
    fixture_add(&fixture, "images/a", common.data, common.len);
    write_whole(V1, &one_volume);
    fixture_add(&fixture, "images/b", own.data, own.len);
    fixture_add(&fixture, "images/c", common.data, common.len);
    fixture_add(&fixture, "images/d", own.data, own.len);
    fixture_add(&fixture, "images/e", own.data, own.len);
    struct bundle_summary shared = write_shared(V2);
    assert_in_range(shared.payload_bytes, own.len, own.len + 2000);
    compare(V2);
}

static void metadata_is_neither_borrowed_nor_lent(void **state)
{
    (void)state;
    fixture_add(&fixture, "metadata/a.json", "{\"a\":1}", 7);
    fixture_add(&fixture, "images/a", "lent", 4);
    fixture_add(&fixture, "images/b", "image", 5);
    write_whole(V1, &one_volume);
    fixture_clear(&fixture);
    fixture_add(&fixture, "metadata/a.json", "{\"a\":1}", 7);
    fixture_add(&fixture, "metadata/b.json", "image", 5);
    fixture_add(&fixture, "images/a", "lent", 4);
    fixture_add(&fixture, "images/b", "image", 5);
    fixture_add(&fixture, "images/c", "{\"a\":1}", 7);
    struct bundle_loans *loans = find_loans(V2);
    assert_int_equal(bundle_loans_bytes(loans), 4);
    bundle_loans_free(loans);
    write_shared(V2);
    compare(V2);
}

static void nothing_in_common_is_nothing_to_borrow(void **state)
{
    (void)state;
    fixture_add(&fixture, "images/a", "one", 3);
    write_whole(V1, &one_volume);
    fixture_clear(&fixture);
    fixture_add(&fixture, "images/a", "two", 3);
    assert_null(find_loans(V2));
}

static void flip_byte_at(const char *name, off_t offset)
{
    AUTO_FD int fd = -1;
    struct err e = {0};
    uint8_t byte;
    assert_return_code(fs_open_at(fixture.dirfd, name, O_RDWR, 0, &fd, &e), 0);
    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
}

static void a_damaged_bundle_lends_nothing(void **state)
{
    (void)state;
    write_two_versions();
    flip_byte_at(V1 ".001", 5000);
    struct bundle_loans *loans = find_loans(V3);
    assert_non_null(loans);
    assert_int_equal(bundle_loans_count(loans), 1); /* what the second has of its own, every tenth */
    assert_int_equal(bundle_loans_bytes(loans), 100 * 2048);
    bundle_loans_free(loans);
}

static void a_lender_that_is_gone_is_named(void **state)
{
    (void)state;
    struct err e;
    struct examination x;
    write_two_versions();
    assert_int_equal(unlinkat(fixture.dirfd, V1 ".001", 0), 0);
    assert_int_equal(error_of_opening(V2, &e), ERR_VOLUME_MISSING);
    assert_non_null(strstr(e.hint, V1 ".001"));
    bundle_examine(fixture.dirfd, V2, NULL, &x);
    size_t missing = 0;
    for (size_t i = 0; i < x.member_count; i++)
        missing += x.members[i].state == PART_MISSING;
    assert_int_equal(missing, 900);
    examination_free(&x);
}

static void a_damaged_loan_is_found_by_whoever_reads(void **state)
{
    (void)state;
    struct err e = {0};
    write_two_versions();
    flip_byte_at(V1 ".001", 5000);
    struct bundle *b = open_bundle(V2);
    assert_int_equal(bundle_check(b, 2, NULL, &e), -1);
    assert_int_equal(e.id, ERR_BUNDLE_DAMAGED);
    bundle_close(b);
}

/* A file under another name serves as well: what counts is the id. */
static void a_lender_may_be_renamed(void **state)
{
    (void)state;
    write_two_versions();
    assert_int_equal(renameat(fixture.dirfd, V1 ".001", fixture.dirfd, "older.lockbox.001"), 0);
    compare(V2);
}

static void what_is_lent_is_neither_replaced_nor_removed(void **state)
{
    (void)state;
    struct bundle_summary summary;
    struct medium medium = folder();
    struct err e = {0};
    write_two_versions();

    assert_int_equal(bundle_remove(&medium, V1, &e), -1);
    assert_int_equal(e.id, ERR_BUNDLE_NEEDED);
    assert_non_null(strstr(e.message, V2));
    e = (struct err){0};
    assert_int_equal(try_to_write(V1, &one_volume, NULL, &summary, &e), -1); /* other images */
    assert_int_equal(e.id, ERR_BUNDLE_NEEDED);
    compare(V2);

    add_objects(1);
    write_whole(V1, &one_volume);
    compare(V1);
    add_objects(2);
    compare(V2);

    assert_return_code(bundle_remove(&medium, V2, &e), 0);
    assert_return_code(bundle_remove(&medium, V1, &e), 0);
    assert_int_equal(bundle_remove(&medium, V1, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_PATH);
    assert_int_equal(faccessat(fixture.dirfd, V1 ".001", F_OK, 0), -1);
    assert_int_equal(faccessat(fixture.dirfd, V2 ".001", F_OK, 0), -1);
}

static void a_shared_bundle_written_again_writes_its_head_alone(void **state)
{
    (void)state;
    struct stat before, after;
    write_two_versions();
    assert_int_equal(fstatat(fixture.dirfd, V2 ".001", &before, 0), 0);
    write_shared(V2);
    assert_int_equal(fstatat(fixture.dirfd, V2 ".001", &after, 0), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    compare(V2);
}

static void taken_apart_it_is_written_whole(void **state)
{
    (void)state;
    struct medium medium = folder();
    struct bundle_summary summary, whole;
    struct bundle_parts parts;
    struct err e = {0};
    add_objects(1);
    write_whole(V1, &one_volume);
    add_objects(2);
    whole = write_whole("whole.lockbox", &one_volume);
    assert_return_code(bundle_remove(&medium, "whole.lockbox", &e), 0);
    write_shared(V2);
    struct bundle *b = open_bundle(V2);
    bundle_take_apart(b, &parts);
    struct bundle_plan plan = fixture_plan(&fixture);
    plan.members = parts.members;
    plan.member_count = parts.count;
    if (write_one(&plan, &one_volume, &medium, "pump-v2.lockbox", NULL, &summary, &e))
        fail_msg("%s: %s", err_name(e.id), e.message);
    bundle_parts_free(&parts);
    bundle_close(b);
    assert_int_equal(summary.payload_bytes, whole.payload_bytes);
    assert_return_code(bundle_remove(&medium, V2, &e), 0);
    assert_return_code(bundle_remove(&medium, V1, &e), 0);
    compare("pump-v2.lockbox");
}

static void it_cannot_be_copied_as_it_is(void **state)
{
    (void)state;
    struct medium medium = folder();
    struct err e = {0};
    write_two_versions();
    struct bundle *b = open_bundle(V2);
    assert_int_equal(copy_one(b, &medium, "copy.lockbox", BUNDLE_AS_IT_IS, &e), -1);
    assert_int_equal(e.id, ERR_BUNDLE_SHARED);
    bundle_close(b);
}

static void loans_that_the_manifest_does_not_tell_are_refused(void **state)
{
    (void)state;
    struct medium medium = folder();
    struct bundle_summary summary;
    struct err e = {0};
    add_objects(1);
    write_whole(V1, &one_volume);
    add_objects(2);
    struct bundle_plan plan = fixture_plan(&fixture);
    struct bundle_loans *loans = find_loans(V2);
    plan.loans = loans;
    assert_int_equal(write_one(&plan, &one_volume, &medium, V2, NULL, &summary, &e), -1);
    assert_int_equal(e.id, ERR_BUNDLE_INCONSISTENT);
    bundle_loans_free(loans);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_folder, close_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_twentieth_changed_is_about_a_twentieth_written),
        TEST(a_third_version_borrows_from_both),
        TEST(a_content_through_several_volumes_is_borrowed_whole),
        TEST(what_was_used_before_is_not_written_again),
        TEST(metadata_is_neither_borrowed_nor_lent),
        TEST(nothing_in_common_is_nothing_to_borrow),
        TEST(a_damaged_bundle_lends_nothing),
        TEST(a_lender_that_is_gone_is_named),
        TEST(a_damaged_loan_is_found_by_whoever_reads),
        TEST(a_lender_may_be_renamed),
        TEST(what_is_lent_is_neither_replaced_nor_removed),
        TEST(a_shared_bundle_written_again_writes_its_head_alone),
        TEST(taken_apart_it_is_written_whole),
        TEST(it_cannot_be_copied_as_it_is),
        TEST(loans_that_the_manifest_does_not_tell_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
