/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/media.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "usb-tools/mounts.h"

static int new_image(void)
{
    char path[] = "/tmp/airlock-media-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    return fd;
}

static void a_vfat_image_says_its_label(void **state)
{
    struct err e = {0};
    AUTO_FREE char *type = NULL, *label = NULL;
    AUTO_FD int fd = new_image();
    AUTO_FREE char *command = mem_format("mkfs.vfat -n UPDATES /proc/%d/fd/%d >/dev/null", (int)getpid(), fd);
    (void)state;
    assert_int_equal(system(command), 0);
    assert_int_equal(media_probe(fd, &type, &label, &e), 0);
    assert_string_equal(type, "vfat");
    assert_string_equal(label, "UPDATES");
}

static void an_empty_image_has_no_file_system(void **state)
{
    struct err e = {0};
    char *type = (char *)"", *label = (char *)"";
    AUTO_FD int fd = new_image();
    (void)state;
    assert_int_equal(media_probe(fd, &type, &label, &e), 0);
    assert_null(type);
    assert_null(label);
}

static void fat_ends_files_before_4_gib(void **state)
{
    (void)state;
    assert_int_equal(media_file_limit("vfat"), 0xffffffff);
    assert_int_equal(media_file_limit("exfat"), 0);
    assert_int_equal(media_file_limit("ext4"), 0);
}

static void mountinfo_is_taken_apart(void **state)
{
    AUTO(mounts) struct mounts m;
    (void)state;
    mounts_parse("22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
                 "short line\n"
                 "23 22 8:17 / /media/a\\040b\\134 nosuid,ro shared:1 - vfat /dev/sdb1 rw\n"
                 "25 22 8:33 / /run/live/medium ro - iso9660 /dev/sdc1 ro\n"
                 "24 22 8:17 / /mnt rw,errors=remount-ro - vfat /dev/sdb1 rw\n",
                 &m);
    assert_int_equal(m.count, 4);
    assert_string_equal(mounts_find(&m, "8:17")->point, "/media/a b\\");
    assert_true(mounts_find(&m, "8:17")->read_only);
    assert_false(m.items[3].read_only);
    assert_null(mounts_find(&m, "8:1 "));
    assert_true(mounts_hold_system(&m, "8:1"));
    assert_true(mounts_hold_system(&m, "8:33"));
    assert_false(mounts_hold_system(&m, "8:17"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vfat_image_says_its_label),
        cmocka_unit_test(an_empty_image_has_no_file_system),
        cmocka_unit_test(fat_ends_files_before_4_gib),
        cmocka_unit_test(mountinfo_is_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
