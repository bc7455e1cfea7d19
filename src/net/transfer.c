/* SPDX-License-Identifier: Apache-2.0 */
#include "net/transfer.h"

#include <inttypes.h>
#include <string.h>

#include "net/http.h"
#include "net/retry.h"

static enum transfer_step judge_login(struct transfer *t, struct err *e);
static enum transfer_step judge_redirect(struct transfer *t, const struct answer *a, struct err *e);
static enum transfer_step judge_refusal(struct transfer *t, const struct answer *a, struct err *e);
static enum transfer_step judge_whole(struct transfer *t, const struct answer *a, struct err *e);
static enum transfer_step judge_part(struct transfer *t, const struct answer *a, struct err *e);
static enum transfer_step judge_bad_range(struct transfer *t, const struct answer *a, struct err *e);
static enum transfer_step ask_anew(struct transfer *t, struct err *e);
static enum transfer_step fail_by_status(int status, struct err *e);
static bool is_redirect(int status);
static bool is_rate_limit(int status);
static bool is_retried(int status);

void transfer_begin(struct transfer *t, uint64_t have, uint64_t expected, unsigned attempts)
{
    *t = (struct transfer){
        .expected = expected,
        .attempts = attempts,
        .is_read = true,
        .repeatable = true,
        .at = have,
        .furthest = have,
        .total = HTTP_LENGTH_UNKNOWN,
    };
}

bool transfer_is_whole(const struct transfer *t)
{
    return t->at > 0 && t->at == t->expected;
}

uint64_t transfer_range_start(const struct transfer *t)
{
    return t->any_status ? 0 : t->at;
}

enum transfer_step transfer_judge(struct transfer *t, const struct answer *a, struct err *e)
{
    if (a->status == 401 && t->login_sent)
        return judge_login(t, e);
    t->login_renewed = false;
    if (is_redirect(a->status))
        return judge_redirect(t, a, e);
    if (is_retried(a->status))
        return judge_refusal(t, a, e);
    if (t->any_status)
        return STEP_TAKE;
    switch (a->status) {
    case 200:
        return judge_whole(t, a, e);
    case 206:
        return judge_part(t, a, e);
    case 416:
        return judge_bad_range(t, a, e);
    default:
        return fail_by_status(a->status, e);
    }
}

int transfer_take(struct transfer *t, uint64_t n, struct err *e)
{
    if (t->expected != HTTP_LENGTH_UNKNOWN && n > t->expected - t->at)
        return err_set(e, ERR_WRONG_LENGTH, "the server sends more than the %" PRIu64 " bytes it should",
                       t->expected);
    t->at += n;
    return 0;
}

enum transfer_step transfer_end(struct transfer *t, struct err *e)
{
    uint64_t goal = t->expected != HTTP_LENGTH_UNKNOWN ? t->expected : t->total;
    if (t->any_status || goal == HTTP_LENGTH_UNKNOWN || t->at == goal)
        return STEP_COMPLETE;
    if (transfer_may_try_again(t))
        return STEP_LATER;
    err_set(e, ERR_WRONG_LENGTH, "the server sends %" PRIu64 " bytes in place of %" PRIu64, t->at, goal);
    return STEP_FAIL;
}

bool transfer_may_try_again(struct transfer *t)
{
    if (t->at > t->furthest) {
        t->furthest = t->at;
        t->failures = 0;
        return true;
    }
    return ++t->failures < t->attempts;
}

uint64_t transfer_pause_ms(const struct transfer *t, const struct answer *a, unsigned first_pause_ms)
{
    uint64_t pause_ms = retry_pause_ms(first_pause_ms, t->failures), asked_s;
    if (retry_after_s(a->retry_after, a->date, &asked_s) && asked_s * 1000 > pause_ms)
        pause_ms = asked_s * 1000;
    return pause_ms;
}

static enum transfer_step judge_login(struct transfer *t, struct err *e)
{
    if (!t->login_renewed) {
        t->login_renewed = true;
        return STEP_LOGIN;
    }
    return fail_by_status(401, e);
}

static enum transfer_step judge_redirect(struct transfer *t, const struct answer *a, struct err *e)
{
    if (t->is_read && t->hops < TRANSFER_HOPS_MAX) {
        t->hops++;
        return STEP_REDIRECT;
    }
    if (t->is_read)
        err_set(e, ERR_BAD_REDIRECT, "more than %d redirects in a row", TRANSFER_HOPS_MAX);
    else
        err_set(e, ERR_BAD_REDIRECT, "the server redirects what only a read may follow");
    e->http_status = a->status;
    return STEP_FAIL;
}

/* Statuses that may pass: overload, rate limits, a server that restarts. */
static enum transfer_step judge_refusal(struct transfer *t, const struct answer *a, struct err *e)
{
    uint64_t asked_s = 0;
    bool waits = retry_after_s(a->retry_after, a->date, &asked_s);
    bool limited = is_rate_limit(a->status) || (a->status == 503 && waits);
    if (asked_s > RETRY_AFTER_MAX_S) {
        err_set(e, ERR_RATE_LIMITED, "the server answers %d", a->status);
        err_hint(e, "the server asks to wait %" PRIu64 " minutes; then run the same command again",
                 (asked_s + 59) / 60);
        e->http_status = a->status;
        return STEP_FAIL;
    }
    if ((t->repeatable || is_rate_limit(a->status)) && transfer_may_try_again(t))
        return STEP_LATER;
    if (t->any_status && !limited)
        return STEP_TAKE;
    err_set(e, limited ? ERR_RATE_LIMITED : ERR_HTTP_STATUS, "the server keeps answering %d", a->status);
    e->http_status = a->status;
    return STEP_FAIL;
}

static enum transfer_step judge_whole(struct transfer *t, const struct answer *a, struct err *e)
{
    if (a->length != HTTP_LENGTH_UNKNOWN && t->expected != HTTP_LENGTH_UNKNOWN && a->length != t->expected) {
        err_set(e, ERR_WRONG_LENGTH, "the server offers %" PRIu64 " bytes in place of %" PRIu64, a->length,
                t->expected);
        return STEP_FAIL;
    }
    t->total = a->length;
    memcpy(t->etag, a->etag, sizeof t->etag);
    return t->at > 0 ? STEP_RESTART : STEP_TAKE;
}

/* A part is taken only where it continues what is there: the right place of the same file. */
static enum transfer_step judge_part(struct transfer *t, const struct answer *a, struct err *e)
{
    bool fits = t->at > 0 && a->range == RANGE_PART && a->range_first == t->at;
    bool same_length = a->range_total == HTTP_LENGTH_UNKNOWN ||
                       ((t->total == HTTP_LENGTH_UNKNOWN || a->range_total == t->total) &&
                        (t->expected == HTTP_LENGTH_UNKNOWN || a->range_total == t->expected));
    bool same_file = !t->etag[0] || !a->etag[0] || strcmp(t->etag, a->etag) == 0;
    if (!fits || !same_length || !same_file)
        return ask_anew(t, e);
    t->total = a->range_total;
    memcpy(t->etag, a->etag, sizeof t->etag);
    return STEP_TAKE;
}

/* 416: what follows t->at is not there. */
static enum transfer_step judge_bad_range(struct transfer *t, const struct answer *a, struct err *e)
{
    bool ends_here = a->range == RANGE_TOTAL && a->range_total == t->at;
    if (ends_here && t->expected == HTTP_LENGTH_UNKNOWN)
        return STEP_COMPLETE;
    return ask_anew(t, e);
}

static enum transfer_step ask_anew(struct transfer *t, struct err *e)
{
    bool asked_for_part = t->at > 0;
    if (asked_for_part && transfer_may_try_again(t)) {
        t->etag[0] = '\0';
        t->total = HTTP_LENGTH_UNKNOWN;
        return STEP_ASK_ANEW;
    }
    err_set(e, ERR_BAD_ANSWER, "the server answers with parts of the file that do not fit together");
    return STEP_FAIL;
}

static enum transfer_step fail_by_status(int status, struct err *e)
{
    enum err_id id = ERR_HTTP_STATUS;
    if (status == 401)
        id = ERR_LOGIN_REFUSED;
    else if (status == 403)
        id = ERR_NOT_ALLOWED;
    else if (status == 404 || status == 410)
        id = ERR_NO_SUCH_FILE;
    err_set(e, id, "the server answers %d", status);
    e->http_status = status;
    return STEP_FAIL;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* 420 is what Torizon's platform API sends in place of 429. The server did not act on such a request. */
static bool is_rate_limit(int status)
{
    return status == 420 || status == 429;
}

static bool is_retried(int status)
{
    return is_rate_limit(status) || status == 408 || status == 425 || status >= 500;
}
