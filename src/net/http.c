/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>

#include "base/mem.h"
#include "net/curl_error.h"
#include "net/job.h"

#define ANSWER_MAX_DEFAULT (64u << 10)
#define TIMEOUT_DEFAULT_MS 30000
#define PAUSE_DEFAULT_MS 500
#define POLL_MAX_US 1000000

static int open_curl(struct http *h, struct err *e);
static bool is_readable_file(const char *path);
static int wait_for_network(struct http *h, uint64_t rest_us, struct err *e);

int http_open(const struct http_options *o, struct http **ret, struct err *e)
{
    if (o->ca_file && !is_readable_file(o->ca_file))
        return err_errno(e, ERR_NO_SUCH_PATH, "cannot read the certificates in '%s'", o->ca_file);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return curl_error_internal(e, "global", "cannot start");
    struct http *h = mem_zeroed(1, sizeof *h);
    h->identity = o->identity;
    h->ca_file = o->ca_file ? mem_strdup(o->ca_file) : NULL;
    h->ca_adds = o->ca_adds;
    h->user_agent = mem_strdup(o->user_agent ? o->user_agent : "airlock/" AIRLOCK_VERSION);
    h->parallel = o->parallel ? o->parallel : HTTP_PARALLEL_DEFAULT;
    h->attempts = o->attempts ? o->attempts : HTTP_ATTEMPTS_DEFAULT;
    h->connect_timeout_ms = o->connect_timeout_ms ? o->connect_timeout_ms : TIMEOUT_DEFAULT_MS;
    h->stall_us = (uint64_t)(o->stall_timeout_ms ? o->stall_timeout_ms : TIMEOUT_DEFAULT_MS) * 1000;
    h->pause_ms = o->pause_ms ? o->pause_ms : PAUSE_DEFAULT_MS;
    if (open_curl(h, e)) {
        http_close(h);
        return -1;
    }
    *ret = h;
    return 0;
}

void http_close(struct http *h)
{
    if (!h)
        return;
    while (h->spare) {
        struct job *j = h->spare;
        h->spare = j->next_spare;
        job_destroy(j);
    }
    for (size_t lane = 0; lane < LANE_COUNT; lane++)
        curl_multi_cleanup(h->lanes[lane]);
    curl_share_cleanup(h->share);
    curl_global_cleanup(); /* counts its callers */
    free(h->ca_file);
    free(h->user_agent);
    free(h);
}

static int open_curl(struct http *h, struct err *e)
{
    h->share = curl_share_init();
    if (!h->share)
        return curl_error_internal(e, "share", "out of memory");
    curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    for (size_t lane = 0; lane < LANE_COUNT; lane++) {
        CURLM *multi = h->lanes[lane] = curl_multi_init();
        if (!multi)
            return curl_error_internal(e, "multi", "out of memory");
        curl_multi_setopt(multi, CURLMOPT_PIPELINING,
                          lane == LANE_MULTIPLEXED ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING);
        curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)h->parallel);
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 2L * (long)h->parallel);
    }
    const char *system_bundle = curl_version_info(CURLVERSION_NOW)->cainfo;
    h->ca_is_one_file = h->ca_file ? !h->ca_adds : (system_bundle && is_readable_file(system_bundle));
    return 0;
}

static bool is_readable_file(const char *path)
{
    return access(path, R_OK) == 0;
}

/* ---- the loop ---- */

uint64_t http_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void collect_ended(CURLM *multi)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
        struct job *j = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&j);
        job_ended(j, message->data.result);
    }
}

/* What a lane waits for, as descriptors that another one's poll takes along. */
static CURLMcode list_descriptors(CURLM *multi, struct curl_waitfd ret[FD_SETSIZE], unsigned *ret_count)
{
    fd_set reads, writes, errors;
    int last = -1;
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_ZERO(&errors);
    CURLMcode failed = curl_multi_fdset(multi, &reads, &writes, &errors, &last);
    *ret_count = 0;
    for (int fd = 0; fd <= last; fd++) {
        short events = (short)((FD_ISSET(fd, &reads) ? CURL_WAIT_POLLIN : 0) |
                               (FD_ISSET(fd, &writes) ? CURL_WAIT_POLLOUT : 0));
        if (events)
            ret[(*ret_count)++] = (struct curl_waitfd){.fd = fd, .events = events};
    }
    return failed;
}

/* Until something is to be done in either lane. */
static CURLMcode poll_lanes(struct http *h, int timeout_ms)
{
    struct curl_waitfd others[FD_SETSIZE];
    unsigned count;
    long due_ms = -1;
    CURLMcode failed = list_descriptors(h->lanes[LANE_SINGLE], others, &count);
    if (failed == CURLM_OK)
        failed = curl_multi_timeout(h->lanes[LANE_SINGLE], &due_ms);
    if (due_ms >= 0 && due_ms < timeout_ms)
        timeout_ms = (int)due_ms;
    return failed == CURLM_OK ? curl_multi_poll(h->lanes[LANE_MULTIPLEXED], others, count, timeout_ms, NULL)
                              : failed;
}

/* Waits up to rest_us for the network, then moves what can be moved, of every job of h. */
static int wait_for_network(struct http *h, uint64_t rest_us, struct err *e)
{
    uint64_t before_us = http_now_us();
    uint64_t timeout_us = rest_us < POLL_MAX_US ? rest_us : POLL_MAX_US;
    CURLMcode failed = poll_lanes(h, (int)((timeout_us + 999) / 1000));
    h->waited_us += http_now_us() - before_us;
    for (size_t lane = 0; lane < LANE_COUNT; lane++) {
        int running;
        if (failed == CURLM_OK)
            failed = curl_multi_perform(h->lanes[lane], &running);
        collect_ended(h->lanes[lane]);
    }
    return failed == CURLM_OK ? 0 : curl_error_internal(e, "loop", curl_multi_strerror(failed));
}

/* ---- one small exchange ---- */

struct memory {
    struct buf *to;
    size_t limit;
};

static int memory_write(void *ctx, const void *bytes, size_t n, struct err *e)
{
    struct memory *memory = ctx;
    if (n > memory->limit - memory->to->len)
        return err_set(e, ERR_TOO_LARGE, "the answer is larger than %zu bytes", memory->limit);
    buf_add(memory->to, bytes, n);
    return 0;
}

static int memory_restart(void *ctx, struct err *e)
{
    (void)e;
    struct memory *memory = ctx;
    buf_clear(memory->to);
    return 0;
}

static void take_reply(struct job *j, struct http_reply *ret)
{
    char *type = NULL;
    curl_easy_getinfo(j->easy, CURLINFO_CONTENT_TYPE, &type);
    *ret = (struct http_reply){
        .status = j->answer.status,
        .content_type = type ? mem_strdup(type) : NULL,
        .final_url = mem_strdup(j->url),
        .challenge = j->answer.challenge[0] ? mem_strdup(j->answer.challenge) : NULL,
    };
}

int http_send(struct http *h, const struct http_request *request, struct buf *ret_body,
              struct http_reply *ret_reply, struct err *e)
{
    AUTO(buf) struct buf body = {0};
    struct memory memory = {&body, request->max_answer ? request->max_answer : ANSWER_MAX_DEFAULT};
    struct http_sink sink = {&memory, 0, HTTP_LENGTH_UNKNOWN, memory_write, memory_restart};
    struct job *j = job_new(h, request, &sink, true);
    j->transfer.any_status = true;
    job_begin(j);
    int failed = 0;
    while (!failed && j->state != JOB_DONE) {
        failed = wait_for_network(h, job_rest_us(j, http_now_us()), e);
        job_step(j, http_now_us());
    }
    if (request->ret_sent)
        *request->ret_sent = j->ever_sent;
    if (!failed && j->failed) {
        *e = j->error;
        if (e->id == ERR_TOO_LARGE)
            e->http_status = j->answer.status;
        failed = -1;
    }
    if (!failed) {
        take_reply(j, ret_reply);
        buf_free(ret_body);
        *ret_body = body;
        body = (struct buf){0};
    }
    job_free(j);
    return failed;
}

void http_reply_free(struct http_reply *r)
{
    free(r->content_type);
    free(r->final_url);
    free(r->challenge);
    *r = (struct http_reply){0};
}

/* ---- many transfers ---- */

/* Large transfers take a whole place, small ones a part: what slows these down is the way to the server and
 * back, not the line. */
#define PLACE 4u

struct run {
    struct http *http;
    const struct http_queue *queue;
    struct job **jobs;
    size_t count;
    unsigned taken, places; /* in parts of a place */
    bool drained;
};

static unsigned weight(const struct job *j)
{
    return j->small ? 1 : PLACE;
}

static void start_next(struct run *run)
{
    struct http_transfer next = {0};
    if (!run->queue->next(run->queue->ctx, &next)) {
        run->drained = true;
        return;
    }
    struct http_request request = {.url = next.url, .auth = next.auth};
    struct job *j = job_new(run->http, &request, &next.sink, next.small);
    j->transfer_of_run = next;
    run->jobs[run->count++] = j;
    run->taken += weight(j);
    job_begin(j);
}

/* Moves every job on and hands those that ended to their owner. */
static int step_all(struct run *run, struct err *e)
{
    uint64_t now_us = http_now_us();
    for (size_t i = 0; i < run->count;) {
        struct job *j = run->jobs[i];
        job_step(j, now_us);
        if (j->state != JOB_DONE) {
            i++;
            continue;
        }
        struct http_transfer transfer = j->transfer_of_run;
        struct err error = j->error;
        bool job_failed = j->failed;
        run->taken -= weight(j);
        job_free(j);
        run->jobs[i] = run->jobs[--run->count];
        run->drained = false;
        if (run->queue->done(run->queue->ctx, &transfer, job_failed ? &error : NULL, e))
            return -1;
    }
    return 0;
}

static uint64_t rest_of_all_us(const struct run *run)
{
    uint64_t now_us = http_now_us(), rest_us = UINT64_MAX;
    for (size_t i = 0; i < run->count; i++) {
        uint64_t job_us = job_rest_us(run->jobs[i], now_us);
        rest_us = job_us < rest_us ? job_us : rest_us;
    }
    return rest_us;
}

int http_run(struct http *h, const struct http_queue *queue, struct err *e)
{
    struct run run = {.http = h, .queue = queue, .places = h->parallel * PLACE};
    run.jobs = mem_zeroed(run.places, sizeof *run.jobs);
    int failed = 0;
    while (!failed) {
        while (!run.drained && run.taken + PLACE <= run.places)
            start_next(&run);
        if (run.count == 0)
            break;
        failed = wait_for_network(h, rest_of_all_us(&run), e) || step_all(&run, e);
    }
    while (run.count > 0)
        job_free(run.jobs[--run.count]);
    free(run.jobs);
    return failed ? -1 : 0;
}
