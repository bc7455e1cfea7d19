/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"
#include "usb-tools/device/sandbox.h"
#include "usb-tools/device/seal.h"

static int open_lent(const struct store_fixture *f)
{
    struct err e;
    int fd = -1;
    put_file(f, "part/metadata/director/root.json", "{}");
    put_file(f, "part/images/pump-1", "bytes");
    assert_return_code(fs_open_dir_at(f->fd, "part", false, &fd, &e), 0);
    assert_return_code(sandbox_lend(fd, &e), 0);
    return fd;
}

static void assert_own(const struct store_fixture *f, const char *path, mode_t mode)
{
    struct stat st;
    assert_int_equal(fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(st.st_uid, geteuid());
    assert_int_equal(st.st_mode & 07777, mode);
}

static void everything_belongs_to_the_device_afterwards(void **state)
{
    const struct store_fixture *f = *state;
    struct err e;
    AUTO_FD int fd = open_lent(f);
    assert_return_code(fchmodat(fd, "images/pump-1", 06777, 0), 0);
    assert_return_code(seal(fd, &e), 0);
    assert_own(f, "part", 0755);
    assert_own(f, "part/metadata/director", 0755);
    assert_own(f, "part/metadata/director/root.json", 0644);
    assert_own(f, "part/images/pump-1", 0644);
}

static void assert_refused(int fd, const char *name)
{
    struct err e;
    assert_int_equal(seal(fd, &e), -1);
    assert_int_equal(e.id, ERR_INTERNAL);
    assert_non_null(strstr(e.message, name));
}

static void a_link_is_refused(void **state)
{
    const struct store_fixture *f = *state;
    AUTO_FD int fd = open_lent(f);
    put_file(f, "outside", "the device's");
    assert_return_code(symlinkat("../../outside", fd, "images/link"), 0);
    assert_refused(fd, "link");
    assert_own(f, "outside", 0600);
}

static void a_second_name_is_refused(void **state)
{
    const struct store_fixture *f = *state;
    AUTO_FD int fd = open_lent(f);
    put_file(f, "outside", "the device's");
    assert_return_code(linkat(f->fd, "outside", fd, "images/second", 0), 0);
    assert_refused(fd, "second");
    assert_own(f, "outside", 0600);
}

static void a_pipe_is_refused_and_holds_nobody(void **state)
{
    const struct store_fixture *f = *state;
    AUTO_FD int fd = open_lent(f);
    assert_return_code(mkfifoat(fd, "metadata/pipe", 0600), 0);
    assert_refused(fd, "pipe");
}

/* The client would write its log through it, and the helper would read that. */
static void what_is_no_part_of_a_lockbox_is_refused(void **state)
{
    const struct store_fixture *f = *state;
    AUTO_FD int fd = open_lent(f);
    put_file(f, "part/update-logs.db", "hostile");
    assert_refused(fd, "update-logs.db");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(everything_belongs_to_the_device_afterwards),
        store_test(a_link_is_refused),
        store_test(a_second_name_is_refused),
        store_test(a_pipe_is_refused_and_holds_nobody),
        store_test(what_is_no_part_of_a_lockbox_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
