/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"

static void role_times_have_one_form(void **state)
{
    static const struct {
        const char *text;
        int64_t time;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-23T00:00:00Z", 1795392000},
        {"2024-02-29T23:59:59Z", 1709251199},
        {"2000-02-29T00:00:00Z", 951782400},
        {"9999-12-31T23:59:59Z", 253402300799},
    };
    static const char *const bad[] = {
        "",
        "2026-11-23",
        "2026-11-23T00:00:00",
        "2026-11-23T00:00:00z",
        "2026-11-23t00:00:00Z",
        "2026-11-23 00:00:00Z",
        "2026-11-23T00:00:00+00:00",
        "2026-11-23T00:00:00.0Z",
        "2026-11-23T00:00:00Z ",
        " 2026-11-23T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T00:60:00Z",
        "2026-11-23T00:00:60Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "-026-01-01T00:00:00Z",
        "2026-1-001T00:00:00Z",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        int64_t time = -1;
        assert_true(clock_parse_role(good[i].text, strlen(good[i].text), &time));
        assert_int_equal(time, good[i].time);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int64_t time;
        if (clock_parse_role(bad[i], strlen(bad[i]), &time))
            fail_msg("'%s' was taken", bad[i]);
    }
}

static void people_may_write_what_rfc_3339_allows(void **state)
{
    static const struct {
        const char *text;
        int64_t time;
    } good[] = {
        {"2026-11-23", 1795392000},
        {"2026-11-23T00:00:00Z", 1795392000},
        {"2026-11-23t00:00:00z", 1795392000},
        {"2026-11-23 01:00:00+01:00", 1795392000},
        {"2026-11-22T19:00:00.999-05:00", 1795392000},
        {"2026-11-23T00:00:00.123456789Z", 1795392000},
    };
    static const char *const bad[] = {"",
                                      "now",
                                      "2026-11",
                                      "2026-11-23T00:00:00",
                                      "2026-11-23T00:00Z",
                                      "2026-11-23T00:00:00.Z",
                                      "2026-11-23T00:00:00+0100",
                                      "2026-11-23T00:00:00+24:00",
                                      "2026-11-23T00:00:00Zx"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        int64_t time = -1;
        assert_true(clock_parse(good[i].text, &time));
        assert_int_equal(time, good[i].time);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int64_t time;
        if (clock_parse(bad[i], &time))
            fail_msg("'%s' was taken", bad[i]);
    }
}

static void what_is_formatted_parses_again(void **state)
{
    char text[CLOCK_TEXT_SIZE];
    (void)state;
    for (int64_t time = -62167219200; time < 253402300800; time += 7654321987) {
        int64_t again;
        clock_format(time, text);
        assert_true(clock_parse_role(text, strlen(text), &again));
        assert_int_equal(again, time);
    }
    clock_format(INT64_MAX, text);
    assert_string_equal(text, "out of range");
    clock_format(253402300800, text);
    assert_string_equal(text, "out of range");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(role_times_have_one_form),
        cmocka_unit_test(people_may_write_what_rfc_3339_allows),
        cmocka_unit_test(what_is_formatted_parses_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
