/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/out.h"

static void assert_escaped(const char *text, size_t len, const char *expected)
{
    AUTO(buf) struct buf shown = {0};
    out_escape(&shown, text, len);
    assert_string_equal(buf_text(&shown), expected);
}

static void plain_text_stays_as_it_is(void **state)
{
    (void)state;
    assert_escaped("Pumpe 7: größer", strlen("Pumpe 7: größer"), "Pumpe 7: größer");
    assert_escaped("", 0, "");
}

static void what_moves_the_cursor_or_turns_text_is_shown(void **state)
{
    (void)state;
    assert_escaped("a\033[2Jb\r\n", 8, "a\\x1b[2Jb\\x0d\\x0a");
    assert_escaped("x\0y", 3, "x\\x00y");
    assert_escaped("\xe2\x80\xaegpj.exe", 10, "\\u{202e}gpj.exe"); /* right-to-left override */
    assert_escaped("\xc2\x9b", 2, "\\u{9b}");                      /* the one-byte form of ESC [ */
}

static void bytes_that_are_no_utf8_are_shown(void **state)
{
    (void)state;
    assert_escaped("a\xff\xc3", 3, "a\\xff\\xc3");
    assert_escaped("\xc0\xaf", 2, "\\xc0\\xaf"); /* overlong '/' */
}

static void sizes_have_three_digits_at_most(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } rows[] = {{0, "0 B"},
                {1023, "1023 B"},
                {1024, "1.0 KiB"},
                {10188, "9.9 KiB"},
                {10240, "10 KiB"},
                {1023u << 10, "1.0 MiB"},
                {(uint64_t)3 << 30, "3.0 GiB"},
                {UINT64_MAX, "16 EiB"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[OUT_SIZE_TEXT];
        out_size(rows[i].bytes, text);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays_as_it_is),
        cmocka_unit_test(what_moves_the_cursor_or_turns_text_is_shown),
        cmocka_unit_test(bytes_that_are_no_utf8_are_shown),
        cmocka_unit_test(sizes_have_three_digits_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
