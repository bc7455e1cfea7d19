/* SPDX-License-Identifier: Apache-2.0
 *
 * How far a long step is. The code that works counts; whoever shows (cli/) asks. Counting is safe from every
 * thread and costs one atomic addition. NULL is a progress that nobody watches.
 *
 *     progress_begin(p, "fetch", total_bytes);
 *     progress_add(p, n);            // from any thread
 *     progress_end(p);
 */
#ifndef AIRLOCK_BASE_PROGRESS_H
#define AIRLOCK_BASE_PROGRESS_H

#include <stdatomic.h>
#include <stdint.h>

struct progress {
    /* called at begin and end, and from progress_add() when `tick` says so; the thread that calls varies, but
     * never two at a time */
    void (*show)(struct progress *p, const char *event);
    void *ctx;
    const char *phase; /* one lower-case word: "fetch", "write", "read back", "verify" */
    uint64_t total;    /* bytes; 0 where unknown */
    atomic_uint_fast64_t done;
    atomic_uint_fast64_t skipped; /* of done: was there before, says nothing about the speed */
    atomic_flag showing;
    atomic_uint_fast64_t next_show; /* bytes at which show() is called again */
};

void progress_begin(struct progress *p, const char *phase, uint64_t total);
void progress_add(struct progress *p, uint64_t bytes);
/* Counts bytes that need not be moved. */
void progress_skip(struct progress *p, uint64_t bytes);
void progress_end(struct progress *p);

#endif
