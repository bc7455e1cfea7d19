/* SPDX-License-Identifier: Apache-2.0
 *
 * What one transfer knows about itself, and what it does with each answer: pure functions of that state and
 * the answer's head, so that every rule of retry and resume is tested without a network.
 *
 *     transfer_begin(&t, …);
 *     again: ask for what follows transfer_range_start(&t), If-Range t.etag
 *     switch (transfer_judge(&t, &answer, &e)) …        // as soon as the head is there
 *     STEP_TAKE, STEP_RESTART:  t.at += n for each piece of the body, transfer_end() after the last
 *
 * A try counts as failed when it brought the body no further than it ever was: a slow, often broken line goes
 * on for ever, a server that sends the same half again and again does not.
 */
#ifndef AIRLOCK_NET_TRANSFER_H
#define AIRLOCK_NET_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/answer.h"

#define TRANSFER_HOPS_MAX 10 /* redirects in a row */

struct transfer {
    uint64_t expected; /* whole length, or HTTP_LENGTH_UNKNOWN */
    unsigned attempts;
    bool any_status; /* every final answer is taken, whatever its status: a small exchange, without ranges */
    bool is_read;    /* GET or HEAD: redirects are followed */
    bool repeatable; /* may be sent again although the server may have acted on it */
    bool login_sent; /* the present request carries a login */
    uint64_t at;     /* where the next byte of the body belongs */
    uint64_t furthest;
    uint64_t total; /* what an earlier answer said the whole length is */
    char etag[ANSWER_ETAG_SIZE];
    unsigned failures; /* fruitless tries in a row */
    unsigned hops;
    bool login_renewed;
};

enum transfer_step {
    STEP_TAKE,     /* the body belongs at t->at */
    STEP_RESTART,  /* the sink starts over, then takes the body */
    STEP_ASK_ANEW, /* the sink starts over and the whole is asked for */
    STEP_COMPLETE, /* nothing is missing */
    STEP_LATER,    /* the same again after t's pause */
    STEP_LOGIN,    /* the same again with a fresh login */
    STEP_REDIRECT, /* ask where Location says */
    STEP_FAIL,     /* e says why */
};

void transfer_begin(struct transfer *t, uint64_t have, uint64_t expected, unsigned attempts);
/* Is all of it in the sink already, so that nothing needs to be asked? */
bool transfer_is_whole(const struct transfer *t);
/* First byte to ask for; 0 asks for the whole. */
uint64_t transfer_range_start(const struct transfer *t);

/* Judges the head of an answer. Errors of STEP_FAIL: ERR_LOGIN_REFUSED, ERR_NOT_ALLOWED, ERR_NO_SUCH_FILE,
 * ERR_RATE_LIMITED, ERR_HTTP_STATUS, ERR_WRONG_LENGTH, ERR_BAD_REDIRECT, ERR_BAD_ANSWER. */
enum transfer_step transfer_judge(struct transfer *t, const struct answer *a, struct err *e);
/* May a body of n more bytes still be right? Else ERR_WRONG_LENGTH. */
must_check int transfer_take(struct transfer *t, uint64_t n, struct err *e);
/* The body ended as the protocol says it should: STEP_COMPLETE, STEP_LATER or STEP_FAIL. */
enum transfer_step transfer_end(struct transfer *t, struct err *e);
/* The try failed: is another one due? */
bool transfer_may_try_again(struct transfer *t);
/* Pause before the next try: growing, and at least what the answer's Retry-After asks for. */
uint64_t transfer_pause_ms(const struct transfer *t, const struct answer *a, unsigned first_pause_ms);

#endif
