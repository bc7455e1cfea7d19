/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/name.h"

static void plain_names_and_paths_pass(void **state)
{
    static const char *const good[] = {
        "firmware-1.0",
        "bootloader/imx-boot",
        "a",
        ".hidden",
        "...x",
        "6/qemuarm64/torizon/core-1",
        "CONSOLE",
        "com",
        "COM",
        "größe",
        "name with blanks",
        "x..y",
        "nul1",
    };
    struct err e;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (name_check_text(good[i], &e))
            fail_msg("%s", e.message);
}

static void names_that_turn_against_the_file_system_are_refused(void **state)
{
    static const char *const bad[] = {
        "",      "/etc/passwd", "..",    "../x",   "a/../b", ".",        "./a", "a/.",     "a//b",
        "a/",    "a\\b",        "c:x",   "a*",     "a?",     "a\"b",     "a<b", "a>b",     "a|b",
        "a\nb",  "a\x7f",       "a\x1b", "x.",     "x ",     "x./y",     "CON", "con.txt", "nul",
        "a/AUX", "PRN.x",       "com1",  "LPT9.a", "\xff",   "\xc0\x80",
    };
    struct err e;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (name_check_text(bad[i], &e) == 0)
            fail_msg("'%s' passed", bad[i]);
        assert_int_equal(e.id, ERR_UNSAFE_NAME);
    }
    assert_int_equal(name_check("a\0b", 3, &e), -1);
}

static void lengths_are_capped(void **state)
{
    char name[NAME_PATH_MAX + 2];
    struct err e;
    (void)state;
    memset(name, 'x', sizeof name);
    assert_int_equal(name_check(name, NAME_PART_MAX, &e), 0);
    assert_int_equal(name_check(name, NAME_PART_MAX + 1, &e), -1);
    for (size_t i = 200; i < sizeof name; i += 200)
        name[i] = '/';
    assert_int_equal(name_check(name, NAME_PATH_MAX, &e), 0);
    assert_int_equal(name_check(name, NAME_PATH_MAX + 1, &e), -1);
}

static void hostile_names_are_escaped_in_the_message(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(name_check_text("a\x1b[2Jb", &e), -1);
    assert_null(strchr(e.message, '\x1b'));
    assert_non_null(strstr(e.message, "a\\x1b[2Jb"));
}

static void twins_cannot_stand_beside_each_other(void **state)
{
    static const char *const apart[] = {"a", "b", "a.b", "a-b/c", "ab", "a-b/d"};
    static const char *const cases[] = {"Readme", "b", "README"};
    static const char *const folder[] = {"a/b", "a.b", "a"};
    static const char *const deep[] = {"x/Y/z", "X/y/Z/w"};
    static const char *const same[] = {"a", "a"};
    struct err e;
    (void)state;
    assert_int_equal(name_check_twins(apart, COUNT_OF(apart), &e), 0);
    assert_int_equal(name_check_twins(apart, 0, &e), 0);
    assert_int_equal(name_check_twins(cases, COUNT_OF(cases), &e), -1);
    assert_int_equal(e.id, ERR_UNSAFE_NAME);
    assert_int_equal(name_check_twins(folder, COUNT_OF(folder), &e), -1);
    assert_int_equal(name_check_twins(deep, COUNT_OF(deep), &e), -1);
    assert_int_equal(name_check_twins(same, COUNT_OF(same), &e), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_names_and_paths_pass),
        cmocka_unit_test(names_that_turn_against_the_file_system_are_refused),
        cmocka_unit_test(lengths_are_capped),
        cmocka_unit_test(hostile_names_are_escaped_in_the_message),
        cmocka_unit_test(twins_cannot_stand_beside_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
