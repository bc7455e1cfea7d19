/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/retry.h"

static void the_pause_doubles_up_to_64_times_the_first(void **state)
{
    (void)state;
    assert_int_equal(retry_pause_ms(500, 0), 500);
    assert_int_equal(retry_pause_ms(500, 1), 500);
    assert_int_equal(retry_pause_ms(500, 2), 1000);
    assert_int_equal(retry_pause_ms(500, 7), 32000);
    assert_int_equal(retry_pause_ms(500, 8), 32000);
    assert_int_equal(retry_pause_ms(500, 4000000000u), 32000);
}

static void retry_after_may_be_seconds(void **state)
{
    (void)state;
    uint64_t s = 7;
    assert_true(retry_after_s("120", "", &s));
    assert_int_equal(s, 120);
    assert_true(retry_after_s("0", "", &s));
    assert_int_equal(s, 0);
    assert_true(retry_after_s("99999999999999999999999", "", &s));
    assert_true(s > RETRY_AFTER_MAX_S);
}

static void retry_after_may_be_a_date_measured_against_the_answers_own(void **state)
{
    (void)state;
    uint64_t s = 7;
    assert_true(retry_after_s("Wed, 21 Oct 2015 07:28:10 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", &s));
    assert_int_equal(s, 10);
    assert_true(retry_after_s("Wed, 21 Oct 2015 07:27:00 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", &s));
    assert_int_equal(s, 0);
}

static void anything_else_is_as_good_as_no_retry_after(void **state)
{
    (void)state;
    uint64_t s = 7;
    assert_false(retry_after_s("", "Wed, 21 Oct 2015 07:28:00 GMT", &s));
    assert_false(retry_after_s("soon", "Wed, 21 Oct 2015 07:28:00 GMT", &s));
    assert_false(retry_after_s("-5", "", &s));
    assert_false(retry_after_s("Wed, 21 Oct 2015 07:28:10 GMT", "", &s));
    assert_int_equal(s, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pause_doubles_up_to_64_times_the_first),
        cmocka_unit_test(retry_after_may_be_seconds),
        cmocka_unit_test(retry_after_may_be_a_date_measured_against_the_answers_own),
        cmocka_unit_test(anything_else_is_as_good_as_no_retry_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
