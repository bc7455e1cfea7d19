/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>

#include "base/fs.h"

static char folder[] = "/tmp/airlock-fs-XXXXXX";
static int dirfd;

static int set_up(void **state)
{
    struct err e;
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    return mkdtemp(folder) && fs_open_dir(folder, &dirfd, &e) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    struct err e;
    AUTO_FD int tmp = -1;
    (void)state;
    close(dirfd);
    return fs_open_dir("/tmp", &tmp, &e) || fs_remove_at(tmp, folder + strlen("/tmp/"), &e);
}

static int count(void *ctx, const char *name, struct err *e)
{
    (void)name, (void)e;
    ++*(unsigned *)ctx;
    return 0;
}

static unsigned count_entries(void)
{
    struct err e;
    unsigned n = 0;
    assert_int_equal(fs_each(dirfd, count, &n, &e), 0);
    return n;
}

static void an_uncommitted_file_leaves_nothing(void **state)
{
    (void)state;
    struct err e;
    {
        AUTO(fs_temp) struct fs_temp temp = {.fd = -1};
        assert_int_equal(fs_temp_open(&temp, dirfd, "name", 0600, &e), 0);
        assert_int_equal(fs_write_all(temp.fd, "half", 4, &e), 0);
        assert_int_equal(count_entries(), 1);
    }
    assert_int_equal(count_entries(), 0);
}

static void a_committed_file_replaces_the_old_one_whole(void **state)
{
    (void)state;
    struct err e;
    AUTO(buf) struct buf content = {0};
    assert_int_equal(fs_replace_at(dirfd, "a/b/name", "old", 3, 0600, &e), 0);
    assert_int_equal(fs_replace_at(dirfd, "a/b/name", "newer", 5, 0600, &e), 0);
    assert_int_equal(fs_read_at(dirfd, "a/b/name", 100, &content, &e), 0);
    assert_string_equal(buf_text(&content), "newer");
}

static void a_file_above_its_limit_is_refused(void **state)
{
    (void)state;
    struct err e;
    AUTO(buf) struct buf content = {0};
    assert_int_equal(fs_replace_at(dirfd, "name", "12345", 5, 0600, &e), 0);
    assert_int_equal(fs_read_at(dirfd, "name", 5, &content, &e), 0);
    assert_int_equal(fs_read_at(dirfd, "name", 4, &content, &e), -1);
    assert_int_equal(e.id, ERR_TOO_LARGE);
}

static void links_are_followed_neither_at_the_end_nor_on_the_way(void **state)
{
    (void)state;
    struct err e;
    int fd;
    assert_int_equal(fs_replace_at(dirfd, "real/name", "x", 1, 0600, &e), 0);
    assert_int_equal(symlinkat("real", dirfd, "folder"), 0);
    assert_int_equal(symlinkat("real/name", dirfd, "file"), 0);
    assert_int_equal(fs_open_at(dirfd, "file", O_RDONLY, 0, &fd, &e), -1);
    assert_int_equal(fs_open_at(dirfd, "folder/name", O_RDONLY, 0, &fd, &e), -1);
    assert_int_equal(fs_replace_at(dirfd, "folder/other", "x", 1, 0600, &e), -1);
}

static void nothing_climbs_out(void **state)
{
    (void)state;
    struct err e;
    int fd;
    assert_int_equal(fs_open_at(dirfd, "../etc/passwd", O_RDONLY, 0, &fd, &e), -1);
    assert_int_equal(e.id, ERR_UNSAFE_NAME);
    assert_int_equal(fs_open_dir_at(dirfd, "a/../..", true, &fd, &e), -1);
    assert_int_equal(e.id, ERR_UNSAFE_NAME);
}

static void a_pipe_is_no_file_and_holds_nobody(void **state)
{
    (void)state;
    struct err e;
    int fd;
    assert_int_equal(mkfifoat(dirfd, "pipe", 0600), 0);
    assert_int_equal(fs_open_at(dirfd, "pipe", O_RDONLY, 0, &fd, &e), -1);
    assert_int_equal(e.id, ERR_UNSAFE_NAME);
}

static void removing_a_tree_removes_links_and_not_what_they_name(void **state)
{
    (void)state;
    struct err e;
    struct stat st;
    assert_int_equal(fs_replace_at(dirfd, "kept/name", "x", 1, 0600, &e), 0);
    assert_int_equal(fs_replace_at(dirfd, "tree/deep/name", "x", 1, 0600, &e), 0);
    assert_int_equal(symlinkat("../kept", dirfd, "tree/link"), 0);
    assert_int_equal(fs_remove_at(dirfd, "tree", &e), 0);
    assert_int_equal(fstatat(dirfd, "tree", &st, 0), -1);
    assert_int_equal(fstatat(dirfd, "kept/name", &st, 0), 0);
    assert_int_equal(fs_remove_at(dirfd, "tree", &e), 0); /* nothing there is no error */
}

static void a_missing_file_is_told_apart(void **state)
{
    (void)state;
    struct err e;
    AUTO(buf) struct buf content = {0};
    assert_int_equal(fs_read_at(dirfd, "none", 10, &content, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_PATH);
    assert_int_equal(fs_read_at(dirfd, "none/inside", 10, &content, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_PATH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_uncommitted_file_leaves_nothing),
        TEST(a_committed_file_replaces_the_old_one_whole),
        TEST(a_file_above_its_limit_is_refused),
        TEST(links_are_followed_neither_at_the_end_nor_on_the_way),
        TEST(nothing_climbs_out),
        TEST(a_pipe_is_no_file_and_holds_nobody),
        TEST(removing_a_tree_removes_links_and_not_what_they_name),
        TEST(a_missing_file_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
