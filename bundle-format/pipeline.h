/* SPDX-License-Identifier: Apache-2.0
 *
 * Work on a sequence of slots by several threads, in bounded memory and in order:
 *
 *     produce (one thread)  →  work (each worker)  →  consume (the caller's thread, in the order produced)
 *
 * A slot is the caller's; it is filled, worked on, consumed and filled again. When a step fails, all stop and
 * the first error is returned.
 */
#ifndef AIRLOCK_BUNDLE_PIPELINE_H
#define AIRLOCK_BUNDLE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct pipeline {
    /* Fills the slot; *ret_more = false: it is not filled, that was all. */
    int (*produce)(void *ctx, void *slot, bool *ret_more, struct err *e);
    int (*work)(void *worker, void *slot, struct err *e);
    int (*consume)(void *ctx, void *slot, struct err *e);
    void *ctx;
    void **slots;   /* at least worker_count + 2, or steps wait for each other */
    void **workers; /* what work() gets: one thread each */
    unsigned slot_count, worker_count;
};

must_check int pipeline_run(const struct pipeline *p, struct err *e);
/* `wanted`, or one worker per processor where 0. */
unsigned pipeline_workers(unsigned wanted);

#endif
