/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP for everyone above: one libcurl multi loop, one TLS setup, shared connections. Knows nothing of
 * Torizon.
 *
 *   - http_get()/http_send(): one small exchange, the body in memory, capped.
 *   - http_run(): many transfers at once, each into a sink, started as places become free.
 *
 * Retried with growing pauses (and what Retry-After asks for): connection failures, stalls, cut bodies, 408,
 * 420, 425, 429, 5xx. A cut body goes on by Range from what the sink holds; where the server ignores Range or
 * the file changed, the sink starts over. TLS is always verified. A bearer goes to the origin it belongs to
 * and nowhere else, whatever redirects say; https never redirects to http.
 */
#ifndef AIRLOCK_NET_HTTP_H
#define AIRLOCK_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct http;

/* Whom a server that asks takes us for, all PEM. The caller's for as long as the handle lives; nothing is
 * kept of the key beyond that. */
struct http_identity {
    const void *certificate, *key, *ca;
    size_t certificate_len, key_len, ca_len;
};

struct http_options {
    const struct http_identity *identity; /* shown to every server that asks; NULL: nobody. Its ca, where
                                             there is one, counts in place of all others */
    const char *ca_file;                  /* PEM instead of the system's CAs; NULL: the system's */
    bool ca_adds;                         /* ca_file counts beside the system's */
    const char *user_agent;               /* NULL: "airlock/<version>" */
    unsigned parallel; /* large transfers, and connections to one server, at once; of small transfers up to
                          four times as many; 0: HTTP_PARALLEL_DEFAULT */
    unsigned attempts; /* tries per transfer without a byte of progress; 0: HTTP_ATTEMPTS_DEFAULT */
    unsigned connect_timeout_ms; /* 0: 30 000 */
    unsigned stall_timeout_ms;   /* no byte for this long is a stall; 0: 30 000 */
    unsigned pause_ms;           /* first pause before a retry, doubled each time up to 64 times; 0: 500 */
};
#define HTTP_PARALLEL_DEFAULT 16
#define HTTP_ATTEMPTS_DEFAULT 5

must_check int http_open(const struct http_options *options, struct http **ret, struct err *e);
void http_close(struct http *h);

/* Who logs requests in. `header` gives the whole value of Authorization ("Bearer …") for requests to
 * `origin`; after a 401 it is asked once more with `refused` true, and the request is tried again. */
struct http_auth {
    const char
        *origin; /* "https://host[:port]", compared after normalising the default port and letter case */
    int (*header)(void *ctx, bool refused, struct buf *ret_value, struct err *e);
    void *ctx;
};

struct http_reply {
    int status;
    char *content_type; /* NULL where absent */
    char *final_url;
    char *challenge; /* of a 401: its WWW-Authenticate; NULL where absent */
};
void http_reply_free(struct http_reply *r);

struct http_request {
    const char *method; /* NULL: GET, or POST where there is a body */
    const char *url;
    const struct http_auth *auth; /* NULL: nobody is logged in */
    const char *const *headers;   /* "Name: value", NULL-terminated; NULL: none */
    const void *body;
    size_t body_len;
    const char *content_type;
    size_t max_answer; /* bytes; ERR_TOO_LARGE beyond; 0: 64 KiB */
    bool repeatable;   /* a POST that may reach the server twice, as one for a token may */
    bool once;         /* tried once, on a connection of its own: whatever happens, it is not sent again */
    bool *ret_sent;    /* NULL, or told whether it may have reached the server, after an error too */
};

/* One exchange. 0 for every HTTP status that is not retried (the caller judges reply->status; the body of an
 * error answer is in ret_body too); -1 when no answer was had: ERR_NETWORK, ERR_NETWORK_STALLED, ERR_TLS,
 * ERR_RATE_LIMITED, ERR_BAD_URL, ERR_BAD_REDIRECT, ERR_TOO_LARGE (with its http_status), ERR_BAD_ANSWER (its
 * head and trailers exceed 256 KiB), ERR_LOGIN_REFUSED (401 also with a fresh login), or what auth reported.
 * Only GET, HEAD and PUT are retried after bytes were sent, unless `once`. */
must_check int http_send(struct http *h, const struct http_request *request, struct buf *ret_body,
                         struct http_reply *ret_reply, struct err *e);

/* ---- many transfers ---- */

/* Where a download goes. The loop calls these from one thread. */
struct http_sink {
    void *ctx;
    uint64_t have; /* bytes kept from an earlier run: the first request asks for what follows */
    uint64_t
        expected; /* whole length, or HTTP_LENGTH_UNKNOWN; a longer body is cut off with ERR_WRONG_LENGTH */
    int (*write)(void *ctx, const void *bytes, size_t n, struct err *e);
    /* Forget everything so far: the next write is at byte 0. */
    int (*restart)(void *ctx, struct err *e);
};
#define HTTP_LENGTH_UNKNOWN UINT64_MAX

struct http_transfer {
    const char *url;
    const struct http_auth *auth;
    struct http_sink sink;
    bool small; /* thousands of small files: multiplexed over HTTP/2 where offered; large ones go over
                   HTTP/1.1 */
    void *user;
};

struct http_queue {
    void *ctx;
    /* Fills the next transfer (whose strings live until it is done); false when there are none now: it is
     * asked again whenever a transfer has ended, since that one may have led to more. */
    bool (*next)(void *ctx, struct http_transfer *ret);
    /* The transfer ended: e is NULL when the whole body is in the sink. Returning -1 ends the run with *fail.
     * The error ids are those of http_send() and ERR_NO_SUCH_FILE (404, 410), ERR_NOT_ALLOWED (403),
     * ERR_HTTP_STATUS (others). */
    int (*done)(void *ctx, struct http_transfer *t, const struct err *e, struct err *fail);
};

/* Runs until everything ended and the queue is empty, or done() said stop. */
must_check int http_run(struct http *h, const struct http_queue *queue, struct err *e);

/* ---- URLs ---- */

/* Appends the path segment percent-encoded (everything but unreserved characters); '/' is kept where
 * `keep_slashes`. */
void http_escape(struct buf *to, const char *text, size_t len, bool keep_slashes);
/* "https://host[:port]" of a URL, normalised; false when it is not http or https. Owned by the caller. */
bool http_origin(const char *url, char **ret_origin);

#endif
