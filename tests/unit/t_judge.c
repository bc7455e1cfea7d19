/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lockbox/judge.h"

static void a_problem_found_beside_the_metadata_has_the_advice_of_its_id(void **state)
{
    AUTO(verdict) struct verdict v = {.valid = true, .outcome = VERDICT_INSTALL};
    (void)state;
    judge_add_problem(&v, ERR_BUNDLE_TRUNCATED, "", true, "the %s", "end");
    assert_false(v.valid);
    assert_int_equal(v.outcome, VERDICT_REFUSE);
    assert_string_equal(v.problems[0].message, "the end");
    assert_string_equal(v.problems[0].hint, "write it to the stick again");
}

static void a_problem_that_no_device_minds_leaves_the_outcome(void **state)
{
    AUTO(verdict) struct verdict v = {.valid = true, .outcome = VERDICT_INSTALL};
    (void)state;
    judge_add_problem(&v, ERR_BAD_JSON, "", false, "odd");
    assert_false(v.valid);
    assert_int_equal(v.outcome, VERDICT_INSTALL);
    assert_string_equal(v.problems[0].hint, "");
}

static void a_refusal_says_what_to_do_about_the_problem(void **state)
{
    char hint[] = "renew it", message[] = "it ended", role[] = "";
    struct verdict_problem problem = {
        .id = ERR_EXPIRED_ROLE, .role = role, .message = message, .hint = hint, .breaks_validity = true};
    const struct verdict v = {.problems = &problem, .problem_count = 1};
    struct err e = {0};
    (void)state;
    assert_int_equal(judge_refuse(&v, &e), -1);
    assert_int_equal(e.id, ERR_EXPIRED_ROLE);
    assert_string_equal(e.message, "it ended");
    assert_string_equal(err_hint_text(&e), "renew it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_problem_found_beside_the_metadata_has_the_advice_of_its_id),
        cmocka_unit_test(a_problem_that_no_device_minds_leaves_the_outcome),
        cmocka_unit_test(a_refusal_says_what_to_do_about_the_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
