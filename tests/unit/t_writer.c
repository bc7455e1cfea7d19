/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_fixture.h"

static struct fixture fixture; /* too large for a stack */

static const struct bundle_options quick = {.keep_cache = true};

static void a_bundle_without_members_is_a_bundle(void **state)
{
    (void)state;
    fixture_open(&fixture);
    fixture_write(&fixture, &quick);
    fixture_compare(&fixture);
    fixture_close(&fixture);
}

static void metadata_alone_and_images_alone_come_back(void **state)
{
    (void)state;
    fixture_open(&fixture);
    fixture_add(&fixture, "metadata/director/1.root.json", "{}", 2);
    fixture_write(&fixture, &quick);
    fixture_compare(&fixture);
    fixture_clear(&fixture);
    fixture_add(&fixture, "images/pump.bin", "abc", 3);
    fixture_write(&fixture, &quick);
    fixture_compare(&fixture);
    fixture_close(&fixture);
}

/* A path of exactly len bytes below images/, in parts of at most 100. */
static char *long_path(size_t len)
{
    AUTO(buf) struct buf path = {0};
    buf_add_text(&path, "images/");
    while (path.len < len)
        buf_add_char(&path, path.len % 100 == 99 && path.len + 1 < len ? '/' : 'p');
    return buf_steal_text(&path);
}

static void long_paths_and_all_lengths_of_content_come_back(void **state)
{
    (void)state;
    static const size_t lengths[] = {100, 101, 155, 200, 255, 256, 257, 300, 600, 1024};
    static const size_t sizes[] = {0, 1, 511, 512, 513};
    AUTO(buf) struct buf noise = {0};
    fixture_noise(&noise, 1024, 1);
    fixture_open(&fixture);
    fixture_add(&fixture, "metadata/director/1.root.json", "{}", 2);
    fixture_add(&fixture, "metadata/director/2.root.json", "", 0);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char path[32];
        snprintf(path, sizeof path, "images/a%zu", i);
        fixture_add(&fixture, path, noise.data, sizes[i]);
    }
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        AUTO_FREE char *path = long_path(lengths[i]);
        path[8] = (char)('a' + i); /* "images/pa…", "images/pb…" */
        fixture_add(&fixture, path, noise.data, 700 + i);
    }
    fixture_write(&fixture, &quick);
    fixture_compare(&fixture);
    fixture_close(&fixture);
}

static void thousands_of_small_members_come_back(void **state)
{
    (void)state;
    fixture_open(&fixture);
    for (unsigned i = 0; i < 3000; i++) {
        char path[48], text[64];
        snprintf(path, sizeof path, "images/objects/%02u/%04u", i / 100, i);
        int len = snprintf(text, sizeof text, "object %u of %u", i % 1000, i % 7);
        fixture_add(&fixture, path, text, (size_t)len);
    }
    fixture_write(&fixture, &quick);
    fixture_compare(&fixture);
    fixture_close(&fixture);
}

/* Three and a half MiB: half compressible, half not; a member of several contents, one of them used twice. */
static void add_large_members(struct fixture *f)
{
    AUTO(buf) struct buf large = {0};
    fixture_add(f, "metadata/director/1.root.json", "{\"signed\":{}}", 13);
    fixture_noise(&large, 1500000, 2);
    for (unsigned i = 0; large.len < 3500000; i++)
        buf_addf(&large, "line %u of a text that compresses well\n", i);
    fixture_add(f, "images/a.bin", large.data, large.len);
    fixture_add(f, "images/b.tar", large.data, 70000);
    fixture_join(f, "", 0);
    fixture_join(f, large.data + 1400000, 300000);
    fixture_join(f, large.data, 70000);
    fixture_add(f, "images/c.txt", "the end", 7);
}

static void members_of_many_frames_and_of_several_contents_come_back(void **state)
{
    (void)state;
    fixture_open(&fixture);
    add_large_members(&fixture);
    fixture_write(&fixture, &quick);
    fixture_compare(&fixture);
    fixture_close(&fixture);
}

static void read_file(const char *name, struct buf *ret)
{
    struct err e;
    assert_return_code(fs_read_at(fixture.dirfd, name, 64u << 20, ret, &e), 0);
}

static void assert_same_bytes(const char *name, const struct buf *expected)
{
    AUTO(buf) struct buf found = {0};
    read_file(name, &found);
    assert_int_equal(found.len, expected->len);
    assert_memory_equal(found.data, expected->data, expected->len);
}

static void the_same_members_give_the_same_bytes_whatever_the_workers(void **state)
{
    (void)state;
    AUTO(buf) struct buf head = {0}, payload = {0};
    struct bundle_options options = quick;
    fixture_open(&fixture);
    add_large_members(&fixture);
    fixture_write(&fixture, &quick);
    read_file(FIXTURE_NAME, &head);
    read_file(FIXTURE_NAME ".001", &payload);
    for (unsigned workers = 1; workers <= 4; workers++) {
        options.workers = workers;
        options.memory = (uint64_t)workers * (16u << 20);
        fixture_write(&fixture, &options);
        assert_same_bytes(FIXTURE_NAME, &head);
        assert_same_bytes(FIXTURE_NAME ".001", &payload);
    }
    fixture_close(&fixture);
}

static void a_single_file_is_the_volumes_one_after_the_other(void **state)
{
    (void)state;
    AUTO(buf) struct buf whole = {0}, volume = {0};
    struct bundle_options options = quick;
    options.volume_bytes = 200000;
    fixture_open(&fixture);
    add_large_members(&fixture);
    fixture_write(&fixture, &options);
    fixture_compare(&fixture);
    read_file(FIXTURE_NAME, &whole);
    for (unsigned number = 1; number <= 3; number++) {
        AUTO_FREE char *name = mem_format("%s.%03u", FIXTURE_NAME, number);
        read_file(name, &volume);
        assert_in_range(volume.len, 1000, 1u << 21);
        buf_add(&whole, volume.data, volume.len);
    }
    options.single = true;
    fixture_write(&fixture, &options);
    assert_same_bytes(FIXTURE_NAME, &whole);
    assert_int_equal(faccessat(fixture.dirfd, FIXTURE_NAME ".001", F_OK, 0), -1);
    assert_int_equal(faccessat(fixture.dirfd, FIXTURE_NAME ".003", F_OK, 0), -1);
    fixture_compare(&fixture);
    fixture_close(&fixture);
}

static void assert_write_fails(enum err_id id, const char *named)
{
    struct medium medium = medium_posix(&fixture.dirfd);
    struct err e = {0};
    assert_int_equal(fixture_write_on(&fixture, &quick, &medium, &e), -1);
    assert_string_equal(err_name(e.id), err_name(id));
    assert_non_null(strstr(e.message, named));
    assert_int_equal(faccessat(fixture.dirfd, FIXTURE_NAME, F_OK, 0), -1);
    assert_int_equal(faccessat(fixture.dirfd, FIXTURE_NAME ".001", F_OK, 0), -1);
    assert_int_equal(faccessat(fixture.dirfd, FIXTURE_NAME ".001.part", F_OK, 0), -1);
}

/* Lets the source of a content deliver something else. */
static void deliver(size_t content, const char *text)
{
    free((void *)(uintptr_t)fixture.bytes[content].bytes);
    fixture.bytes[content] = (struct content_bytes){.bytes = mem_strdup(text), .len = strlen(text)};
}

static void a_source_that_breaks_its_promise_is_named_and_nothing_stays(void **state)
{
    (void)state;
    fixture_open(&fixture);
    fixture_add(&fixture, "images/a.bin", "aaaa", 4);
    fixture_add(&fixture, "images/b.bin", "bbbb", 4);
    deliver(1, "bbb");
    assert_write_fails(ERR_WRONG_LENGTH, "images/b.bin");
    deliver(1, "bbbbb");
    assert_write_fails(ERR_WRONG_LENGTH, "images/b.bin");
    deliver(1, "bbbc");
    assert_write_fails(ERR_WRONG_HASH, "images/b.bin");
    fixture_close(&fixture);
}

static void what_no_reader_would_take_is_not_written(void **state)
{
    (void)state;
    fixture_open(&fixture);
    fixture_add(&fixture, "images/../a", "a", 1);
    assert_write_fails(ERR_UNSAFE_NAME, "images/../a");
    fixture_clear(&fixture);
    fixture_add(&fixture, "etc/passwd", "a", 1);
    assert_write_fails(ERR_UNSAFE_NAME, "etc/passwd");
    fixture_clear(&fixture);
    fixture_add(&fixture, "images/A", "a", 1);
    fixture_add(&fixture, "images/a", "a", 1);
    assert_write_fails(ERR_UNSAFE_NAME, "images/a");
    fixture_clear(&fixture);
    fixture_add(&fixture, "images/b", "a", 1);
    fixture_add(&fixture, "images/a", "a", 1);
    assert_write_fails(ERR_BUNDLE_INCONSISTENT, "order");
    fixture_clear(&fixture);
    fixture.manifest = "{\"features\":[\"from-the-future\"]}";
    assert_write_fails(ERR_BUNDLE_FEATURE, "from-the-future");
    fixture.manifest = "{}";
    assert_write_fails(ERR_BUNDLE_INCONSISTENT, "features");
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_without_members_is_a_bundle),
        cmocka_unit_test(metadata_alone_and_images_alone_come_back),
        cmocka_unit_test(long_paths_and_all_lengths_of_content_come_back),
        cmocka_unit_test(thousands_of_small_members_come_back),
        cmocka_unit_test(members_of_many_frames_and_of_several_contents_come_back),
        cmocka_unit_test(the_same_members_give_the_same_bytes_whatever_the_workers),
        cmocka_unit_test(a_single_file_is_the_volumes_one_after_the_other),
        cmocka_unit_test(a_source_that_breaks_its_promise_is_named_and_nothing_stays),
        cmocka_unit_test(what_no_reader_would_take_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
