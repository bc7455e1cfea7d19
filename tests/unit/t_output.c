/* SPDX-License-Identifier: Apache-2.0
 *
 * A writing that stops at any moment, and the same call again: the result is that of an uninterrupted one,
 * and what the medium held already is not written a second time.
 */
#include "tests/unit/bundle_fixture.h"

#include <fcntl.h>
#include <stdbool.h>

static struct fixture written; /* too large for a stack */

/* A medium that dies after so many bytes, in the middle of a write where that is where they end. */
struct dying {
    struct medium below;
    uint64_t left;    /* bytes until then */
    uint64_t written; /* bytes since dying_medium() */
};

static int dying_write(void *ctx, int fd, const void *bytes, size_t n, struct err *e)
{
    struct dying *d = ctx;
    size_t part = n < d->left ? n : (size_t)d->left;
    if (part && d->below.write(d->below.ctx, fd, bytes, part, e))
        return -1;
    d->left -= part;
    d->written += part;
    return part < n ? err_set(e, ERR_MEDIUM_IO, "the stick was pulled on purpose") : 0;
}

/* What needs a medium that lives fails after its death. */
static int dying_rename(void *ctx, const char *from, const char *to, struct err *e)
{
    struct dying *d = ctx;
    return d->left == 0 ? err_set(e, ERR_MEDIUM_IO, "the stick is gone")
                        : d->below.rename(d->below.ctx, from, to, e);
}

static int dying_remove(void *ctx, const char *name, struct err *e)
{
    struct dying *d = ctx;
    return d->left == 0 ? err_set(e, ERR_MEDIUM_IO, "the stick is gone")
                        : d->below.remove(d->below.ctx, name, e);
}

static struct medium below; /* the table of medium_posix(), for what dying_medium() leaves as it is */

static int pass_create(void *ctx, const char *name, int *ret_fd, struct err *e)
{
    (void)ctx;
    return below.create(below.ctx, name, ret_fd, e);
}

static int pass_reopen(void *ctx, const char *name, int *ret_fd, struct err *e)
{
    (void)ctx;
    return below.reopen(below.ctx, name, ret_fd, e);
}

static int pass_list(void *ctx, int (*each)(void *each_ctx, const char *name, struct err *e), void *each_ctx,
                     struct err *e)
{
    (void)ctx;
    return below.list(below.ctx, each, each_ctx, e);
}

static int pass_open(void *ctx, const char *name, int *ret_fd, struct err *e)
{
    (void)ctx;
    return below.open(below.ctx, name, ret_fd, e);
}

static int pass_flush_folder(void *ctx, struct err *e)
{
    (void)ctx;
    return below.flush_folder(below.ctx, e);
}

static struct medium dying_medium(struct dying *d, uint64_t bytes)
{
    below = medium_posix(&written.dirfd);
    *d = (struct dying){.below = below, .left = bytes};
    struct medium m = below; /* what it does with a descriptor alone needs no ctx */
    m.ctx = d;
    m.create = pass_create;
    m.reopen = pass_reopen;
    m.list = pass_list;
    m.open = pass_open;
    m.write = dying_write;
    m.rename = dying_rename;
    m.remove = dying_remove;
    m.flush_folder = pass_flush_folder;
    return m;
}

static void empty_folder(void)
{
    AUTO_FREE char *command = mem_format("rm -rf '%s'/*", written.folder);
    assert_int_equal(system(command), 0);
}

static int hash_entry(void *ctx, const char *name, struct err *e)
{
    AUTO(buf) struct buf content = {0};
    if (fs_read_at(written.dirfd, name, 64u << 20, &content, e))
        return -1;
    hash_update(ctx, name, strlen(name) + 1);
    hash_update(ctx, content.data, content.len);
    return 0;
}

/* Names and bytes of all files in the folder. */
static void hash_folder(uint8_t ret[HASH_SIZE])
{
    AUTO_HASH struct hash *h = hash_new();
    struct err e;
    assert_return_code(fs_each(written.dirfd, hash_entry, h, &e), 0);
    hash_final(h, ret);
}

static int keep_name(void *ctx, const char *name, struct err *e)
{
    (void)e;
    buf_addf(ctx, "%s ", name);
    return 0;
}

static void assert_names(const char *expected)
{
    AUTO(buf) struct buf all = {0};
    struct err e;
    assert_return_code(fs_each(written.dirfd, keep_name, &all, &e), 0);
    assert_string_equal(buf_text(&all), expected);
}

/* Bytes written by a writing that is not interrupted; its result. */
static uint64_t write_alone(const struct bundle_options *options, uint8_t ret[HASH_SIZE])
{
    struct dying d;
    struct err e = {0};
    struct medium m = dying_medium(&d, UINT64_MAX);
    empty_folder();
    assert_return_code(fixture_write_on(&written, options, &m, &e), 0);
    hash_folder(ret);
    return d.written;
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

#define FRAME (1u << 20) /* the most that is written twice: what did not arrive whole */

static void kill_often(const struct bundle_options *options, unsigned kills, uint32_t seed)
{
    uint8_t expected[HASH_SIZE], found[HASH_SIZE];
    uint64_t whole = write_alone(options, expected);
    for (unsigned i = 0; i < kills;) {
        unsigned row = 1 + next_random(&seed) % 3; /* one after the other, before it may finish */
        uint64_t first = 0, again;
        empty_folder();
        for (unsigned k = 0; k < row; k++) {
            struct dying d;
            struct err e = {0};
            struct medium m = dying_medium(&d, next_random(&seed) % whole);
            if (fixture_write_on(&written, options, &m, &e)) { /* else too little was left to write */
                assert_string_equal(err_name(e.id), "medium-io");
                i++;
            }
            first = k == 0 ? d.written : first;
        }
        struct dying d;
        struct err e = {0};
        struct medium m = dying_medium(&d, UINT64_MAX);
        assert_return_code(fixture_write_on(&written, options, &m, &e), 0);
        again = d.written;
        assert_in_range(again, 0, whole - first + FRAME + (FRAME >> 8));
        hash_folder(found);
        assert_memory_equal(found, expected, HASH_SIZE);
    }
}

static const struct bundle_options volumes = {.volume_bytes = (2u << 20) + 4096, .keep_cache = true};
static const struct bundle_options single = {.single = true, .keep_cache = true};

static int open_folder(void **state)
{
    (void)state;
    AUTO(buf) struct buf noise = {0};
    fixture_open(&written);
    fixture_noise(&noise, (3u << 20) + 12345, 5);
    fixture_add(&written, "metadata/director/pump.json", "{\"v\":1}", 7);
    fixture_add(&written, "images/firmware", noise.data, noise.len);
    fixture_add(&written, "images/text", "pump pump pump", 14);
    return 0;
}

static int close_folder(void **state)
{
    (void)state;
    fixture_close(&written);
    return 0;
}

static void five_hundred_kills_change_nothing_of_the_result(void **state)
{
    (void)state;
    kill_often(&volumes, 350, 1);
    kill_often(&single, 150, 2);
}

static void bytes_of_a_part_that_are_wrong_are_written_anew(void **state)
{
    (void)state;
    uint8_t expected[HASH_SIZE], found[HASH_SIZE];
    static const struct bundle_options one = {.keep_cache = true};
    write_alone(&one, expected);
    for (uint64_t at = 0; at < (3u << 20); at += (1u << 20) - 7) {
        struct dying d;
        struct err e = {0};
        struct medium m = dying_medium(&d, 3u << 20);
        empty_folder();
        assert_int_equal(fixture_write_on(&written, &one, &m, &e), -1);
        assert_names(FIXTURE_NAME ".001.part ");
        AUTO_FD int fd = openat(written.dirfd, FIXTURE_NAME ".001.part", O_WRONLY);
        assert_int_equal(pwrite(fd, "rot", 3, (off_t)at), 3);
        fixture_write(&written, &one);
        hash_folder(found);
        assert_memory_equal(found, expected, HASH_SIZE);
    }
}

static void a_part_that_is_longer_is_cut(void **state)
{
    (void)state;
    uint8_t expected[HASH_SIZE], found[HASH_SIZE];
    write_alone(&volumes, expected);
    AUTO_FREE char *command =
        mem_format("cd '%s' && mv %s.002 %s.002.part && rm %s && echo more >>%s.002.part", written.folder,
                   FIXTURE_NAME, FIXTURE_NAME, FIXTURE_NAME, FIXTURE_NAME);
    assert_int_equal(system(command), 0);
    fixture_write(&written, &volumes);
    hash_folder(found);
    assert_memory_equal(found, expected, HASH_SIZE);
}

static void other_options_or_content_leave_nothing_of_an_earlier_part(void **state)
{
    (void)state;
    static const struct bundle_options other = {.volume_bytes = 1u << 20, .keep_cache = true, .level = 1};
    uint8_t expected[HASH_SIZE], found[HASH_SIZE];
    write_alone(&volumes, expected);
    for (uint64_t bytes = 1; bytes < (4u << 20); bytes += 300007) {
        struct dying d;
        struct err e = {0};
        struct medium m = dying_medium(&d, bytes);
        empty_folder();
        if (fixture_write_on(&written, &other, &m, &e))
            assert_string_equal(err_name(e.id), "medium-io");
        fixture_write(&written, &volumes);
        hash_folder(found);
        assert_memory_equal(found, expected, HASH_SIZE);
    }
}

static void a_source_that_fails_leaves_nothing(void **state)
{
    (void)state;
    struct err e = {0};
    struct dying d;
    struct medium m = dying_medium(&d, UINT64_MAX);
    empty_folder();
    written.contents[1].sha256[0] = written.members[1].sha256[0] ^= 1;
    assert_int_equal(fixture_write_on(&written, &volumes, &m, &e), -1);
    written.contents[1].sha256[0] = written.members[1].sha256[0] ^= 1;
    assert_string_equal(err_name(e.id), "wrong-hash");
    assert_names("");
}

/* ---- volumes that are there already ---- */

static void replace_role(const char *text)
{
    struct content *c = &written.contents[0];
    free((void *)(uintptr_t)written.bytes[0].bytes);
    written.bytes[0] = (struct content_bytes){.bytes = mem_strdup(text), .len = strlen(text)};
    c->size = written.members[0].size = strlen(text);
    hash_of(text, strlen(text), c->sha256);
    memcpy(written.members[0].sha256, c->sha256, HASH_SIZE);
}

static void the_same_again_writes_nothing(void **state)
{
    (void)state;
    uint8_t expected[HASH_SIZE], found[HASH_SIZE];
    for (unsigned i = 0; i < 2; i++) {
        struct dying d;
        struct err e = {0};
        write_alone(i ? &single : &volumes, expected);
        struct medium m = dying_medium(&d, UINT64_MAX);
        assert_return_code(fixture_write_on(&written, i ? &single : &volumes, &m, &e), 0);
        assert_int_equal(d.written, 0);
        hash_folder(found);
        assert_memory_equal(found, expected, HASH_SIZE);
    }
}

static void new_roles_write_a_new_head_and_nothing_else(void **state)
{
    (void)state;
    uint8_t expected[HASH_SIZE], found[HASH_SIZE];
    replace_role("{\"v\":2}");
    write_alone(&volumes, expected);
    replace_role("{\"v\":1}");
    write_alone(&volumes, found);
    struct stat before, after;
    assert_int_equal(fstatat(written.dirfd, FIXTURE_NAME ".002", &before, 0), 0);
    replace_role("{\"v\":2}");
    struct dying d;
    struct err e = {0};
    struct medium m = dying_medium(&d, UINT64_MAX);
    assert_return_code(fixture_write_on(&written, &volumes, &m, &e), 0);
    assert_int_equal(fstatat(written.dirfd, FIXTURE_NAME ".002", &after, 0), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_in_range(d.written, 1, 4096);
    hash_folder(found);
    assert_memory_equal(found, expected, HASH_SIZE);
    replace_role("{\"v\":1}");
}

/* The id in V is only a promise: what differs behind it is written anew, and the older bundle is not touched
 * before the new head is there. */
static void a_volume_that_lies_about_its_content_is_replaced(void **state)
{
    (void)state;
    uint8_t expected[HASH_SIZE], found[HASH_SIZE];
    uint64_t whole = write_alone(&volumes, expected);
    for (unsigned how = 0; how < 3; how++) {
        write_alone(&volumes, found);
        AUTO_FD int fd = openat(written.dirfd, FIXTURE_NAME ".001", O_RDWR);
        if (how == 0)
            assert_int_equal(pwrite(fd, "rot", 3, 1500000), 3);
        else
            assert_return_code(ftruncate(fd, how == 1 ? 1500000 : 5000000), 0);
        struct dying d;
        struct err e = {0};
        struct medium m = dying_medium(&d, UINT64_MAX);
        assert_return_code(fixture_write_on(&written, &volumes, &m, &e), 0);
        assert_in_range(d.written, 1u << 20, whole);
        hash_folder(found);
        assert_memory_equal(found, expected, HASH_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_hundred_kills_change_nothing_of_the_result),
        cmocka_unit_test(bytes_of_a_part_that_are_wrong_are_written_anew),
        cmocka_unit_test(a_part_that_is_longer_is_cut),
        cmocka_unit_test(other_options_or_content_leave_nothing_of_an_earlier_part),
        cmocka_unit_test(a_source_that_fails_leaves_nothing),
        cmocka_unit_test(the_same_again_writes_nothing),
        cmocka_unit_test(new_roles_write_a_new_head_and_nothing_else),
        cmocka_unit_test(a_volume_that_lies_about_its_content_is_replaced),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
