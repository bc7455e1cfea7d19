/* SPDX-License-Identifier: Apache-2.0 */
#include "rehearsal.h"

#include <time.h>

#include "cloud/credentials.h"
#include "cloud/token.h"
#include "crypto/hash.h"
#include "net/http.h"

#define SIZE (1u << 20)

/* A download into memory, and what happened to its sink. */
struct download {
    struct buf body;
    unsigned restarts, writes;
    unsigned write_ms;  /* each write takes that long */
    enum err_id breaks; /* the sink's own error at its first write */
    struct err error;   /* ERR_NONE: all arrived */
    struct http_transfer transfer;
};

struct world {
    struct credentials credentials;
    char *ca_file, *repo_url, *origin;
    char *target_url; /* redirects to the store; login needed */
    char *public_url; /* the store itself; no login */
    char target_sha256[HASH_HEX_SIZE], public_sha256[HASH_HEX_SIZE];
    struct http_options options;
    struct http *http;
    struct token *token;
    struct http_auth auth;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- the world of all tests ---- */

static void package_field(const char *id, const char *field, char *ret, size_t size)
{
    AUTO_FREE char *command = mem_format(
        REHEARSAL " ctl %s package list | python3 -c 'import json, sys; "
                  "print([p for p in json.load(sys.stdin) if p[\"target\"] == \"%s\"][0][\"%s\"], end=\"\")'",
        rehearsal_folder, id, field);
    AUTO_FREE char *value = rehearsal_run(command);
    assert_true(strlen(value) < size);
    strcpy(ret, value);
}

static int start(void **state)
{
    struct err e;
    char uri[200];
    struct world *w = mem_zeroed(1, sizeof *w);
    rehearsal_start("--keys ed25519");
    rehearsal_tell("package add target 1 --hwid h --random %u", SIZE);
    rehearsal_tell("package add public 1 --hwid h --random %u --uri hosted", SIZE);
    package_field("target-1", "sha256", w->target_sha256, sizeof w->target_sha256);
    package_field("public-1", "sha256", w->public_sha256, sizeof w->public_sha256);
    package_field("public-1", "uri", uri, sizeof uri);
    w->public_url = mem_strdup(uri);
    w->ca_file = rehearsal_value("REHEARSAL_CA");
    w->repo_url = rehearsal_value("REHEARSAL_REPO_URL");
    w->target_url = mem_format("%s/api/v1/user_repo/targets/target-1", w->repo_url);
    assert_true(http_origin(w->repo_url, &w->origin));
    AUTO_FREE char *archive = rehearsal_value("REHEARSAL_CREDENTIALS");
    if (credentials_read(archive, &w->credentials, &e))
        fail_msg("%s", e.message);
    *state = w;
    return 0;
}

static int stop(void **state)
{
    struct world *w = *state;
    credentials_free(&w->credentials);
    free(w->ca_file);
    free(w->repo_url);
    free(w->target_url);
    free(w->public_url);
    free(w->origin);
    free(w);
    rehearsal_stop();
    return 0;
}

static void open_http(struct world *w)
{
    struct err e;
    if (http_open(&w->options, &w->http, &e))
        fail_msg("%s", e.message);
    struct token_client client = {w->credentials.client_id, w->credentials.client_secret, NULL};
    w->token = token_new(w->http, w->credentials.endpoints.token, &client);
    w->auth = (struct http_auth){w->origin, token_header, w->token};
}

static void close_http(struct world *w)
{
    token_delete(w->token);
    http_close(w->http);
}

/* Every test has connections and a login of its own. */
static int begin(void **state)
{
    struct world *w = *state;
    rehearsal_begin();
    w->options = (struct http_options){
        .ca_file = w->ca_file, .user_agent = rehearsal_agent, .pause_ms = 10, .stall_timeout_ms = 5000};
    open_http(w);
    return 0;
}

static int end(void **state)
{
    close_http(*state);
    return 0;
}

static void reopen(struct world *w)
{
    close_http(w);
    open_http(w);
}

/* ---- downloads ---- */

static int take(void *ctx, const void *bytes, size_t n, struct err *e)
{
    struct download *d = ctx;
    d->writes++;
    if (d->breaks)
        return err_set(e, d->breaks, "the sink breaks");
    usleep(d->write_ms * 1000);
    buf_add(&d->body, bytes, n);
    return 0;
}

static int forget(void *ctx, struct err *e)
{
    (void)e;
    struct download *d = ctx;
    buf_clear(&d->body);
    d->restarts++;
    return 0;
}

static struct download download_of(const char *url, const struct http_auth *auth)
{
    return (struct download){
        .transfer = {.url = url, .auth = auth, .sink = {.expected = SIZE, .write = take, .restart = forget}}};
}

static void download_free(struct download *d)
{
    buf_free(&d->body);
}

struct list {
    struct download *downloads;
    size_t count, next;
    bool stop_at_first;
    size_t ended;
};

static bool next_download(void *ctx, struct http_transfer *ret)
{
    struct list *list = ctx;
    if (list->next == list->count)
        return false;
    struct download *d = &list->downloads[list->next++];
    *ret = d->transfer;
    ret->sink.ctx = d;
    ret->user = d;
    return true;
}

static int download_done(void *ctx, struct http_transfer *t, const struct err *e, struct err *fail)
{
    struct list *list = ctx;
    struct download *d = t->user;
    if (e)
        d->error = *e;
    list->ended++;
    return list->stop_at_first ? err_set(fail, ERR_NO_SPACE, "enough") : 0;
}

static void run(struct world *w, struct download *downloads, size_t n)
{
    struct list list = {.downloads = downloads, .count = n};
    struct http_queue queue = {&list, next_download, download_done};
    struct err e;
    if (http_run(w->http, &queue, &e))
        fail_msg("%s", e.message);
    assert_int_equal(list.ended, n);
}

static void expect_whole(const struct download *d, const char *sha256)
{
    uint8_t digest[HASH_SIZE];
    char text[HASH_HEX_SIZE];
    if (d->error.id != ERR_NONE)
        fail_msg("%s", d->error.message);
    assert_int_equal(d->body.len, SIZE);
    hash_of(d->body.data, d->body.len, digest);
    hash_hex(digest, text);
    assert_string_equal(text, sha256);
}

/* One download of the public object, under the faults that were added. */
static void expect_public(struct world *w, unsigned restarts)
{
    AUTO(download) struct download d = download_of(w->public_url, NULL);
    run(w, &d, 1);
    expect_whole(&d, w->public_sha256);
    assert_int_equal(d.restarts, restarts);
}

static void expect_public_error(struct world *w, enum err_id id)
{
    AUTO(download) struct download d = download_of(w->public_url, NULL);
    run(w, &d, 1);
    if (d.error.id != id)
        fail_msg("%s, not %s: %s", err_name(d.error.id), err_name(id), d.error.message);
}

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

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

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
