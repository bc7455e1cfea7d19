/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/syscall.h>

#include "bundle_fixture.h"
#include "usb-tools/export_plain.h"

static int set_up(void **state)
{
    struct fixture *f = mem_zeroed(1, sizeof *f);
    fixture_open(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

static int export(const struct fixture *f, struct err *e)
{
    return export_one(f->dirfd, "update", f->members, f->member_count, NULL, e);
}

static void assert_content(const struct fixture *f, const char *path, const char *text)
{
    AUTO(buf) struct buf content = {0};
    struct err e;
    assert_return_code(fs_read_at(f->dirfd, path, 1u << 20, &content, &e), 0);
    assert_string_equal(buf_text(&content), text);
}

static bool there_is(const struct fixture *f, const char *name)
{
    struct stat st;
    return fstatat(f->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void members_become_files_and_their_contents_are_joined(void **state)
{
    struct fixture *f = *state;
    struct err e;
    fixture_add(f, "metadata/director/root.json", "{}", 2);
    fixture_add(f, "images/deep/er/firmware", "head", 4);
    fixture_join(f, "+tail", 5);
    fixture_add(f, "images/empty", "", 0);
    assert_return_code(export(f, &e), 0);
    assert_content(f, "update/metadata/director/root.json", "{}");
    assert_content(f, "update/images/deep/er/firmware", "head+tail");
    assert_content(f, "update/images/empty", "");
    assert_false(there_is(f, ".update.part"));
}

static void a_store_that_delivers_other_bytes_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct err e;
    fixture_add(f, "metadata/a", "aaaa", 4);
    fixture_add(f, "images/b", "bbbb", 4);
    memcpy((void *)(uintptr_t)f->bytes[1].bytes, "bbbc", 4);
    assert_int_equal(export(f, &e), -1);
    assert_int_equal(e.id, ERR_WRONG_HASH);
    assert_non_null(strstr(e.message, "'images/b'"));
    assert_false(there_is(f, "update"));
    assert_false(there_is(f, ".update.part"));
}

static void a_store_that_delivers_too_little_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct err e;
    fixture_add(f, "metadata/a", "aaaa", 4);
    f->bytes[0].len = 3;
    assert_int_equal(export(f, &e), -1);
    assert_int_equal(e.id, ERR_WRONG_HASH);
    assert_false(there_is(f, "update"));
}

static void names_that_are_unsafe_or_fold_into_one_are_refused_before_anything_is_made(void **state)
{
    static const char *const pairs[][2] = {{"metadata/a", "images/../../escaped"},
                                           {"metadata/a", "/absolute"},
                                           {"images/A", "images/a"},
                                           {"images/a", "images/a/b"}};
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct err e;
        fixture_add(f, pairs[i][0], "x", 1);
        fixture_add(f, pairs[i][1], "y", 1);
        assert_int_equal(export(f, &e), -1);
        assert_int_equal(e.id, ERR_UNSAFE_NAME);
        assert_false(there_is(f, "update"));
        assert_false(there_is(f, ".update.part"));
        assert_false(there_is(f, "escaped"));
        fixture_clear(f);
    }
}

static void a_failed_export_leaves_the_older_one(void **state)
{
    struct fixture *f = *state;
    struct err e;
    fixture_add(f, "metadata/a", "old", 3);
    assert_return_code(export(f, &e), 0);
    fixture_clear(f);
    fixture_add(f, "metadata/a", "new", 3);
    f->contents[0].sha256[0] ^= 1;
    assert_int_equal(export(f, &e), -1);
    assert_content(f, "update/metadata/a", "old");
}

/* The bytes of images/ that were there when the file system was last flushed: the program's syncfs() is this
 * one. */
static int watched = -1;
static uint64_t on_medium;
static unsigned flushes_before_roles; /* with packages there, and no metadata/ */

int syncfs(int fd)
{
    static const char *const names[] = {".update.part/images/a", ".update.part/images/b"};
    struct stat st;
    on_medium = 0;
    flushes_before_roles += watched >= 0 && fstatat(watched, ".update.part/images", &st, 0) == 0 &&
                            fstatat(watched, ".update.part/metadata", &st, 0) != 0;
    for (size_t i = 0; watched >= 0 && i < COUNT_OF(names); i++)
        if (fstatat(watched, names[i], &st, 0) == 0)
            on_medium += (uint64_t)st.st_size;
    return (int)syscall(SYS_syncfs, fd);
}

static void assert_true_to_the_medium(struct progress *p, const char *event)
{
    unsigned *updates = p->ctx;
    if (strcmp(p->phase, "write") != 0)
        return;
    assert_true(atomic_load(&p->done) <= on_medium);
    if (!strcmp(event, "end"))
        assert_int_equal(atomic_load(&p->done), p->total);
    *updates += !strcmp(event, "update");
}

static void the_progress_counts_what_is_on_the_medium(void **state)
{
    enum { SIZE = 20 << 20 };
    struct fixture *f = *state;
    struct err e;
    unsigned updates = 0;
    struct progress p = {.show = assert_true_to_the_medium, .ctx = &updates};
    AUTO_FREE char *bytes = mem_zeroed(1, SIZE);
    fixture_add(f, "images/a", bytes, SIZE);
    fixture_add(f, "images/b", bytes, SIZE);
    watched = f->dirfd;
    assert_return_code(export_one(f->dirfd, "update", f->members, f->member_count, &p, &e), 0);
    watched = -1;
    assert_int_equal(updates, 3); /* after 16 MiB, 32 MiB, and the rest */
}

static void the_signed_roles_come_last(void **state)
{
    enum { SIZE = 20 << 20 };
    struct fixture *f = *state;
    struct err e;
    AUTO_FREE char *bytes = mem_zeroed(1, SIZE);
    fixture_add(f, "metadata/root.json", "{}", 2);
    fixture_add(f, "images/a", bytes, SIZE);
    watched = f->dirfd;
    flushes_before_roles = 0;
    assert_return_code(export(f, &e), 0);
    watched = -1;
    assert_int_equal(flushes_before_roles, 1); /* after 16 MiB */
    assert_content(f, "update/metadata/root.json", "{}");
}

#define export_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        export_test(members_become_files_and_their_contents_are_joined),
        export_test(a_store_that_delivers_other_bytes_is_noticed),
        export_test(a_store_that_delivers_too_little_is_noticed),
        export_test(names_that_are_unsafe_or_fold_into_one_are_refused_before_anything_is_made),
        export_test(a_failed_export_leaves_the_older_one),
        export_test(the_progress_counts_what_is_on_the_medium),
        export_test(the_signed_roles_come_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
