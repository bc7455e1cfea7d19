/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"
#include "usb-tools/aside.h"

#define NO_ASIDE                                                                                             \
    {                                                                                                        \
        .parent_fd = -1, .fd = -1                                                                            \
    }

/* A new update/ that holds metadata/new. */
static void replace(const struct store_fixture *f)
{
    AUTO(aside) struct aside a = NO_ASIDE;
    struct err e;
    assert_return_code(aside_begin(&a, f->fd, "update", &e), 0);
    assert_return_code(fs_replace_at(a.fd, "metadata/new", "new", 3, 0644, &e), 0);
    assert_return_code(aside_commit(&a, &e), 0);
}

static void assert_no_temporary_names(const struct store_fixture *f)
{
    assert_false(there_is(f, ".update.part"));
    assert_false(there_is(f, ".update.old"));
}

static void the_folder_appears_when_it_is_committed_and_not_before(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(aside) struct aside a = NO_ASIDE;
    struct err e;
    assert_return_code(aside_begin(&a, f->fd, "update", &e), 0);
    assert_false(there_is(f, "update"));
    assert_return_code(aside_commit(&a, &e), 0);
    assert_true(there_is(f, "update"));
    assert_no_temporary_names(f);
}

static void what_is_not_committed_is_removed(void **state)
{
    const struct store_fixture *f = *state;
    struct err e;
    {
        AUTO(aside) struct aside a = NO_ASIDE;
        assert_return_code(aside_begin(&a, f->fd, "update", &e), 0);
        assert_return_code(fs_replace_at(a.fd, "deep/file", "x", 1, 0644, &e), 0);
    }
    assert_false(there_is(f, "update"));
    assert_no_temporary_names(f);
}

static void an_older_lockbox_directory_is_replaced_whole(void **state)
{
    const struct store_fixture *f = *state;
    put_file(f, "update/metadata/old", "old");
    put_file(f, "update/images/old", "old");
    replace(f);
    assert_file(f, "update/metadata/new", "new");
    assert_false(there_is(f, "update/metadata/old"));
    assert_false(there_is(f, "update/images"));
    assert_no_temporary_names(f);
}

static void the_devices_log_moves_on_with_its_journal(void **state)
{
    static const char *const logs[] = {"update-logs.db", "update-logs.db-journal", "update-logs.db-wal"};
    const struct store_fixture *f = *state;
    put_file(f, "update/metadata/old", "old");
    for (size_t i = 0; i < COUNT_OF(logs); i++) {
        AUTO_FREE char *path = mem_format("update/%s", logs[i]);
        put_file(f, path, logs[i]);
    }
    replace(f);
    for (size_t i = 0; i < COUNT_OF(logs); i++) {
        AUTO_FREE char *path = mem_format("update/%s", logs[i]);
        assert_file(f, path, logs[i]);
    }
}

static void what_is_no_lockbox_directory_is_left_alone(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(aside) struct aside a = NO_ASIDE;
    struct err e;
    put_file(f, "update/holiday.jpg", "mine");
    put_file(f, "file", "mine");
    assert_int_equal(aside_begin(&a, f->fd, "update", &e), -1);
    assert_int_equal(e.id, ERR_ALREADY_EXISTS);
    assert_int_equal(aside_begin(&a, f->fd, "file", &e), -1);
    assert_int_equal(e.id, ERR_ALREADY_EXISTS);
    assert_file(f, "update/holiday.jpg", "mine");
    assert_file(f, "file", "mine");
    assert_no_temporary_names(f);
}

static void a_persons_files_beside_metadata_are_never_removed(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(aside) struct aside a = NO_ASIDE;
    struct err e;
    put_file(f, "update/metadata/old", "old");
    put_file(f, "update/thesis.txt", "mine");
    assert_int_equal(aside_begin(&a, f->fd, "update", &e), -1);
    assert_int_equal(e.id, ERR_ALREADY_EXISTS);
    assert_file(f, "update/thesis.txt", "mine");
}

static void folders_of_others_under_the_temporary_names_are_left_alone(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(aside) struct aside a = NO_ASIDE;
    struct err e;
    put_file(f, ".update.old/mine", "mine");
    replace(f);
    assert_file(f, ".update.old/mine", "mine");
    put_file(f, ".update.part/mine", "mine");
    assert_int_equal(aside_begin(&a, f->fd, "update", &e), -1);
    assert_int_equal(e.id, ERR_ALREADY_EXISTS);
    assert_file(f, ".update.part/mine", "mine");
}

static void an_empty_folder_is_replaced(void **state)
{
    const struct store_fixture *f = *state;
    assert_return_code(mkdirat(f->fd, "update", 0755), 0);
    replace(f);
    assert_file(f, "update/metadata/new", "new");
}

static void a_link_under_the_final_name_is_not_followed(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(aside) struct aside a = NO_ASIDE;
    struct err e;
    put_file(f, "elsewhere/metadata/mine", "mine");
    assert_return_code(symlinkat("elsewhere", f->fd, "update"), 0);
    assert_int_equal(aside_begin(&a, f->fd, "update", &e), -1);
    assert_int_equal(e.id, ERR_ALREADY_EXISTS);
    assert_file(f, "elsewhere/metadata/mine", "mine");
}

static void the_leftovers_of_a_killed_run_are_removed(void **state)
{
    const struct store_fixture *f = *state;
    put_file(f, ".update.part/metadata/half", "half");
    replace(f);
    assert_file(f, "update/metadata/new", "new");
    assert_false(there_is(f, "update/metadata/half"));
    assert_no_temporary_names(f);
}

static void a_crash_between_two_renames_is_mended(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(aside) struct aside a = NO_ASIDE;
    struct err e;
    put_file(f, ".update.old/metadata/old", "old");
    assert_return_code(aside_begin(&a, f->fd, "update", &e), 0);
    assert_file(f, "update/metadata/old", "old");
}

static void two_cannot_build_the_same_folder(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(aside) struct aside first = NO_ASIDE;
    AUTO(aside) struct aside second = NO_ASIDE;
    struct err e;
    assert_return_code(aside_begin(&first, f->fd, "update", &e), 0);
    assert_return_code(fs_replace_at(first.fd, "metadata/new", "new", 3, 0644, &e), 0);
    assert_int_equal(aside_begin(&second, f->fd, "update", &e), -1);
    assert_int_equal(e.id, ERR_STORE_LOCKED);
    assert_return_code(aside_commit(&first, &e), 0);
    assert_file(f, "update/metadata/new", "new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(the_folder_appears_when_it_is_committed_and_not_before),
        store_test(what_is_not_committed_is_removed),
        store_test(an_older_lockbox_directory_is_replaced_whole),
        store_test(the_devices_log_moves_on_with_its_journal),
        store_test(what_is_no_lockbox_directory_is_left_alone),
        store_test(a_persons_files_beside_metadata_are_never_removed),
        store_test(folders_of_others_under_the_temporary_names_are_left_alone),
        store_test(an_empty_folder_is_replaced),
        store_test(a_link_under_the_final_name_is_not_followed),
        store_test(the_leftovers_of_a_killed_run_are_removed),
        store_test(a_crash_between_two_renames_is_mended),
        store_test(two_cannot_build_the_same_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
