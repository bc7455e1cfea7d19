/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"

static void bytes_become_lower_case_digits_and_come_back(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x00, 0x7f, 0xa5, 0xff};
    char text[9];
    uint8_t again[4];
    hex_encode(bytes, sizeof bytes, text);
    assert_string_equal(text, "007fa5ff");
    assert_true(hex_decode("007FA5ff", 8, again, sizeof again));
    assert_memory_equal(again, bytes, sizeof bytes);
}

static void other_lengths_and_characters_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[2];
    assert_false(hex_decode("0011223", 7, bytes, 2));
    assert_false(hex_decode("001122", 6, bytes, 2));
    assert_false(hex_decode("00g1", 4, bytes, 2));
    assert_false(hex_decode(" 001", 4, bytes, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_become_lower_case_digits_and_come_back),
        cmocka_unit_test(other_lengths_and_characters_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
