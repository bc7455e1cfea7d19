/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/bundle_fixture.h"

#include <fcntl.h>
#include <stdbool.h>

static struct fixture from, to; /* too large for a stack */

static void put_source(const struct bundle_options *options)
{
    struct err e;
    AUTO(buf) struct buf noise = {0};
    struct bundle_summary summary;
    fixture_noise(&noise, 3u << 20, 3); /* several frames, a volume each where volumes are small */
    fixture_add(&from, "metadata/director/pump.json", "{}", 2);
    fixture_add(&from, "images/firmware", noise.data, noise.len);
    fixture_add(&from, "images/text", "pump pump pump", 14);
    struct bundle_plan plan = fixture_plan(&from);
    const struct medium medium = medium_posix(&from.dirfd);
    assert_int_equal(write_one(&plan, options, &medium, FIXTURE_NAME, NULL, &summary, &e), 0);
}

static int copy_as(const struct medium *medium, enum bundle_form form, struct err *e)
{
    struct bundle *b;
    assert_int_equal(bundle_open(from.dirfd, FIXTURE_NAME, &b, e), 0);
    int rc = copy_one(b, medium, FIXTURE_NAME, form, e);
    bundle_close(b);
    return rc;
}

static int copy_through(const struct medium *medium, struct err *e)
{
    return copy_as(medium, BUNDLE_AS_IT_IS, e);
}

static int copy(struct err *e)
{
    const struct medium medium = medium_posix(&to.dirfd);
    return copy_through(&medium, e);
}

static int compare_entry(void *ctx, const char *name, struct err *e)
{
    AUTO(buf) struct buf mine = {0};
    AUTO(buf) struct buf copied = {0};
    ++*(unsigned *)ctx;
    assert_int_equal(fs_read_at(from.dirfd, name, 8u << 20, &mine, e), 0);
    assert_int_equal(fs_read_at(to.dirfd, name, 8u << 20, &copied, e), 0);
    assert_int_equal(mine.len, copied.len);
    assert_memory_equal(mine.data, copied.data, mine.len);
    return 0;
}

static unsigned assert_same_files(void)
{
    struct err e;
    unsigned here = 0, there = 0;
    assert_int_equal(fs_each(from.dirfd, compare_entry, &here, &e), 0);
    assert_int_equal(fs_each(to.dirfd, compare_entry, &there, &e), 0);
    assert_int_equal(here, there);
    return here;
}

static int open_folders(void **state)
{
    (void)state;
    fixture_open(&from);
    fixture_open(&to);
    return 0;
}

static int close_folders(void **state)
{
    (void)state;
    fixture_close(&from);
    fixture_close(&to);
    return 0;
}

static void a_copy_has_the_same_files(void **state)
{
    (void)state;
    struct err e;
    put_source(&(struct bundle_options){.volume_bytes = 1000});
    assert_int_equal(copy(&e), 0);
    assert_in_range(assert_same_files(), 3, 100); /* the head and several volumes */
}

static void a_copy_of_a_single_file_is_that_file(void **state)
{
    (void)state;
    struct err e;
    put_source(&(struct bundle_options){.single = true});
    assert_int_equal(copy(&e), 0);
    assert_int_equal(assert_same_files(), 1);
}

/* Into one file and back: the files of before. */
static void a_single_file_is_split_where_its_volumes_meet(void **state)
{
    (void)state;
    struct err e;
    const struct medium here = medium_posix(&from.dirfd), there = medium_posix(&to.dirfd);
    put_source(&(struct bundle_options){.volume_bytes = 1000});
    assert_int_equal(copy_as(&there, BUNDLE_AS_IT_IS, &e), 0);
    assert_int_equal(copy_as(&here, BUNDLE_SINGLE, &e), 0); /* onto itself */
    assert_int_equal(faccessat(from.dirfd, FIXTURE_NAME ".001", F_OK, 0), -1);
    assert_int_equal(copy_as(&here, BUNDLE_SPLIT, &e), 0);
    assert_in_range(assert_same_files(), 3, 100);
}

static void a_copy_onto_an_older_copy_replaces_it(void **state)
{
    (void)state;
    struct err e;
    put_source(&(struct bundle_options){.volume_bytes = 1000});
    assert_int_equal(copy(&e), 0);
    assert_int_equal(copy(&e), 0);
    assert_in_range(assert_same_files(), 3, 100);
}

static void damage_on_the_source_is_told_and_nothing_is_left(void **state)
{
    (void)state;
    struct err e;
    unsigned left = 0;
    AUTO_FD int fd = -1;
    put_source(&(struct bundle_options){.volume_bytes = BUNDLE_VOLUME_DEFAULT});
    assert_int_equal(fs_open_at(from.dirfd, FIXTURE_NAME ".001", O_RDWR, 0, &fd, &e), 0);
    assert_int_equal(pwrite(fd, "X", 1, 3000), 1);
    assert_int_equal(copy(&e), -1);
    assert_int_equal(e.id, ERR_BUNDLE_DAMAGED);
    assert_int_equal(fs_each(to.dirfd, compare_entry, &left, &e), 0);
    assert_int_equal(left, 0);
}

/* ---- a medium whose n-th rename or flush fails ---- */

static struct medium good;
static unsigned until_failure;

static int fail_in_turn(struct err *e)
{
    return --until_failure == 0 ? err_set(e, ERR_MEDIUM_IO, "pulled") : 0;
}

static int failing_flush(void *ctx, int fd, struct err *e)
{
    return fail_in_turn(e) ? -1 : good.flush(ctx, fd, e);
}

static int failing_rename(void *ctx, const char *a, const char *b, struct err *e)
{
    return fail_in_turn(e) ? -1 : good.rename(ctx, a, b, e);
}

static void after_any_failure_the_same_call_finishes(void **state)
{
    (void)state;
    struct err e;
    put_source(&(struct bundle_options){.volume_bytes = 1000});
    good = medium_posix(&to.dirfd);
    struct medium failing = good;
    failing.flush = failing_flush;
    failing.rename = failing_rename;
    bool failed = true;
    for (unsigned n = 1; failed; n++) {
        struct bundle *half;
        until_failure = n;
        failed = copy_through(&failing, &e) != 0;
        if (failed)
            assert_int_equal(e.id, ERR_MEDIUM_IO);
        if (bundle_open(to.dirfd, FIXTURE_NAME, &half, &e) == 0) {
            assert_int_equal(bundle_check(half, 1, NULL, &e), 0);
            bundle_close(half);
        }
    }
    assert_int_equal(copy(&e), 0);
    assert_same_files();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_has_the_same_files, open_folders, close_folders),
        cmocka_unit_test_setup_teardown(a_copy_of_a_single_file_is_that_file, open_folders, close_folders),
        cmocka_unit_test_setup_teardown(a_single_file_is_split_where_its_volumes_meet, open_folders,
                                        close_folders),
        cmocka_unit_test_setup_teardown(a_copy_onto_an_older_copy_replaces_it, open_folders, close_folders),
        cmocka_unit_test_setup_teardown(damage_on_the_source_is_told_and_nothing_is_left, open_folders,
                                        close_folders),
        cmocka_unit_test_setup_teardown(after_any_failure_the_same_call_finishes, open_folders,
                                        close_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
