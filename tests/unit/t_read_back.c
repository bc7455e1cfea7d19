/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "usb-tools/read_back.h"

static char folder[32];
static int folder_fd = -1;
static struct read_back_file files[2];

static int make_files(void **state)
{
    struct err e;
    (void)state;
    strcpy(folder, "/tmp/airlock-back-XXXXXX");
    static const char *const names[] = {"one", "two"};
    if (!mkdtemp(folder) || fs_open_dir(folder, &folder_fd, &e))
        return -1;
    for (size_t i = 0; i < 2; i++) {
        files[i] = (struct read_back_file){.path = names[i], .size = 3};
        hash_of(names[i], 3, files[i].sha256);
        if (fs_replace_at(folder_fd, names[i], names[i], 3, 0644, &e))
            return -1;
    }
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    unlinkat(folder_fd, "one", 0);
    unlinkat(folder_fd, "two", 0);
    close(folder_fd);
    return rmdir(folder);
}

static void files_that_are_as_written_pass(void **state)
{
    struct err e;
    (void)state;
    assert_return_code(read_back(folder_fd, files, 2, NULL, &e), 0);
}

static void a_file_with_other_bytes_is_named(void **state)
{
    struct err e;
    (void)state;
    assert_return_code(fs_replace_at(folder_fd, "two", "twp", 3, 0644, &e), 0);
    assert_int_equal(read_back(folder_fd, files, 2, NULL, &e), -1);
    assert_int_equal(e.id, ERR_READ_BACK);
    assert_non_null(strstr(e.message, "'two'"));
}

static void a_file_that_lost_its_end_fails(void **state)
{
    struct err e;
    (void)state;
    assert_return_code(fs_replace_at(folder_fd, "one", "on", 2, 0644, &e), 0);
    assert_int_equal(read_back(folder_fd, files, 2, NULL, &e), -1);
    assert_int_equal(e.id, ERR_READ_BACK);
}

static void a_file_that_is_gone_fails(void **state)
{
    struct err e;
    (void)state;
    assert_return_code(unlinkat(folder_fd, "one", 0), 0);
    assert_int_equal(read_back(folder_fd, files, 2, NULL, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_PATH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_that_are_as_written_pass, make_files, remove_files),
        cmocka_unit_test_setup_teardown(a_file_with_other_bytes_is_named, make_files, remove_files),
        cmocka_unit_test_setup_teardown(a_file_that_lost_its_end_fails, make_files, remove_files),
        cmocka_unit_test_setup_teardown(a_file_that_is_gone_fails, make_files, remove_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
