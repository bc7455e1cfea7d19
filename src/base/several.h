/* SPDX-License-Identifier: Apache-2.0
 *
 * The same work at several places at once: sticks that get the same bytes from one pass over the store. It
 * goes step by step. A step runs at all places in parallel, and the next one begins when it has ended at all
 * of them: the slowest sets the pace, nothing piles up in between. A place where a step fails drops out with
 * its error; the others go on.
 *
 *     AUTO(several) struct several s;
 *     several_init(&s, count, progress);
 *     several_phase(&s, "write", bytes);
 *     if (several_each(&s, write_piece, &ctx, e)) …   // nowhere does it go on
 *     several_phase_end(&s);
 *     … s.ones[i].failure …
 *
 * The progress that is shown is that of the place which is furthest behind.
 */
#ifndef AIRLOCK_BASE_SEVERAL_H
#define AIRLOCK_BASE_SEVERAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/progress.h"

struct several_one {
    struct progress progress; /* first: how far this place is */
    struct several *all;
    bool out;           /* it dropped out */
    struct err failure; /* then: why; else of id ERR_NONE */
};

struct several {
    struct several_one *ones;
    size_t count;
    struct progress *whole;  /* which is shown; NULL: nobody watches */
    pthread_mutex_t lock;    /* of the two below */
    uint64_t shown, skipped; /* of the phase, in `whole` by now */
};

void several_init(struct several *ret, size_t count, struct progress *whole);
/* Calls step(ctx, i) for every place that is left. -1 when none is left afterwards, with the error of the
 * first one. */
must_check int several_each(struct several *s, int (*step)(void *ctx, size_t i, struct err *e), void *ctx,
                            struct err *e);
/* The same, one place after the other: for steps that look at the whole machine. */
must_check int several_in_turn(struct several *s, int (*step)(void *ctx, size_t i, struct err *e), void *ctx,
                               struct err *e);
/* The work itself failed, not a place: all that are left drop out with that error. */
void several_fail(struct several *s, const struct err *e);
/* Begins a phase of so many bytes at each place. */
void several_phase(struct several *s, const char *phase, uint64_t total);
void several_phase_end(struct several *s);
/* How many places are left. */
size_t several_left(const struct several *s);
/* Where place i counts. */
struct progress *several_progress(struct several *s, size_t i);
void several_free(struct several *s);

#endif
