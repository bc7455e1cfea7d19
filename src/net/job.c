/* SPDX-License-Identifier: Apache-2.0 */
#include "net/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/curl_error.h"
#include "net/url.h"

#define LARGE_BUFFER (512L << 10)
#define SMALL_BUFFER (64L << 10) /* many at once */
/* A refused answer's body up to this size is read and dropped, which keeps the connection. */
#define DROPPED_BODY_MAX 65536
/* All answers to one request together (1xx ones too), with the trailers: libcurl keeps every trailer. */
#define HEAD_MAX_KIB 256

static void ask(struct job *j);
static int prepare_login(struct job *j, struct err *e);
static void prepare_headers(struct job *j);
static CURLcode set_options(struct job *j);
static CURLcode set_identity(CURL *easy, const struct http_identity *i);
static CURLcode set_method(CURL *easy, const struct http_request *r);
static size_t on_head_line(char *line, size_t size, size_t n, void *job);
static size_t on_body(char *bytes, size_t size, size_t n, void *job);
static int on_request(void *job, char *remote, char *local, int remote_port, int local_port);
static void judge(struct job *j);
static void settle(struct job *j);
static void settle_body(struct job *j);
static void settle_broken(struct job *j);
static int restart_sink(struct job *j);
static void renew_login(struct job *j);
static void redirect(struct job *j);
static void pause_job(struct job *j);
static void succeed(struct job *j);
static void fail(struct job *j);
static void forget_request(struct job *j);

struct job *job_new(struct http *h, const struct http_request *request, const struct http_sink *sink,
                    bool small)
{
    struct job *j = h->spare;
    CURL *easy = j ? j->easy : NULL;
    if (j)
        h->spare = j->next_spare;
    else
        j = mem_zeroed(1, sizeof *j);
    *j = (struct job){.http = h, .easy = easy, .request = *request, .sink = *sink, .small = small};
    const char *method = request->method ? request->method : request->body ? "POST" : "GET";
    j->request.method = method;
    transfer_begin(&j->transfer, sink->have, sink->expected, request->once ? 1 : h->attempts);
    j->transfer.is_read = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    j->transfer.repeatable = j->transfer.is_read || strcmp(method, "PUT") == 0 || request->repeatable;
    j->connection_is_fresh = request->once; /* libcurl itself repeats what a kept connection did not answer */
    j->url = mem_strdup(request->url);
    return j;
}

void job_free(struct job *j)
{
    if (j->state == JOB_ASKING || j->state == JOB_ANSWERED)
        curl_multi_remove_handle(j->multi, j->easy);
    forget_request(j);
    free(j->url);
    j->url = NULL;
    j->next_spare = j->http->spare;
    j->http->spare = j;
}

void job_destroy(struct job *j)
{
    curl_easy_cleanup(j->easy);
    free(j);
}

void job_begin(struct job *j)
{
    AUTO_FREE char *origin = NULL;
    if (!http_origin(j->url, &origin)) {
        err_set(&j->error, ERR_BAD_URL, "no http or https address");
        fail(j);
        return;
    }
    if (transfer_is_whole(&j->transfer)) {
        succeed(j);
        return;
    }
    bool is_of_another_file = j->transfer.at > j->transfer.expected;
    if (is_of_another_file && restart_sink(j))
        fail(j);
    else
        ask(j);
}

void job_ended(struct job *j, CURLcode result)
{
    j->result = result;
    j->state = JOB_ANSWERED;
}

void job_step(struct job *j, uint64_t now_us)
{
    uint64_t silent_us = j->http->waited_us - j->heard_us;
    bool stalled = j->state == JOB_ASKING && j->sent && silent_us >= j->http->stall_us;
    if (stalled) {
        snprintf(j->curl_text, sizeof j->curl_text, "no byte for %" PRIu64 " s", j->http->stall_us / 1000000);
        job_ended(j, CURLE_OPERATION_TIMEDOUT);
    }
    if (j->state == JOB_ANSWERED)
        settle(j);
    else if (j->state == JOB_WAITING && now_us >= j->wake_us)
        ask(j);
}

uint64_t job_rest_us(const struct job *j, uint64_t now_us)
{
    switch (j->state) {
    case JOB_ASKING: {
        uint64_t silent_us = j->http->waited_us - j->heard_us;
        if (!j->sent)
            return UINT64_MAX;
        return silent_us < j->http->stall_us ? j->http->stall_us - silent_us : 0;
    }
    case JOB_WAITING:
        return j->wake_us > now_us ? j->wake_us - now_us : 0;
    default:
        return 0;
    }
}

/* ---- asking ---- */

static void ask(struct job *j)
{
    forget_request(j);
    answer_begin(&j->answer);
    j->judged = j->sent = false;
    j->dropped = j->head_len = 0;
    j->curl_text[0] = '\0';
    if (!j->easy && !(j->easy = curl_easy_init())) {
        curl_error_internal(&j->error, "handle", "out of memory");
        fail(j);
        return;
    }
    bool has_rest = j->transfer.any_status && j->transfer.at > 0; /* of an answer that was not the last */
    if ((has_rest && restart_sink(j)) || prepare_login(j, &j->error)) {
        fail(j);
        return;
    }
    prepare_headers(j);
    CURLcode set = set_options(j);
    CURLMcode added = set == CURLE_OK ? curl_multi_add_handle(j->multi, j->easy) : CURLM_OK;
    if (set != CURLE_OK || added != CURLM_OK) {
        curl_error_internal(&j->error, "request",
                            set != CURLE_OK ? curl_easy_strerror(set) : curl_multi_strerror(added));
        fail(j);
        return;
    }
    j->state = JOB_ASKING;
}

/* Only the origin that the login belongs to ever sees it, on whichever hop. */
static int prepare_login(struct job *j, struct err *e)
{
    const struct http_auth *auth = j->request.auth;
    buf_clear(&j->login);
    j->transfer.login_sent = auth && url_same_origin(j->url, auth->origin);
    return j->transfer.login_sent ? auth->header(auth->ctx, false, &j->login, e) : 0;
}

static void add_header(struct job *j, const char *name, const char *value)
{
    AUTO_FREE char *line = mem_format("%s: %s", name, value);
    j->headers = curl_slist_append(j->headers, line);
    explicit_bzero(line, strlen(line));
}

static void prepare_headers(struct job *j)
{
    const struct http_request *r = &j->request;
    uint64_t from = transfer_range_start(&j->transfer);
    for (const char *const *header = r->headers; header && *header; header++)
        j->headers = curl_slist_append(j->headers, *header);
    j->headers = curl_slist_append(j->headers, "Expect:"); /* no round trip before a small body */
    if (r->content_type)
        add_header(j, "Content-Type", r->content_type);
    if (j->transfer.login_sent)
        add_header(j, "Authorization", buf_text(&j->login));
    if (from > 0) {
        AUTO_FREE char *range = mem_format("bytes=%" PRIu64 "-", from);
        add_header(j, "Range", range);
        if (j->transfer.etag[0])
            add_header(j, "If-Range", j->transfer.etag);
    }
}

/* Redirects are followed in redirect(), so that no header is ever sent where it does not belong. */
static CURLcode set_options(struct job *j)
{
    CURL *easy = j->easy;
    const struct http *h = j->http;
    bool multiplexed = j->small && !j->connection_is_fresh;
    j->multi = h->lanes[multiplexed ? LANE_MULTIPLEXED : LANE_SINGLE];
    curl_easy_reset(easy);
    /* Refused where the handle still holds a buffer of an earlier transfer: then that one serves. */
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, j->small ? SMALL_BUFFER : LARGE_BUFFER);
    CURLcode failed = CURLE_OK;
#define SET(option, value)                                                                                   \
    do {                                                                                                     \
        if (failed == CURLE_OK)                                                                              \
            failed = curl_easy_setopt(easy, option, value);                                                  \
    } while (0)
    SET(CURLOPT_URL, j->url);
    SET(CURLOPT_PRIVATE, j);
    SET(CURLOPT_SHARE, h->share);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_USERAGENT, h->user_agent);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (h->ca_file)
        SET(CURLOPT_CAINFO, h->ca_file);
    if (h->ca_is_one_file)
        SET(CURLOPT_CAPATH, NULL); /* libcurl keeps a parsed bundle only where there is no folder beside it */
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)h->connect_timeout_ms);
    SET(CURLOPT_HTTP_VERSION, (long)(multiplexed ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    SET(CURLOPT_PIPEWAIT, multiplexed ? 1L : 0L);
    SET(CURLOPT_FRESH_CONNECT, j->connection_is_fresh ? 1L : 0L);
    SET(CURLOPT_HTTPHEADER, j->headers);
    SET(CURLOPT_ERRORBUFFER, j->curl_text);
    SET(CURLOPT_HEADERFUNCTION, on_head_line);
    SET(CURLOPT_HEADERDATA, j);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, j);
    SET(CURLOPT_PREREQFUNCTION, on_request);
    SET(CURLOPT_PREREQDATA, j);
#undef SET
    if (failed == CURLE_OK && h->identity)
        failed = set_identity(easy, h->identity);
    return failed == CURLE_OK ? set_method(easy, &j->request) : failed;
}

static CURLcode set_blob(CURL *easy, CURLoption option, const void *pem, size_t len)
{
    struct curl_blob blob = {.data = (void *)pem, .len = len, .flags = CURL_BLOB_NOCOPY};
    return len ? curl_easy_setopt(easy, option, &blob) : CURLE_OK;
}

static CURLcode set_identity(CURL *easy, const struct http_identity *i)
{
    CURLcode failed = set_blob(easy, CURLOPT_SSLCERT_BLOB, i->certificate, i->certificate_len);
    if (failed == CURLE_OK)
        failed = set_blob(easy, CURLOPT_SSLKEY_BLOB, i->key, i->key_len);
    if (failed == CURLE_OK)
        failed = set_blob(easy, CURLOPT_CAINFO_BLOB, i->ca, i->ca_len);
    if (failed == CURLE_OK && i->ca_len)
        failed = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* or the system's count beside it */
    return failed;
}

static CURLcode set_method(CURL *easy, const struct http_request *r)
{
    if (strcmp(r->method, "HEAD") == 0)
        return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (strcmp(r->method, "GET") == 0)
        return CURLE_OK;
    CURLcode failed = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method);
    if (failed == CURLE_OK && r->body)
        failed = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
    if (failed == CURLE_OK && r->body)
        failed = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body);
    return failed;
}

/* ---- while libcurl works ---- */

static int on_request(void *job, char *remote, char *local, int remote_port, int local_port)
{
    (void)remote, (void)local, (void)remote_port, (void)local_port;
    struct job *j = job;
    j->sent = j->ever_sent = true;
    j->heard_us = j->http->waited_us;
    return CURL_PREREQFUNC_OK;
}

/* As on_body(): anything but n ends the request. */
static size_t on_head_line(char *line, size_t size, size_t n, void *job)
{
    struct job *j = job;
    n *= size;
    j->heard_us = j->http->waited_us;
    j->head_len += n;
    if (j->head_len > HEAD_MAX_KIB << 10) {
        err_set(&j->error, ERR_BAD_ANSWER, "the answer's head is larger than %d KiB", HEAD_MAX_KIB);
        j->failed = true;
        return 0;
    }
    if (!j->judged) /* lines after the body are trailers */
        answer_add_line(&j->answer, line, n);
    return n;
}

/* Returning anything but n ends the request with CURLE_WRITE_ERROR. */
static size_t on_body(char *bytes, size_t size, size_t n, void *job)
{
    struct job *j = job;
    n *= size;
    j->heard_us = j->http->waited_us;
    if (!j->judged)
        judge(j);
    if (j->step != STEP_TAKE) {
        j->dropped += n;
        return j->dropped <= DROPPED_BODY_MAX ? n : 0;
    }
    j->failed = transfer_take(&j->transfer, n, &j->error) || j->sink.write(j->sink.ctx, bytes, n, &j->error);
    return j->failed ? 0 : n;
}

/* Once per answer, as soon as its head is complete. */
static void judge(struct job *j)
{
    j->judged = true;
    j->step = transfer_judge(&j->transfer, &j->answer, &j->error);
    if (j->step == STEP_RESTART)
        j->step = restart_sink(j) ? STEP_FAIL : STEP_TAKE;
    j->failed = j->step == STEP_FAIL;
}

/* ---- after the request ---- */

static void settle(struct job *j)
{
    curl_multi_remove_handle(j->multi, j->easy);
    bool has_head = j->answer.status >= 200;
    if (!j->judged && has_head && j->result == CURLE_OK)
        judge(j);
    if (j->failed) {
        fail(j);
        return;
    }
    if (!j->judged) {
        settle_broken(j);
        return;
    }
    switch (j->step) {
    case STEP_COMPLETE:
        succeed(j);
        break;
    case STEP_LATER:
        pause_job(j);
        break;
    case STEP_LOGIN:
        renew_login(j);
        break;
    case STEP_REDIRECT:
        redirect(j);
        break;
    case STEP_ASK_ANEW:
        if (restart_sink(j))
            fail(j);
        else
            ask(j);
        break;
    default:
        settle_body(j);
    }
}

static void settle_body(struct job *j)
{
    if (j->result != CURLE_OK) {
        settle_broken(j);
        return;
    }
    j->connection_is_fresh = false;
    switch (transfer_end(&j->transfer, &j->error)) {
    case STEP_COMPLETE:
        succeed(j);
        break;
    case STEP_LATER:
        pause_job(j);
        break;
    default:
        fail(j);
    }
}

/* No answer, or only a part of one. */
static void settle_broken(struct job *j)
{
    bool may_pass = curl_error_may_pass(j->result);
    bool may_repeat = j->transfer.repeatable || !j->sent;
    if (may_pass && may_repeat && transfer_may_try_again(&j->transfer)) {
        j->connection_is_fresh = true;
        answer_begin(&j->answer); /* its Retry-After, if it had one, was about something else */
        pause_job(j);
        return;
    }
    curl_error_set(&j->error, j->result, j->curl_text);
    fail(j);
}

static int restart_sink(struct job *j)
{
    j->transfer.at = 0;
    return j->sink.restart(j->sink.ctx, &j->error);
}

/* With many transfers in flight the first 401 renews the login; the others find that it has changed. */
static void renew_login(struct job *j)
{
    const struct http_auth *auth = j->request.auth;
    AUTO(buf) struct buf now = {0};
    int failed = auth->header(auth->ctx, false, &now, &j->error);
    bool is_same = !failed && strcmp(buf_text(&now), buf_text(&j->login)) == 0;
    if (is_same) {
        buf_clear(&now);
        failed = auth->header(auth->ctx, true, &now, &j->error);
    }
    if (now.data)
        explicit_bzero(now.data, now.room);
    if (failed)
        fail(j);
    else
        ask(j);
}

static void redirect(struct job *j)
{
    char *to = NULL;
    AUTO_FREE char *origin = NULL;
    curl_easy_getinfo(j->easy, CURLINFO_REDIRECT_URL, &to);
    if (!to || !http_origin(to, &origin)) {
        err_set(&j->error, ERR_BAD_REDIRECT, "the server redirects to what is no http or https address");
        fail(j);
        return;
    }
    if (url_is_https(j->url) && !url_is_https(to)) {
        err_set(&j->error, ERR_BAD_REDIRECT, "the server redirects from https to '%s'", origin);
        fail(j);
        return;
    }
    free(j->url);
    j->url = mem_strdup(to);
    ask(j);
}

/* Every try begins at the first address: what it redirects to may have expired. */
static void pause_job(struct job *j)
{
    free(j->url);
    j->url = mem_strdup(j->request.url);
    j->transfer.hops = 0;
    j->wake_us = http_now_us() + transfer_pause_ms(&j->transfer, &j->answer, j->http->pause_ms) * 1000;
    j->state = JOB_WAITING;
}

static void succeed(struct job *j)
{
    j->state = JOB_DONE;
}

static void fail(struct job *j)
{
    AUTO(buf) struct buf shown = {0};
    url_show(&shown, j->request.url);
    err_context(&j->error, "'%s'", buf_text(&shown));
    j->failed = true;
    j->state = JOB_DONE;
}

/* Forgets what the last request was made of, the login above all. */
static void forget_request(struct job *j)
{
    for (struct curl_slist *line = j->headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(j->headers);
    j->headers = NULL;
    if (j->login.data)
        explicit_bzero(j->login.data, j->login.room);
    buf_free(&j->login);
}
