/* SPDX-License-Identifier: Apache-2.0
 *
 * Downloads from servers that cut, change, stall, stay silent or are busy.
 */
#include "http_world.h"

/* ---- broken bodies ---- */

static void a_cut_body_goes_on_where_it_was_cut(void **state)
{
    rehearsal_tell("fault add '^GET store/' cut at=300000 --times 1");
    rehearsal_tell("fault add '^GET store/' cut at=200000 --times 1");
    expect_public(*state, 0);
    rehearsal_expect("\"range\": \"bytes=300000-\"", 1);
    rehearsal_expect("\"range\": \"bytes=500000-\"", 1);
}

static void a_cut_body_is_asked_for_at_the_first_address_again(void **state)
{
    struct world *w = *state;
    AUTO(download) struct download d = download_of(w->target_url, &w->auth);
    rehearsal_tell("fault add '^GET store/' cut at=300000 --times 1");
    run(w, &d, 1);
    expect_whole(&d, w->target_sha256);
    rehearsal_expect("\"origin\": \"gateway\".*\"status\": 302", 2);
}

static void what_an_earlier_run_kept_is_not_fetched_again(void **state)
{
    struct world *w = *state;
    AUTO(download) struct download whole = download_of(w->public_url, NULL);
    AUTO(download) struct download rest = download_of(w->public_url, NULL);
    run(w, &whole, 1);
    buf_add(&rest.body, whole.body.data, 700000);
    rest.transfer.sink.have = 700000;
    run(w, &rest, 1);
    expect_whole(&rest, w->public_sha256);
    assert_int_equal(rest.restarts, 0);
    rehearsal_expect("\"range\": \"bytes=700000-\".*\"status\": 206", 1);
}

static void a_file_that_changed_meanwhile_starts_over(void **state)
{
    rehearsal_tell("fault add '^GET store/' cut at=300000 --times 1");
    rehearsal_tell("fault add '^GET store/' new-etag");
    expect_public(*state, 1);
    rehearsal_expect("\"range\": \"bytes=300000-\".*\"status\": 200", 1);
}

static void a_server_that_ignores_ranges_starts_over(void **state)
{
    rehearsal_tell("fault add '^GET store/' cut at=300000 --times 1");
    rehearsal_tell("fault add '^GET store/' ignore-range");
    expect_public(*state, 1);
}

static void a_part_of_the_wrong_place_is_not_taken(void **state)
{
    rehearsal_tell("fault add '^GET store/' cut at=300000 --times 1");
    rehearsal_tell("fault add '^GET store/' bad-content-range by=5");
    expect_public(*state, 1);
    rehearsal_expect("\"origin\": \"store\".*\"status\": 206", 1);
    rehearsal_expect("\"origin\": \"store\".*\"status\": 200", 2);
}

static void a_length_that_is_not_the_signed_one_is_refused(void **state)
{
    struct world *w = *state;
    rehearsal_tell("fault add '^GET store/' longer by=1");
    expect_public_error(w, ERR_WRONG_LENGTH);
    rehearsal_tell("fault clear");
    rehearsal_tell("fault add '^GET store/' shorter by=1");
    expect_public_error(w, ERR_WRONG_LENGTH);
}

static void an_endless_body_is_cut_off(void **state)
{
    struct world *w = *state;
    AUTO(download) struct download d = download_of(w->public_url, NULL);
    rehearsal_tell("fault add '^GET store/' endless");
    run(w, &d, 1);
    assert_int_equal(d.error.id, ERR_WRONG_LENGTH);
    assert_true(d.body.len <= SIZE);
}

static void the_same_cut_again_and_again_ends(void **state)
{
    struct world *w = *state;
    rehearsal_tell("fault add '^GET store/' cut at=0");
    expect_public_error(w, ERR_NETWORK);
    rehearsal_expect("\"origin\": \"store\"", HTTP_ATTEMPTS_DEFAULT);
}

static void a_broken_connection_is_tried_again(void **state)
{
    rehearsal_tell("fault add '^GET store/' reset --times 3");
    expect_public(*state, 0);
}

/* ---- slow and busy servers ---- */

static void a_stalled_server_is_left_and_asked_for_the_rest(void **state)
{
    struct world *w = *state;
    w->options.stall_timeout_ms = 300;
    reopen(w);
    rehearsal_tell("fault add '^GET store/' stall at=300000 --times 1");
    expect_public(w, 0);
    rehearsal_expect("\"range\": \"bytes=300000-\"", 1);
}

static void a_server_that_only_stalls_is_named(void **state)
{
    struct world *w = *state;
    w->options.stall_timeout_ms = 200;
    w->options.attempts = 2;
    reopen(w);
    rehearsal_tell("fault add '^GET store/' stall at=0");
    expect_public_error(w, ERR_NETWORK_STALLED);
}

static void a_slow_disk_is_no_stall(void **state)
{
    struct world *w = *state;
    w->options.stall_timeout_ms = 300;
    reopen(w);
    struct download d[] = {download_of(w->public_url, NULL), download_of(w->public_url, NULL)};
    d[0].write_ms = 20;
    d[1].write_ms = 20;
    run(w, d, COUNT_OF(d));
    for (size_t i = 0; i < COUNT_OF(d); i++) {
        expect_whole(&d[i], w->public_sha256);
        download_free(&d[i]);
    }
    rehearsal_expect("\"origin\": \"store\"", 2);
}

static void a_busy_server_is_given_the_time_it_asks_for(void **state)
{
    static const char *const faults[] = {"420 retry-after=1", "429 retry-after=1", "503 retry-after=date:2"};
    struct world *w = *state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        rehearsal_tell("fault add '^GET store/' status code=%s --times 1", faults[i]);
        uint64_t before_ms = now_ms();
        expect_public(w, 0);
        assert_true(now_ms() - before_ms >= 950);
    }
}

static void a_server_that_asks_for_too_much_time_is_named(void **state)
{
    struct world *w = *state;
    AUTO(download) struct download d = download_of(w->public_url, NULL);
    rehearsal_tell("fault add '^GET store/' status code=429 retry-after=7200");
    run(w, &d, 1);
    assert_int_equal(d.error.id, ERR_RATE_LIMITED);
    assert_non_null(strstr(err_hint_text(&d.error), "120 minutes"));
    rehearsal_expect("\"origin\": \"store\"", 1);
}

static void errors_that_pass_are_survived_and_others_named(void **state)
{
    struct world *w = *state;
    rehearsal_tell("fault add '^GET store/' status code=500 --times 2");
    expect_public(w, 0);
    rehearsal_tell("fault add '^GET store/' status code=404 --times 1");
    expect_public_error(w, ERR_NO_SUCH_FILE);
    rehearsal_tell("fault add '^GET store/' status code=403 --times 1");
    expect_public_error(w, ERR_NOT_ALLOWED);
    rehearsal_tell("fault add '^GET store/' status code=400 --times 1");
    expect_public_error(w, ERR_HTTP_STATUS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cut_body_goes_on_where_it_was_cut),
        TEST(a_cut_body_is_asked_for_at_the_first_address_again),
        TEST(what_an_earlier_run_kept_is_not_fetched_again),
        TEST(a_file_that_changed_meanwhile_starts_over),
        TEST(a_server_that_ignores_ranges_starts_over),
        TEST(a_part_of_the_wrong_place_is_not_taken),
        TEST(a_length_that_is_not_the_signed_one_is_refused),
        TEST(an_endless_body_is_cut_off),
        TEST(the_same_cut_again_and_again_ends),
        TEST(a_broken_connection_is_tried_again),
        TEST(a_stalled_server_is_left_and_asked_for_the_rest),
        TEST(a_server_that_only_stalls_is_named),
        TEST(a_slow_disk_is_no_stall),
        TEST(a_busy_server_is_given_the_time_it_asks_for),
        TEST(a_server_that_asks_for_too_much_time_is_named),
        TEST(errors_that_pass_are_survived_and_others_named),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
