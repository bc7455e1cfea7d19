/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder and an image that replace older ones while the n-th call that changes the medium fails, for every
 * n, once or from then on (a pulled stick): the older or the newer one is there, whole, and the same call
 * finishes.
 *
 * The calls are the program's own write(), pwrite(), rename() and so on, in the place of libc's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bundle_fixture.h"

#include "usb-tools/export_squashfs.h"
#include "usb-tools/squashfs_compare.h"

static struct fixture older, newer; /* too large for a stack; both go to newer's folder */

/* ---- calls that fail ---- */

enum fault { NEVER, ONCE, FOREVER };
static enum fault fault;
static unsigned fault_at, calls;

static bool fails(void)
{
    calls++;
    bool now = (fault == ONCE && calls == fault_at) || (fault == FOREVER && calls >= fault_at);
    errno = EIO;
    return now;
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    return fails() ? -1 : syscall(SYS_write, fd, bytes, n);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    return fails() ? -1 : syscall(SYS_pwrite64, fd, bytes, n, at);
}

int fsync(int fd)
{
    return fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

int syncfs(int fd)
{
    return fails() ? -1 : (int)syscall(SYS_syncfs, fd);
}

int ftruncate(int fd, off_t size)
{
    return fails() ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    return fails() ? -1 : (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

/* FAT has no exchange, so the two renames are tried by turns. */
static bool exchanges;

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    if (fails())
        return -1;
    if (!exchanges) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

int unlinkat(int fd, const char *name, int flags)
{
    return fails() ? -1 : (int)syscall(SYS_unlinkat, fd, name, flags);
}

int mkdirat(int fd, const char *name, mode_t mode)
{
    return fails() ? -1 : (int)syscall(SYS_mkdirat, fd, name, mode);
}

/* ---- what is written ---- */

static int open_fixtures(void **state)
{
    (void)state;
    fault = NEVER;
    fixture_open(&older);
    fixture_open(&newer);
    fixture_add(&older, "images/pump.bin", "older", 5);
    fixture_add(&older, "metadata/director/1.root.json", "{\"v\":1}", 7);
    fixture_add(&newer, "images/empty", "", 0);
    fixture_add(&newer, "images/pump.bin", "newer", 5);
    fixture_add(&newer, "metadata/director/1.root.json", "{\"v\":2}", 7);
    return 0;
}

static int close_fixtures(void **state)
{
    (void)state;
    fault = NEVER;
    fixture_close(&older);
    fixture_close(&newer);
    return 0;
}

static int write_folder(const struct fixture *f, struct err *e)
{
    return export_one(newer.dirfd, "update", f->members, f->member_count, NULL, e);
}

static int write_image(const struct fixture *f, struct err *e)
{
    uint64_t bytes;
    AUTO(several) struct several at;
    several_init(&at, 1, NULL);
    return export_squashfs(&newer.dirfd, &at, f->members, f->member_count, NULL, &bytes, e);
}

static bool is_held_by(const char *folder, const struct fixture *f)
{
    for (size_t i = 0; i < f->member_count; i++) {
        AUTO_FREE char *path = mem_format("%s/%s", folder, f->members[i].path);
        AUTO(buf) struct buf content = {0};
        uint8_t digest[HASH_SIZE];
        struct err e;
        if (fs_read_at(newer.dirfd, path, 64, &content, &e))
            return false;
        hash_of(content.data, content.len, digest);
        if (memcmp(digest, f->members[i].sha256, HASH_SIZE))
            return false;
    }
    return true;
}

static bool folder_holds(const struct fixture *f)
{
    return is_held_by("update", f);
}

static bool image_holds(const struct fixture *f)
{
    AUTO_FD int fd = -1;
    struct err e;
    return fs_open_at(newer.dirfd, SQUASHFS_NAME, O_RDONLY, 0, &fd, &e) == 0 &&
           squashfs_compare(fd, f->members, f->member_count, NULL, &e) == 0;
}

static int count_name(void *ctx, const char *name, struct err *e)
{
    (void)name, (void)e;
    ++*(unsigned *)ctx;
    return 0;
}

static unsigned count_names(void)
{
    unsigned names = 0;
    struct err e;
    assert_return_code(fs_each(newer.dirfd, count_name, &names, &e), 0);
    return names;
}

struct form {
    int (*write)(const struct fixture *f, struct err *e);
    bool (*holds)(const struct fixture *f);
    bool by_two_renames; /* between them the older one stands under another name, until the next call */
};

/* Writes the older one whole, then the newer one with a call that fails. */
static int write_with_fault(const struct form *form, unsigned at, enum fault how, struct err *e)
{
    struct err none;
    fault = NEVER;
    assert_return_code(form->write(&older, &none), 0);
    assert_true(form->holds(&older));
    fault = how;
    fault_at = at;
    calls = 0;
    int rc = form->write(&newer, e);
    fault = NEVER;
    return rc;
}

static void fail_everywhere(const struct form *form, enum fault how)
{
    struct err e = {0};
    unsigned failures = 0;
    assert_return_code(write_with_fault(form, 0, NEVER, &e), 0);
    unsigned all = calls;
    assert_in_range(all, 8, 200);
    for (unsigned at = 1; at <= all; at++) {
        bool failed = write_with_fault(form, at, how, &e) != 0;
        failures += failed;
        bool between = form->by_two_renames && is_held_by(".update.old", &older);
        if (failed)
            assert_int_equal(err_exit_code(e.id), EXIT_MEDIUM);
        if (!between && !form->holds(&older) && !form->holds(&newer))
            fail_msg("after call %u neither is whole", at);
        if (form->write(&newer, &e))
            fail_msg("after call %u failed: %s: %s", at, err_name(e.id), e.message);
        assert_true(form->holds(&newer));
        assert_int_equal(count_names(), 1);
    }
    assert_in_range(failures, all / 2, all); /* what is only tidied may fail unnoticed */
}

static void a_folder_is_the_older_or_the_newer_one(void **state)
{
    static const struct form form = {write_folder, folder_holds, false};
    (void)state;
    exchanges = true;
    fail_everywhere(&form, ONCE);
    fail_everywhere(&form, FOREVER);
}

static void a_folder_without_exchange_is_brought_back_by_the_next_call(void **state)
{
    static const struct form form = {write_folder, folder_holds, true};
    (void)state;
    exchanges = false;
    fail_everywhere(&form, ONCE);
    fail_everywhere(&form, FOREVER);
}

static void an_image_is_the_older_or_the_newer_one(void **state)
{
    static const struct form form = {write_image, image_holds, false};
    (void)state;
    fail_everywhere(&form, ONCE);
    fail_everywhere(&form, FOREVER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixtures, close_fixtures)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_is_the_older_or_the_newer_one),
        TEST(a_folder_without_exchange_is_brought_back_by_the_next_call),
        TEST(an_image_is_the_older_or_the_newer_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
