/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/judge.h"
#include "uptane/refusal.h"

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
    judge_add_problem(&v, ERR_UNSAFE_NAME, "", false, "odd"); /* its hints depend on the case */
    assert_false(v.valid);
    assert_int_equal(v.outcome, VERDICT_INSTALL);
    assert_string_equal(v.problems[0].hint, "");
}

static void hostile_text_in_a_message_is_escaped_once(void **state)
{
    AUTO(verdict) struct verdict v = {.valid = true};
    (void)state;
    judge_add_unmet(&v, ERR_EXPIRES_TOO_SOON, "", "director/%s.json", "a\x1b[2J\xe2\x80\xae");
    judge_add_problem(&v, ERR_BAD_JSON, "", true, "%s", v.problems[0].message);
    assert_string_equal(v.problems[0].message, "director/a\\x1b[2J\\u{202e}.json");
    assert_string_equal(v.problems[1].message, v.problems[0].message);
}

static void a_refusal_says_what_to_do_about_the_problem(void **state)
{
    char hint[] = "renew it", message[] = "it ended", role[] = "";
    struct verdict_problem problem = {
        .id = ERR_EXPIRED_ROLE, .role = role, .message = message, .hint = hint, .breaks_validity = true};
    const struct verdict v = {.problems = &problem, .problem_count = 1};
    struct err e = {0};
    (void)state;
    assert_int_equal(refusal_check(&v, &e), -1);
    assert_int_equal(e.id, ERR_EXPIRED_ROLE);
    assert_string_equal(e.message, "it ended");
    assert_string_equal(err_hint_text(&e), "renew it");
}

#define DAY INT64_C(86400)

static void thirty_days_are_enough_and_a_second_less_is_soon(void **state)
{
    const int64_t now = 1000000;
    (void)state;
    assert_false(judge_ends_soon(now + 30 * DAY, now));
    assert_true(judge_ends_soon(now + 30 * DAY - 1, now));
    assert_true(judge_ends_soon(now + 1, now));
    assert_false(judge_ends_soon(now, now));
    assert_false(judge_ends_soon(now - 1, now));
    assert_false(judge_ends_soon(INT64_MAX, now));
    assert_false(judge_ends_soon(INT64_MAX, -62167219200)); /* --at 0000-01-01 */
}

static void the_time_left_is_said_in_whole_days(void **state)
{
    static const struct {
        int64_t left;
        const char *text;
    } rows[] = {{30 * DAY - 1, "x.json ends in 29 days, at 1970-01-30T23:59:59Z"},
                {2 * DAY - 1, "x.json ends in 1 day, at 1970-01-02T23:59:59Z"},
                {DAY - 1, "x.json ends in less than a day, at 1970-01-01T23:59:59Z"}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *text = judge_ending("x.json", rows[i].left, 0);
        assert_string_equal(text, rows[i].text);
    }
}

static void each_role_has_its_own_way_to_be_renewed(void **state)
{
    const char *snapshot = verdict_renewal("director/offline-snapshot.json", "pump");
    (void)state;
    assert_non_null(strstr(snapshot, "fetch the lockbox again"));
    assert_string_equal(verdict_renewal("director/3.root.json", "pump"), snapshot);
    assert_string_equal(verdict_renewal("director/offline-snapshot.json", NULL), snapshot);
    assert_non_null(strstr(verdict_renewal("director/pump.json", "pump"), "define the lockbox again"));
    assert_non_null(strstr(verdict_renewal("image-repo/pump.json", "pump"), "renewed in the cloud"));
    assert_non_null(strstr(verdict_renewal("image-repo/3.root.json", "pump"), "renewed in the cloud"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_problem_found_beside_the_metadata_has_the_advice_of_its_id),
        cmocka_unit_test(a_problem_that_no_device_minds_leaves_the_outcome),
        cmocka_unit_test(hostile_text_in_a_message_is_escaped_once),
        cmocka_unit_test(a_refusal_says_what_to_do_about_the_problem),
        cmocka_unit_test(thirty_days_are_enough_and_a_second_less_is_soon),
        cmocka_unit_test(the_time_left_is_said_in_whole_days),
        cmocka_unit_test(each_role_has_its_own_way_to_be_renewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
