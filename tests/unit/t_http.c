/* SPDX-License-Identifier: Apache-2.0
 *
 * Who gets a login, which connections are used, the queue of downloads, and small exchanges.
 */
#include "http_world.h"

/* ---- redirects and logins ---- */

static void a_login_stays_with_its_origin(void **state)
{
    struct world *w = *state;
    AUTO(download) struct download d = download_of(w->target_url, &w->auth);
    run(w, &d, 1);
    expect_whole(&d, w->target_sha256);
    rehearsal_expect("\"origin\": \"gateway\".*\"authorization\": true", 1);
    rehearsal_expect("\"origin\": \"store\".*\"authorization\": false", 1);
    rehearsal_expect("\"origin\": \"store\".*\"authorization\": true", 0);
}

static void a_login_goes_to_its_own_origin_only_even_unredirected(void **state)
{
    struct world *w = *state;
    AUTO(download) struct download d = download_of(w->public_url, &w->auth);
    run(w, &d, 1);
    expect_whole(&d, w->public_sha256);
    rehearsal_expect("\"authorization\": true", 0);
    rehearsal_expect("\"origin\": \"token\"", 0);
}

static void https_never_redirects_to_http(void **state)
{
    struct world *w = *state;
    AUTO(download) struct download d = download_of(w->target_url, &w->auth);
    rehearsal_tell("fault add '^GET gateway/' redirect-plain");
    run(w, &d, 1);
    assert_int_equal(d.error.id, ERR_BAD_REDIRECT);
    assert_int_equal(d.writes, 0);
    rehearsal_expect("\"origin\": \"plain\"", 0);
}

static void a_redirect_leads_to_http_addresses_only(void **state)
{
    rehearsal_tell("fault add '^GET store/' redirect to=file:///etc/passwd");
    expect_public_error(*state, ERR_BAD_REDIRECT);
    rehearsal_tell("fault clear");
    rehearsal_tell("fault add '^GET store/' redirect to=https://user@localhost/");
    expect_public_error(*state, ERR_BAD_REDIRECT);
}

static void a_circle_of_redirects_ends(void **state)
{
    rehearsal_tell("fault add '^GET store/' redirect-loop");
    expect_public_error(*state, ERR_BAD_REDIRECT);
    rehearsal_expect("\"origin\": \"store\"", 11);
}

static void many_transfers_renew_an_expired_login_once(void **state)
{
    struct world *w = *state;
    struct download d[24];
    for (size_t i = 0; i < COUNT_OF(d); i++)
        d[i] = download_of(w->target_url, &w->auth);
    run(w, d, 1);
    rehearsal_expect("\"origin\": \"token\"", 1);
    rehearsal_tell("expire-tokens");
    run(w, d + 1, COUNT_OF(d) - 1);
    for (size_t i = 0; i < COUNT_OF(d); i++) {
        expect_whole(&d[i], w->target_sha256);
        download_free(&d[i]);
    }
    rehearsal_expect("\"origin\": \"token\"", 2);
    assert_true(rehearsal_count("\"origin\": \"gateway\".*\"status\": 401") >= 1);
}

static void a_login_that_stays_refused_is_reported(void **state)
{
    struct world *w = *state;
    AUTO(download) struct download d = download_of(w->target_url, &w->auth);
    rehearsal_tell("fault add '^GET gateway/' status code=401");
    run(w, &d, 1);
    assert_int_equal(d.error.id, ERR_LOGIN_REFUSED);
    assert_int_equal(d.error.http_status, 401);
    rehearsal_expect("\"origin\": \"gateway\"", 2);
}

/* ---- connections ---- */

static void an_unknown_authority_is_refused(void **state)
{
    struct world *w = *state;
    w->options.ca_file = NULL;
    reopen(w);
    expect_public_error(w, ERR_TLS);
    rehearsal_expect("\"origin\": \"store\"", 0);
}

static void a_missing_certificate_file_shows_at_once(void **state)
{
    (void)state;
    struct http_options options = {.ca_file = "/nonexistent/ca.pem"};
    struct http *http;
    struct err e;
    assert_int_equal(http_open(&options, &http, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_PATH);
}

static void an_unreachable_server_is_named_without_its_secrets(void **state)
{
    struct world *w = *state;
    AUTO(download)
    struct download d = download_of("https://127.0.0.1:1/bucket/key?X-Amz-Signature=secret", NULL);
    w->options.attempts = 2;
    reopen(w);
    run(w, &d, 1);
    assert_int_equal(d.error.id, ERR_NETWORK);
    assert_non_null(strstr(d.error.message, "https://127.0.0.1:1/bucket/key"));
    assert_null(strstr(d.error.message, "secret"));
}

static void the_proxy_of_the_environment_is_used(void **state)
{
    struct world *w = *state;
    w->options.attempts = 1;
    reopen(w);
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    expect_public_error(w, ERR_NETWORK);
    unsetenv("https_proxy");
    rehearsal_expect("\"origin\": \"store\"", 0);
}

/* To one host and at the same time: that is where libcurl 7.88 mixes them up unless they are kept apart. */
static void small_files_share_a_connection_and_large_ones_do_not(void **state)
{
    struct world *w = *state;
    struct download d[40];
    for (size_t i = 0; i < COUNT_OF(d); i++) {
        d[i] = download_of(w->public_url, NULL);
        d[i].transfer.small = i % 2 == 0;
    }
    run(w, d, COUNT_OF(d));
    for (size_t i = 0; i < COUNT_OF(d); i++) {
        expect_whole(&d[i], w->public_sha256);
        assert_int_equal(d[i].restarts, 0);
        download_free(&d[i]);
    }
    rehearsal_expect("HTTP/2.0", 20);
    rehearsal_expect("HTTP/1.1", 20);
}

/* ---- the queue ---- */

static void one_transfer_that_fails_does_not_stop_the_others(void **state)
{
    struct world *w = *state;
    struct download d[] = {download_of(w->public_url, NULL), download_of(w->public_url, NULL),
                           download_of("nonsense", NULL)};
    d[0].breaks = ERR_NO_SPACE;
    run(w, d, COUNT_OF(d));
    assert_int_equal(d[0].error.id, ERR_NO_SPACE);
    assert_int_equal(d[0].writes, 1);
    expect_whole(&d[1], w->public_sha256);
    assert_int_equal(d[2].error.id, ERR_BAD_URL);
    download_free(&d[1]);
}

static void the_owner_can_stop_the_run(void **state)
{
    struct world *w = *state;
    struct download d[8];
    struct err e;
    for (size_t i = 0; i < COUNT_OF(d); i++)
        d[i] = download_of(w->public_url, NULL);
    struct list list = {.downloads = d, .count = COUNT_OF(d), .stop_at_first = true};
    struct http_queue queue = {&list, next_download, download_done};
    assert_int_equal(http_run(w->http, &queue, &e), -1);
    assert_int_equal(e.id, ERR_NO_SPACE);
    assert_int_equal(list.ended, 1);
    for (size_t i = 0; i < COUNT_OF(d); i++)
        download_free(&d[i]);
}

static void what_is_whole_already_needs_no_server(void **state)
{
    struct world *w = *state;
    struct download d = download_of("https://127.0.0.1:1/", NULL);
    d.transfer.sink.have = SIZE;
    run(w, &d, 1);
    assert_int_equal(d.error.id, ERR_NONE);
    assert_int_equal(d.writes + d.restarts, 0);
}

/* ---- small exchanges ---- */

static int send_one(struct world *w, const struct http_request *request, int *ret_status, struct err *e)
{
    AUTO(buf) struct buf body = {0};
    AUTO(http_reply) struct http_reply reply = {0};
    if (http_send(w->http, request, &body, &reply, e))
        return -1;
    *ret_status = reply.status;
    return 0;
}

static void an_exchange_returns_the_body_of_an_error_too(void **state)
{
    struct world *w = *state;
    AUTO(buf) struct buf body = {0};
    AUTO(http_reply) struct http_reply reply = {0};
    AUTO_FREE char *url = mem_format("%s/api/v1/user_repo/nothing.json", w->repo_url);
    struct http_request request = {.url = url, .auth = &w->auth};
    struct err e;
    assert_int_equal(http_send(w->http, &request, &body, &reply, &e), 0);
    assert_int_equal(reply.status, 404);
    assert_string_equal(reply.content_type, "application/json");
    assert_string_equal(reply.final_url, url);
    assert_non_null(strstr(buf_text(&body), "not_found"));
}

static void an_answer_has_a_largest_size(void **state)
{
    struct world *w = *state;
    struct http_request request = {.url = w->public_url, .max_answer = SIZE - 1};
    struct err e;
    int status;
    assert_int_equal(send_one(w, &request, &status, &e), -1);
    assert_int_equal(e.id, ERR_TOO_LARGE);
    request.max_answer = SIZE;
    assert_int_equal(send_one(w, &request, &status, &e), 0);
    assert_int_equal(status, 200);
}

static void a_post_reaches_the_server_once(void **state)
{
    struct world *w = *state;
    struct http_request request = {
        .url = w->credentials.endpoints.token, .body = "x=y", .body_len = 3, .content_type = "text/plain"};
    struct err e;
    int status;
    rehearsal_tell("fault add '^POST token/' status code=500");
    assert_int_equal(send_one(w, &request, &status, &e), 0);
    assert_int_equal(status, 500);
    rehearsal_expect("\"origin\": \"token\"", 1);
    request.repeatable = true;
    assert_int_equal(send_one(w, &request, &status, &e), 0);
    rehearsal_expect("\"origin\": \"token\"", 1 + HTTP_ATTEMPTS_DEFAULT);
}

static void a_post_is_never_redirected(void **state)
{
    struct world *w = *state;
    struct http_request request = {.url = w->credentials.endpoints.token, .body = "secret=1", .body_len = 8};
    struct err e;
    int status;
    rehearsal_tell("fault add '^POST token/' redirect to=%s", w->public_url);
    assert_int_equal(send_one(w, &request, &status, &e), -1);
    assert_int_equal(e.id, ERR_BAD_REDIRECT);
    rehearsal_expect("\"origin\": \"store\"", 0);
}

static void a_cut_answer_is_asked_for_again_from_the_start(void **state)
{
    struct world *w = *state;
    AUTO(buf) struct buf body = {0};
    AUTO(http_reply) struct http_reply reply = {0};
    struct http_request request = {.url = w->public_url, .max_answer = SIZE};
    struct err e;
    rehearsal_tell("fault add '^GET store/' cut at=300000 --times 1");
    if (http_send(w->http, &request, &body, &reply, &e))
        fail_msg("%s", e.message);
    assert_int_equal(body.len, SIZE);
    rehearsal_expect("\"range\": \"bytes", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_login_stays_with_its_origin),
        TEST(a_login_goes_to_its_own_origin_only_even_unredirected),
        TEST(https_never_redirects_to_http),
        TEST(a_redirect_leads_to_http_addresses_only),
        TEST(a_circle_of_redirects_ends),
        TEST(many_transfers_renew_an_expired_login_once),
        TEST(a_login_that_stays_refused_is_reported),
        TEST(an_unknown_authority_is_refused),
        TEST(a_missing_certificate_file_shows_at_once),
        TEST(an_unreachable_server_is_named_without_its_secrets),
        TEST(the_proxy_of_the_environment_is_used),
        TEST(small_files_share_a_connection_and_large_ones_do_not),
        TEST(one_transfer_that_fails_does_not_stop_the_others),
        TEST(the_owner_can_stop_the_run),
        TEST(what_is_whole_already_needs_no_server),
        TEST(an_exchange_returns_the_body_of_an_error_too),
        TEST(an_answer_has_a_largest_size),
        TEST(a_post_reaches_the_server_once),
        TEST(a_post_is_never_redirected),
        TEST(a_cut_answer_is_asked_for_again_from_the_start),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
