/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bundle_fixture.h"

#include "usb-tools/export_squashfs.h"
#include "usb-tools/squashfs_compare.h"

static struct fixture fixture; /* too large for a stack */

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

/* Files and folders of every kind, sorted as members are. */
static void add_members(void)
{
    AUTO(buf) struct buf noise = {0}, deep = {0}, text = {0};
    fixture_noise(&noise, 400000, 3);
    while (text.len < 300000)
        buf_add_text(&text, "the same line again\n");
    buf_add_text(&deep, "images/d");
    for (unsigned i = 0; i < 400; i++)
        buf_add_text(&deep, "/d");
    fixture_add(&fixture, "metadata/director/1.root.json", "{}", 2);
    fixture_add(&fixture, "images/a-b", "sorts before a folder 'a'", 25);
    fixture_add(&fixture, "images/a/empty", "", 0);
    fixture_add(&fixture, "images/a/one", "1", 1);
    fixture_add(&fixture, "images/a0", "sorts after it", 14);
    fixture_add(&fixture, "images/b/noise", noise.data, noise.len);
    fixture_add(&fixture, "images/b/text", text.data, text.len);
    fixture_add(&fixture, buf_text(&deep), "at the bottom", 13);
    for (unsigned i = 0; i < 3000; i++) {
        AUTO_FREE char *path = mem_format("images/objects/%02u/%04u", i / 100, i);
        AUTO_FREE char *content = mem_format("object %u", i);
        fixture_add(&fixture, path, content, strlen(content));
    }
}

static int export(struct err *e)
{
    uint64_t bytes;
    AUTO(several) struct several at;
    several_init(&at, 1, NULL);
    return export_squashfs(&fixture.dirfd, &at, fixture.members, fixture.member_count, NULL, &bytes, e);
}

static void must_export(void)
{
    struct err e = {0};
    if (export(&e))
        fail_msg("%s: %s", err_name(e.id), e.message);
}

static enum err_id error_of_comparing(const struct member *members, size_t n)
{
    AUTO_FD int fd = -1;
    struct err e = {0};
    assert_return_code(fs_open_at(fixture.dirfd, SQUASHFS_NAME, O_RDONLY, 0, &fd, &e), 0);
    return squashfs_compare(fd, members, n, NULL, &e) ? e.id : 0;
}

static void every_kind_of_member_comes_back(void **state)
{
    (void)state;
    add_members();
    must_export();
    assert_int_equal(error_of_comparing(fixture.members, fixture.member_count), 0);
}

static void a_lockbox_without_packages_is_an_image(void **state)
{
    (void)state;
    fixture_add(&fixture, "metadata/director/1.root.json", "{}", 2);
    must_export();
    assert_int_equal(error_of_comparing(fixture.members, 1), 0);
}

static void a_member_more_or_less_or_another_is_noticed(void **state)
{
    (void)state;
    add_members();
    must_export();
    assert_int_equal(error_of_comparing(fixture.members, fixture.member_count - 1), ERR_READ_BACK);
    assert_int_equal(error_of_comparing(fixture.members + 1, fixture.member_count - 1), ERR_READ_BACK);
    fixture.members[3].sha256[0] ^= 1;
    assert_int_equal(error_of_comparing(fixture.members, fixture.member_count), ERR_READ_BACK);
    fixture.members[3].sha256[0] ^= 1;
    fixture_add(&fixture, "images/zz", "more", 4);
    assert_int_equal(error_of_comparing(fixture.members, fixture.member_count), ERR_READ_BACK);
}

/* Only bytes in gaps and unused fields may change unnoticed, and then every content is still right: that is
 * what comparing means. Here nothing may crash, and a changed content must not pass. */
static void changed_bytes_are_noticed_or_harmless(void **state)
{
    (void)state;
    AUTO(buf) struct buf noise = {0};
    fixture_noise(&noise, 200000, 9);
    fixture_add(&fixture, "images/noise", noise.data,
                noise.len); /* stored as it is: each of its bytes counts */
    must_export();
    AUTO_FD int fd = -1;
    struct err e = {0};
    struct stat st;
    assert_return_code(fs_open_at(fixture.dirfd, SQUASHFS_NAME, O_RDWR, 0, &fd, &e), 0);
    assert_int_equal(fstat(fd, &st), 0);
    unsigned noticed = 0, tried = 0;
    for (off_t at = 0; at < st.st_size; at += at < 96 ? 1 : at > st.st_size - 5000 ? 37 : 1997, tried++) {
        uint8_t byte, changed;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        changed = byte ^ 0x55;
        assert_int_equal(pwrite(fd, &changed, 1, at), 1);
        bool is_noticed = error_of_comparing(fixture.members, 1) != 0;
        noticed += is_noticed;
        if (at > 200 && at < 199000)
            assert_true(is_noticed);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    assert_in_range(noticed, 150, tried);
    assert_int_equal(error_of_comparing(fixture.members, 1), 0);
}

static int count_name(void *ctx, const char *name, struct err *e)
{
    (void)name, (void)e;
    ++*(unsigned *)ctx;
    return 0;
}

static void a_source_that_lies_leaves_nothing(void **state)
{
    (void)state;
    struct err e = {0};
    unsigned names = 0;
    add_members();
    fixture.contents[5].sha256[0] ^= 1;
    assert_int_equal(export(&e), -1);
    assert_int_equal(e.id, ERR_WRONG_HASH);
    assert_non_null(strstr(e.message, "images/b/noise"));
    assert_return_code(fs_each(fixture.dirfd, count_name, &names, &e), 0);
    assert_int_equal(names, 0);
}

/* Bytes of the image that were waited for, or flushed: the program's sync_file_range() and fsync() are these.
 */
static uint64_t on_medium;

int sync_file_range(int fd, off_t offset, off_t count, unsigned int flags)
{
    if (flags & SYNC_FILE_RANGE_WAIT_AFTER)
        on_medium = (uint64_t)(offset + count);
    return (int)syscall(SYS_sync_file_range, fd, offset, count, flags);
}

int fsync(int fd)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        on_medium = (uint64_t)st.st_size;
    return (int)syscall(SYS_fsync, fd);
}

static void assert_true_to_the_medium(struct progress *p, const char *event)
{
    if (strcmp(p->phase, "write") != 0)
        return;
    ++*(unsigned *)p->ctx;
    assert_true(atomic_load(&p->done) <= on_medium);
    if (!strcmp(event, "end"))
        assert_int_equal(atomic_load(&p->done), p->total);
}

static void the_progress_counts_what_is_on_the_medium(void **state)
{
    (void)state;
    AUTO(buf) struct buf noise = {0};
    unsigned shown = 0;
    uint64_t bytes;
    struct progress p = {.show = assert_true_to_the_medium, .ctx = &shown};
    struct err e = {0};
    AUTO(several) struct several at;
    several_init(&at, 1, &p);
    fixture_noise(&noise, 40u << 20, 9); /* it has as many bytes in the image as in the file */
    fixture_add(&fixture, "images/a", noise.data, noise.len);
    on_medium = 0;
    assert_return_code(
        export_squashfs(&fixture.dirfd, &at, fixture.members, fixture.member_count, NULL, &bytes, &e), 0);
    assert_in_range(shown, 10, 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_folder, close_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_member_comes_back),
        TEST(a_lockbox_without_packages_is_an_image),
        TEST(a_member_more_or_less_or_another_is_noticed),
        TEST(changed_bytes_are_noticed_or_harmless),
        TEST(a_source_that_lies_leaves_nothing),
        TEST(the_progress_counts_what_is_on_the_medium),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
