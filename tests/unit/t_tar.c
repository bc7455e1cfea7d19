/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "bundle-format/tar.h"

static void a_short_path_takes_one_block(void **state)
{
    (void)state;
    AUTO(buf) struct buf header = {0};
    tar_add_header(&header, "images/a.bin", 0x1ffffffffull);
    assert_int_equal(header.len, TAR_BLOCK);
    assert_string_equal((char *)header.data, "images/a.bin");
    assert_string_equal((char *)header.data + 100, "0000644");
    assert_string_equal((char *)header.data + 124, "77777777777");
    assert_string_equal((char *)header.data + 136, "00000000000");
    assert_int_equal(header.data[156], '0');
    assert_memory_equal(header.data + 257, "ustar\00000", 8);
}

static void the_checksum_is_the_sum_with_blanks_in_its_place(void **state)
{
    (void)state;
    AUTO(buf) struct buf header = {0};
    char expected[8];
    unsigned sum = 8 * ' ';
    tar_add_header(&header, "images/a.bin", 5);
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += i < 148 || i >= 156 ? header.data[i] : 0;
    snprintf(expected, sizeof expected, "%06o", sum);
    assert_string_equal((char *)header.data + 148, expected);
    assert_int_equal(header.data[155], ' ');
}

static void a_longer_path_is_cut_at_a_slash(void **state)
{
    (void)state;
    AUTO(buf) struct buf header = {0};
    AUTO_FREE char *path = mem_format("images/%0*d/%0*d", 60, 1, 90, 2);
    tar_add_header(&header, path, 1);
    assert_int_equal(header.len, TAR_BLOCK);
    assert_int_equal(strlen((char *)header.data), 90);
    assert_memory_equal(header.data + 345, "images/0", 8);
    assert_int_equal(strlen((char *)header.data + 345), 67);
}

static void a_path_without_a_place_to_cut_gets_a_pax_header(void **state)
{
    (void)state;
    AUTO(buf) struct buf header = {0};
    AUTO_FREE char *path = mem_format("images/%0*d", 120, 1);
    AUTO_FREE char *record = mem_format("137 path=%s\n", path);
    tar_add_header(&header, path, 1);
    assert_int_equal(header.len, 3 * TAR_BLOCK);
    assert_int_equal(header.data[156], 'x');
    assert_string_equal((char *)header.data + 124, "00000000211"); /* 137 */
    assert_int_equal(strlen(record), 137);
    assert_string_equal((char *)header.data + TAR_BLOCK, record);
    assert_memory_equal(header.data + 2 * TAR_BLOCK, path, 100);
}

static void eight_gibibytes_and_more_stand_in_a_pax_header(void **state)
{
    (void)state;
    AUTO(buf) struct buf header = {0};
    tar_add_header(&header, "images/a.bin", 1ull << 33);
    assert_int_equal(header.len, 3 * TAR_BLOCK);
    assert_string_equal((char *)header.data + TAR_BLOCK, "19 size=8589934592\n");
    assert_string_equal((char *)header.data + 2 * TAR_BLOCK + 124, "00000000000");
}

static void a_record_counts_its_own_length_across_a_power_of_ten(void **state)
{
    (void)state;
    for (int len = 80; len < 120; len++) {
        AUTO(buf) struct buf header = {0};
        AUTO_FREE char *path = mem_format("%0*d", len + 21, 1); /* no slash: never cut */
        tar_add_header(&header, path, 1);
        char *record = (char *)header.data + TAR_BLOCK;
        assert_int_equal(strtoul(record, NULL, 10), strlen(record));
    }
}

static void only_the_header_that_would_be_written_is_read(void **state)
{
    (void)state;
    AUTO(buf) struct buf header = {0};
    struct err e;
    uint64_t size = 0;
    tar_add_header(&header, "LOCKBOX.json", 1234);
    assert_return_code(tar_read_size(header.data, header.len, "LOCKBOX.json", &size, &e), 0);
    assert_int_equal(size, 1234);
    assert_int_equal(tar_read_size(header.data, header.len - 1, "LOCKBOX.json", &size, &e), -1);
    assert_int_equal(tar_read_size(header.data, header.len, "LOCKBOX.txt", &size, &e), -1);
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        header.data[i] ^= 0x40;
        assert_int_equal(tar_read_size(header.data, header.len, "LOCKBOX.json", &size, &e), -1);
        assert_int_equal(e.id, ERR_BUNDLE_INCONSISTENT);
        header.data[i] ^= 0x40;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_path_takes_one_block),
        cmocka_unit_test(the_checksum_is_the_sum_with_blanks_in_its_place),
        cmocka_unit_test(a_longer_path_is_cut_at_a_slash),
        cmocka_unit_test(a_path_without_a_place_to_cut_gets_a_pax_header),
        cmocka_unit_test(eight_gibibytes_and_more_stand_in_a_pax_header),
        cmocka_unit_test(a_record_counts_its_own_length_across_a_power_of_ten),
        cmocka_unit_test(only_the_header_that_would_be_written_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
