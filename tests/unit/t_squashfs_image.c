/* SPDX-License-Identifier: Apache-2.0
 *
 * Images that lie about what they hold; whole ones are read in t_export_squashfs.c.
 */
#include "bundle_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include "usb-tools/export_squashfs.h"
#include "usb-tools/squashfs_image.h"

static struct fixture fixture; /* too large for a stack */
static int image_fd;

static int make_image(void **state)
{
    uint64_t bytes;
    struct err e = {0};
    AUTO(several) struct several at;
    (void)state;
    several_init(&at, 1, NULL);
    fixture_open(&fixture);
    fixture_add(&fixture, "metadata/director/1.root.json", "{}", 2);
    fixture_add(&fixture, "images/a", "text", 4);
    assert_return_code(
        export_squashfs(&fixture.dirfd, &at, fixture.members, fixture.member_count, NULL, &bytes, &e), 0);
    assert_return_code(fs_open_at(fixture.dirfd, SQUASHFS_NAME, O_RDWR, 0, &image_fd, &e), 0);
    return 0;
}

static int remove_image(void **state)
{
    (void)state;
    close(image_fd);
    fixture_close(&fixture);
    return 0;
}

/* Fields of the superblock, by the format's description. */
enum { FRAGMENTS = 16, COMPRESSION = 20, IDS = 26, ROOT = 32, BYTES_USED = 40, INODES = 64, FOLDERS = 72 };

static void change(off_t at, const void *bytes, size_t n)
{
    assert_int_equal(pwrite(image_fd, bytes, n, at), n);
}

static void expect(enum err_id id)
{
    struct squashfs_image *x;
    struct err e = {0};
    assert_int_equal(squashfs_image_open(image_fd, &x, &e), -1);
    assert_string_equal(err_name(e.id), err_name(id));
}

static void the_files_are_listed_by_path(void **state)
{
    struct squashfs_image *x;
    struct err e;
    (void)state;
    assert_true(squashfs_is_image(image_fd));
    assert_return_code(squashfs_image_open(image_fd, &x, &e), 0);
    assert_int_equal(squashfs_image_count(x), 2);
    assert_string_equal(squashfs_image_at(x, 0)->path, "images/a");
    assert_int_equal(squashfs_image_at(x, 0)->size, 4);
    assert_string_equal(squashfs_image_at(x, 1)->path, "metadata/director/1.root.json");
    assert_int_equal(squashfs_image_at(x, 1)->size, 2);
    assert_in_range(squashfs_image_stored(x), 97, lseek(image_fd, 0, SEEK_END));
    squashfs_image_close(x);
}

static void what_is_no_image_is_none(void **state)
{
    (void)state;
    change(0, "sqsh", 4);
    assert_false(squashfs_is_image(image_fd));
    expect(ERR_BAD_SQUASHFS);
    assert_return_code(ftruncate(image_fd, 3), 0);
    assert_false(squashfs_is_image(image_fd));
}

static void a_table_larger_than_any_image_has_is_not_asked_for(void **state)
{
    (void)state;
    change(FRAGMENTS, "\xff\xff\xff\x7f", 4); /* 32 GiB of them */
    expect(ERR_TOO_LARGE);
}

static void another_compression_is_not_tried(void **state)
{
    (void)state;
    change(COMPRESSION, "\x06\x00", 2);
    expect(ERR_BAD_SQUASHFS);
}

static void an_end_behind_the_file_is_refused(void **state)
{
    (void)state;
    change(BYTES_USED, "\xff\xff\xff\xff\xff\xff\xff\x7f", 8);
    expect(ERR_BAD_SQUASHFS);
}

static void a_root_that_is_nowhere_is_refused(void **state)
{
    (void)state;
    change(ROOT, "\xff\x1f\xff\xff\x00\x00\x00\x00", 8);
    expect(ERR_BAD_SQUASHFS);
}

static void owners_that_are_not_there_are_refused(void **state)
{
    (void)state;
    change(IDS, "\x00\x00", 2);
    expect(ERR_BAD_SQUASHFS);
}

static uint64_t field(off_t at)
{
    uint8_t bytes[8];
    uint64_t value = 0;
    assert_int_equal(pread(image_fd, bytes, sizeof bytes, at), sizeof bytes);
    for (unsigned i = 8; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

/* An inode with a block list of 4 TiB's length: libsquashfs would ask for all of it at once. */
static void a_file_of_more_blocks_than_memory_is_refused_before_its_inode_is_read(void **state)
{
    /* a block of 56 bytes that is not compressed, in the place of the inodes: an extended file of 2^48 bytes
     */
    uint8_t block[58] = {56, 0x80, 9, 0};
    (void)state;
    memset(block + 2 + 24, 0xff, 6);
    assert_true(field(FOLDERS) - field(INODES) >= sizeof block);
    change((off_t)field(INODES), block, sizeof block);
    change(ROOT, "\0\0\0\0\0\0\0\0", 8);
    expect(ERR_TOO_LARGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_image, remove_image)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_files_are_listed_by_path),
        TEST(what_is_no_image_is_none),
        TEST(a_table_larger_than_any_image_has_is_not_asked_for),
        TEST(another_compression_is_not_tried),
        TEST(an_end_behind_the_file_is_refused),
        TEST(a_root_that_is_nowhere_is_refused),
        TEST(owners_that_are_not_there_are_refused),
        TEST(a_file_of_more_blocks_than_memory_is_refused_before_its_inode_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
