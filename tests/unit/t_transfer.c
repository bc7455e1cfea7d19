/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/http.h"
#include "net/retry.h"
#include "net/transfer.h"

static struct answer answer_of(int status)
{
    struct answer a;
    answer_begin(&a);
    a.status = status;
    return a;
}

static struct answer part(uint64_t first, uint64_t last, uint64_t total)
{
    struct answer a = answer_of(206);
    a.range = RANGE_PART;
    a.range_first = first;
    a.range_last = last;
    a.range_total = total;
    return a;
}

static void expect(struct transfer *t, struct answer a, enum transfer_step step)
{
    struct err e;
    assert_int_equal(transfer_judge(t, &a, &e), step);
}

static void expect_failure(struct transfer *t, struct answer a, enum err_id id)
{
    struct err e = {0};
    assert_int_equal(transfer_judge(t, &a, &e), STEP_FAIL);
    assert_string_equal(err_name(e.id), err_name(id));
}

static void a_whole_body_is_taken_from_the_start(void **state)
{
    (void)state;
    struct transfer t;
    transfer_begin(&t, 0, 100, 5);
    assert_int_equal(transfer_range_start(&t), 0);
    struct answer a = answer_of(200);
    a.length = 100;
    expect(&t, a, STEP_TAKE);
}

static void a_part_that_continues_is_taken(void **state)
{
    (void)state;
    struct transfer t;
    transfer_begin(&t, 40, 100, 5);
    assert_int_equal(transfer_range_start(&t), 40);
    expect(&t, part(40, 99, 100), STEP_TAKE);
    transfer_begin(&t, 40, HTTP_LENGTH_UNKNOWN, 5);
    expect(&t, part(40, 99, HTTP_LENGTH_UNKNOWN), STEP_TAKE);
}

static void a_part_of_another_place_or_length_starts_over(void **state)
{
    (void)state;
    struct transfer t;
    transfer_begin(&t, 40, 100, 5);
    expect(&t, part(41, 99, 100), STEP_ASK_ANEW);
    transfer_begin(&t, 40, 100, 5);
    expect(&t, part(0, 99, 100), STEP_ASK_ANEW);
    transfer_begin(&t, 40, 100, 5);
    expect(&t, part(40, 100, 101), STEP_ASK_ANEW);
    transfer_begin(&t, 40, 100, 5);
    expect(&t, answer_of(206), STEP_ASK_ANEW);
}

static void a_part_that_was_not_asked_for_is_refused(void **state)
{
    (void)state;
    struct transfer t;
    transfer_begin(&t, 0, 100, 5);
    expect_failure(&t, part(0, 99, 100), ERR_BAD_ANSWER);
}

static void a_changed_file_starts_over(void **state)
{
    (void)state;
    struct transfer t;
    struct err e;
    transfer_begin(&t, 0, HTTP_LENGTH_UNKNOWN, 5);
    struct answer whole = answer_of(200), changed = part(40, 99, 100), same = part(40, 99, 100);
    whole.length = 100;
    strcpy(whole.etag, "\"one\"");
    strcpy(changed.etag, "\"two\"");
    strcpy(same.etag, "\"one\"");
    expect(&t, whole, STEP_TAKE);
    assert_string_equal(t.etag, "\"one\"");
    assert_int_equal(transfer_take(&t, 40, &e), 0);
    expect(&t, same, STEP_TAKE);
    expect(&t, changed, STEP_ASK_ANEW);
    assert_string_equal(t.etag, "");

    transfer_begin(&t, 0, HTTP_LENGTH_UNKNOWN, 5);
    expect(&t, whole, STEP_TAKE);
    assert_int_equal(transfer_take(&t, 40, &e), 0);
    expect(&t, part(40, 100, 101), STEP_ASK_ANEW); /* no ETag, yet another length */
}

static void a_server_that_ignores_the_range_starts_over(void **state)
{
    (void)state;
    struct transfer t;
    transfer_begin(&t, 40, 100, 5);
    expect(&t, answer_of(200), STEP_RESTART);
}

static void an_unsatisfied_range_may_be_the_end(void **state)
{
    (void)state;
    struct transfer t;
    struct answer a = answer_of(416);
    a.range = RANGE_TOTAL;
    a.range_total = 40;
    transfer_begin(&t, 40, HTTP_LENGTH_UNKNOWN, 5);
    expect(&t, a, STEP_COMPLETE);
    transfer_begin(&t, 40, 100, 5);
    expect(&t, a, STEP_ASK_ANEW);
    transfer_begin(&t, 50, HTTP_LENGTH_UNKNOWN, 5);
    expect(&t, a, STEP_ASK_ANEW);
    transfer_begin(&t, 50, HTTP_LENGTH_UNKNOWN, 1);
    expect_failure(&t, a, ERR_BAD_ANSWER);
}

static void another_length_than_the_signed_one_is_refused_before_the_body(void **state)
{
    (void)state;
    struct transfer t;
    struct answer a = answer_of(200);
    transfer_begin(&t, 0, 100, 5);
    a.length = 101;
    expect_failure(&t, a, ERR_WRONG_LENGTH);
    a.length = 99;
    expect_failure(&t, a, ERR_WRONG_LENGTH);
}

static void a_body_is_cut_off_where_it_should_end(void **state)
{
    (void)state;
    struct transfer t;
    struct err e = {0};
    transfer_begin(&t, 0, 100, 5);
    expect(&t, answer_of(200), STEP_TAKE);
    assert_int_equal(transfer_take(&t, 100, &e), 0);
    assert_int_equal(transfer_take(&t, 1, &e), -1);
    assert_int_equal(e.id, ERR_WRONG_LENGTH);
    assert_int_equal(transfer_end(&t, &e), STEP_COMPLETE);
}

static void only_tries_without_progress_count(void **state)
{
    (void)state;
    struct transfer t;
    struct err e;
    transfer_begin(&t, 10, HTTP_LENGTH_UNKNOWN, 3);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(transfer_take(&t, 1, &e), 0);
        assert_true(transfer_may_try_again(&t));
    }
    assert_true(transfer_may_try_again(&t));
    assert_true(transfer_may_try_again(&t));
    assert_false(transfer_may_try_again(&t));
}

static void the_same_half_again_and_again_is_no_progress(void **state)
{
    (void)state;
    struct transfer t;
    struct err e;
    transfer_begin(&t, 0, 100, 3);
    unsigned tries = 0;
    do {
        t.at = 0; /* the sink started over */
        assert_int_equal(transfer_take(&t, 50, &e), 0);
        tries++;
    } while (tries < 10 && transfer_may_try_again(&t));
    assert_int_equal(tries, 4); /* the first brought something, then three that did not */
}

static void a_clean_end_that_comes_early_is_tried_again_then_refused(void **state)
{
    (void)state;
    struct transfer t;
    struct err e = {0};
    transfer_begin(&t, 0, 100, 2);
    expect(&t, answer_of(200), STEP_TAKE);
    assert_int_equal(transfer_take(&t, 50, &e), 0);
    assert_int_equal(transfer_end(&t, &e), STEP_LATER);
    assert_int_equal(transfer_end(&t, &e), STEP_LATER);
    assert_int_equal(transfer_end(&t, &e), STEP_FAIL);
    assert_int_equal(e.id, ERR_WRONG_LENGTH);
}

static void a_refused_login_is_renewed_once(void **state)
{
    (void)state;
    struct transfer t;
    transfer_begin(&t, 0, 100, 5);
    t.login_sent = true;
    expect(&t, answer_of(401), STEP_LOGIN);
    expect_failure(&t, answer_of(401), ERR_LOGIN_REFUSED);

    transfer_begin(&t, 0, 100, 5);
    t.login_sent = true;
    expect(&t, answer_of(401), STEP_LOGIN);
    expect(&t, answer_of(200), STEP_TAKE);
    expect(&t, answer_of(401), STEP_LOGIN); /* it was good for a while */

    transfer_begin(&t, 0, 100, 5);
    expect_failure(&t, answer_of(401), ERR_LOGIN_REFUSED); /* none was sent */
}

static void only_reads_follow_redirects_and_not_for_ever(void **state)
{
    (void)state;
    struct transfer t;
    transfer_begin(&t, 0, 100, 5);
    for (int i = 0; i < TRANSFER_HOPS_MAX; i++)
        expect(&t, answer_of(302), STEP_REDIRECT);
    expect_failure(&t, answer_of(302), ERR_BAD_REDIRECT);
    transfer_begin(&t, 0, 100, 5);
    t.is_read = false;
    expect_failure(&t, answer_of(307), ERR_BAD_REDIRECT);
}

static void statuses_that_may_pass_are_tried_again(void **state)
{
    (void)state;
    static const int statuses[] = {408, 420, 425, 429, 500, 502, 503, 504};
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        struct transfer t;
        bool limited = statuses[i] == 420 || statuses[i] == 429;
        transfer_begin(&t, 0, 100, 2);
        expect(&t, answer_of(statuses[i]), STEP_LATER);
        expect_failure(&t, answer_of(statuses[i]), limited ? ERR_RATE_LIMITED : ERR_HTTP_STATUS);
    }
}

static void statuses_that_stay_are_named(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum err_id id;
    } cases[] = {{400, ERR_HTTP_STATUS},  {403, ERR_NOT_ALLOWED}, {404, ERR_NO_SUCH_FILE},
                 {410, ERR_NO_SUCH_FILE}, {204, ERR_HTTP_STATUS}, {304, ERR_HTTP_STATUS}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct transfer t;
        transfer_begin(&t, 0, 100, 5);
        expect_failure(&t, answer_of(cases[i].status), cases[i].id);
    }
}

static void retry_after_lengthens_the_pause(void **state)
{
    (void)state;
    struct transfer t;
    struct answer a = answer_of(420);
    strcpy(a.retry_after, "7");
    transfer_begin(&t, 0, 100, 5);
    expect(&t, a, STEP_LATER);
    assert_int_equal(transfer_pause_ms(&t, &a, 500), 7000);
    strcpy(a.retry_after, "0");
    assert_int_equal(transfer_pause_ms(&t, &a, 500), 500);
    expect(&t, a, STEP_LATER);
    assert_int_equal(transfer_pause_ms(&t, &a, 500), 1000);
}

static void nobody_waits_longer_than_five_minutes_without_knowing(void **state)
{
    (void)state;
    static const int statuses[] = {420, 429, 503};
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        struct transfer t;
        struct answer a = answer_of(statuses[i]);
        struct err e = {0};
        strcpy(a.retry_after, "3601");
        transfer_begin(&t, 0, 100, 5);
        assert_int_equal(transfer_judge(&t, &a, &e), STEP_FAIL);
        assert_int_equal(e.id, ERR_RATE_LIMITED);
        assert_non_null(strstr(e.hint, "61 minutes"));
    }
}

static void a_small_exchange_takes_every_final_answer(void **state)
{
    (void)state;
    struct transfer t;
    transfer_begin(&t, 0, HTTP_LENGTH_UNKNOWN, 2);
    t.any_status = true;
    expect(&t, answer_of(404), STEP_TAKE);
    expect(&t, answer_of(206), STEP_TAKE);
    expect(&t, answer_of(500), STEP_LATER);
    expect(&t, answer_of(500), STEP_TAKE);
    expect_failure(&t, answer_of(429), ERR_RATE_LIMITED);
}

static void what_must_not_happen_twice_is_not_repeated_by_itself(void **state)
{
    (void)state;
    struct transfer t;
    transfer_begin(&t, 0, HTTP_LENGTH_UNKNOWN, 5);
    t.any_status = true;
    t.repeatable = false;
    expect(&t, answer_of(500), STEP_TAKE);
    expect(&t, answer_of(420), STEP_LATER); /* the server says that it did nothing */
}

static void what_is_there_already_is_not_asked_for(void **state)
{
    (void)state;
    struct transfer t;
    transfer_begin(&t, 100, 100, 5);
    assert_true(transfer_is_whole(&t));
    transfer_begin(&t, 99, 100, 5);
    assert_false(transfer_is_whole(&t));
    transfer_begin(&t, 0, 0, 5);
    assert_false(transfer_is_whole(&t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_body_is_taken_from_the_start),
        cmocka_unit_test(a_part_that_continues_is_taken),
        cmocka_unit_test(a_part_of_another_place_or_length_starts_over),
        cmocka_unit_test(a_part_that_was_not_asked_for_is_refused),
        cmocka_unit_test(a_changed_file_starts_over),
        cmocka_unit_test(a_server_that_ignores_the_range_starts_over),
        cmocka_unit_test(an_unsatisfied_range_may_be_the_end),
        cmocka_unit_test(another_length_than_the_signed_one_is_refused_before_the_body),
        cmocka_unit_test(a_body_is_cut_off_where_it_should_end),
        cmocka_unit_test(only_tries_without_progress_count),
        cmocka_unit_test(the_same_half_again_and_again_is_no_progress),
        cmocka_unit_test(a_clean_end_that_comes_early_is_tried_again_then_refused),
        cmocka_unit_test(a_refused_login_is_renewed_once),
        cmocka_unit_test(only_reads_follow_redirects_and_not_for_ever),
        cmocka_unit_test(statuses_that_may_pass_are_tried_again),
        cmocka_unit_test(statuses_that_stay_are_named),
        cmocka_unit_test(retry_after_lengthens_the_pause),
        cmocka_unit_test(nobody_waits_longer_than_five_minutes_without_knowing),
        cmocka_unit_test(a_small_exchange_takes_every_final_answer),
        cmocka_unit_test(what_must_not_happen_twice_is_not_repeated_by_itself),
        cmocka_unit_test(what_is_there_already_is_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
