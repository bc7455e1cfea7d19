/* SPDX-License-Identifier: Apache-2.0
 *
 * One transfer on its way through all of its requests: redirects, logins, pauses, resumed parts. A job owns a
 * libcurl easy handle and is driven by the loop in http.c:
 *
 *     job_new() → job_begin() → while not JOB_DONE: http_wait(), job_step() → j->failed, j->error →
 * job_free()
 *
 * Only JOB_ASKING jobs are in a multi handle. Judgement and everything that may call back into http_send()
 * (a login) happens in job_step(), never inside a libcurl callback.
 */
#ifndef AIRLOCK_NET_JOB_H
#define AIRLOCK_NET_JOB_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/answer.h"
#include "net/http.h"
#include "net/transfer.h"

/* libcurl 7.88 takes a whole host for multiplexing once one connection to it does, and then sends further
 * requests down any connection to that host, one of HTTP/1.1 that is in use too (curl issue 4885). So the two
 * kinds of requests have a multi handle each, and with it connections of their own. */
enum lane { LANE_MULTIPLEXED, LANE_SINGLE, LANE_COUNT };

struct http {
    CURLM *lanes[LANE_COUNT];
    CURLSH *share; /* TLS sessions: libcurl keeps them per easy handle otherwise */
    const struct http_identity *identity;
    char *ca_file, *user_agent;
    bool ca_adds;
    bool ca_is_one_file; /* and so libcurl parses it once for all connections */
    unsigned parallel, attempts, connect_timeout_ms, pause_ms;
    uint64_t stall_us;
    /* Time spent waiting for the network. It stands still while sinks and logins work, so that a slow disk is
     * never taken for a stalled server. */
    uint64_t waited_us;
    struct job *spare; /* ended jobs, whose easy handles are used again */
};

enum job_state {
    JOB_ASKING,   /* the request is with libcurl */
    JOB_ANSWERED, /* libcurl is done with it; job_step() judges */
    JOB_WAITING,  /* until wake_us */
    JOB_DONE,
};

struct job {
    struct http *http;
    CURL *easy;
    CURLM *multi; /* the lane of the present request */
    enum job_state state;
    struct http_request request;
    struct http_transfer transfer_of_run; /* http_run() only: what next() gave and done() gets back */
    struct http_sink sink;
    bool small;
    struct transfer transfer;
    struct answer answer;
    bool judged;
    enum transfer_step step;
    char *url; /* of this hop */
    struct buf login;
    struct curl_slist *headers;
    char curl_text[CURL_ERROR_SIZE];
    CURLcode result;
    uint64_t dropped;         /* bytes of a body that nobody wants */
    uint64_t head_len;        /* bytes of head lines and trailers of the present request */
    bool sent;                /* the present request may have reached the server */
    bool ever_sent;           /* one of them may have */
    bool connection_is_fresh; /* ask on a new HTTP/1.1 connection: the last one failed */
    uint64_t wake_us;         /* monotonic clock */
    uint64_t heard_us;        /* http->waited_us when the last byte came */
    bool failed;
    struct err error;
    struct job *next_spare;
};

uint64_t http_now_us(void); /* monotonic */

/* Takes the request's pointers as they are; they must outlive the job. */
struct job *job_new(struct http *h, const struct http_request *request, const struct http_sink *sink,
                    bool small);
void job_free(struct job *j);
/* Frees for good, with the easy handle. */
void job_destroy(struct job *j);

void job_begin(struct job *j);
/* libcurl is done with the request. */
void job_ended(struct job *j, CURLcode result);
/* Goes on where it can: judges an answer, ends a pause, notices a stall. */
void job_step(struct job *j, uint64_t now_us);
/* Microseconds until job_step() has something to do by itself; UINT64_MAX: never. */
uint64_t job_rest_us(const struct job *j, uint64_t now_us);

#endif
