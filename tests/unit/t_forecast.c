/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "usb-tools/forecast.h"

#define CLUSTER (128u << 10)

static struct forecast fat32(void)
{
    return (struct forecast){.file_system = mem_strdup("vfat"),
                             .cluster_bytes = CLUSTER,
                             .free_bytes = 100 * CLUSTER,
                             .file_limit = UINT32_MAX};
}

static void small_files_take_a_cluster_each(void **state)
{
    (void)state;
    AUTO(forecast) struct forecast f = fat32();
    struct err e;
    const struct member members[] = {
        {.path = "images/a/x", .size = 1},
        {.path = "images/a/y", .size = CLUSTER},
        {.path = "images/b/deep/z", .size = CLUSTER + 1},
        {.path = "images/empty", .size = 0},
    };
    assert_return_code(forecast_files(&f, members, COUNT_OF(members), &e), 0);
    assert_int_equal(f.least, 4 * CLUSTER);
    /* four folders and the two above them, which may need a second cluster; the entries */
    assert_int_equal(f.most, f.least + 12 * CLUSTER + CLUSTER);
}

static void a_file_that_the_file_system_cannot_hold_is_named(void **state)
{
    (void)state;
    AUTO(forecast) struct forecast f = fat32();
    struct err e = {0};
    struct member m = {.path = "images/large", .size = UINT32_MAX};
    assert_return_code(forecast_files(&f, &m, 1, &e), 0);
    m.size++;
    assert_int_equal(forecast_files(&f, &m, 1, &e), -1);
    assert_int_equal(e.id, ERR_FILE_TOO_LARGE);
    assert_non_null(strstr(e.message, "images/large"));
}

static void what_is_sure_is_refused_and_what_may_be_is_remarked(void **state)
{
    (void)state;
    AUTO(forecast) struct forecast f = fat32();
    struct err e = {0};
    forecast_stream(&f, 100 * CLUSTER, 100 * CLUSTER, 0);
    assert_return_code(forecast_check(&f, 0, &e), 0);
    assert_int_equal(f.remark_count, 1); /* the last cluster may be one too many */
    forecast_stream(&f, 100 * CLUSTER + 1, 100 * CLUSTER + 1, 0);
    assert_int_equal(forecast_check(&f, 0, &e), -1);
    assert_int_equal(e.id, ERR_NO_SPACE);
    assert_return_code(forecast_check(&f, 2 * CLUSTER, &e), 0); /* what gives way counts */
    size_t remarks = f.remark_count;
    f.free_unknown = true; /* then nothing is said of room */
    assert_return_code(forecast_check(&f, 0, &e), 0);
    assert_int_equal(f.remark_count, remarks);
    f.free_unknown = false;
    f.read_only = true;
    assert_int_equal(forecast_check(&f, 2 * CLUSTER, &e), -1);
    assert_int_equal(e.id, ERR_READ_ONLY);
}

static void one_file_may_get_too_large_and_volumes_do_not(void **state)
{
    (void)state;
    AUTO(forecast) struct forecast f = fat32();
    forecast_stream(&f, 0, 5ull << 30, 4000ull << 20);
    assert_int_equal(f.remark_count, 0);
    forecast_stream(&f, 0, 5ull << 30, 0);
    assert_int_equal(f.remark_count, 1);
    assert_non_null(strstr(f.remarks[0], "vfat"));
}

static void a_stick_that_not_every_device_reads_is_remarked(void **state)
{
    (void)state;
    static const struct {
        const char *file_system;
        size_t remarks;
    } cases[] = {{"vfat", 0}, {"ext4", 0}, {"exfat", 1}, {"ntfs3", 1}, {"btrfs", 1}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(forecast) struct forecast f = fat32();
        struct err e;
        free(f.file_system);
        f.file_system = mem_strdup(cases[i].file_system);
        f.is_stick = true;
        assert_return_code(forecast_check(&f, 0, &e), 0);
        assert_int_equal(f.remark_count, cases[i].remarks);
    }
}

static void the_medium_is_asked_and_what_it_holds_is_counted(void **state)
{
    (void)state;
    char folder[] = "/tmp/airlock-forecast-XXXXXX";
    AUTO(forecast) struct forecast f = {0};
    AUTO_FD int dirfd = -1;
    struct err e;
    struct statvfs st;
    assert_non_null(mkdtemp(folder));
    assert_return_code(fs_open_dir(folder, &dirfd, &e), 0);
    assert_return_code(forecast_medium(dirfd, &f, &e), 0);
    assert_int_equal(fstatvfs(dirfd, &st), 0);
    assert_int_equal(f.cluster_bytes, st.f_bsize);
    assert_false(f.read_only);
    assert_int_equal(forecast_held(dirfd, "none", 512), 0);
    assert_return_code(fs_replace_at(dirfd, "part/a", "x", 1, 0644, &e), 0);
    uint64_t one = forecast_held(dirfd, "part", 512);
    assert_return_code(fs_replace_at(dirfd, "part/b", "y", 1, 0644, &e), 0);
    assert_int_equal(forecast_held(dirfd, "part", 512) % 512, 0);
    assert_in_range(forecast_held(dirfd, "part", 512), one + 512, one + 1024);
    assert_return_code(fs_remove_at(dirfd, "part", &e), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_files_take_a_cluster_each),
        cmocka_unit_test(a_file_that_the_file_system_cannot_hold_is_named),
        cmocka_unit_test(what_is_sure_is_refused_and_what_may_be_is_remarked),
        cmocka_unit_test(one_file_may_get_too_large_and_volumes_do_not),
        cmocka_unit_test(a_stick_that_not_every_device_reads_is_remarked),
        cmocka_unit_test(the_medium_is_asked_and_what_it_holds_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
