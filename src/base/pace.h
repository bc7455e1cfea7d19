/* SPDX-License-Identifier: Apache-2.0
 *
 * Progress that tells the truth about a slow medium: it counts what is there, not what waits in the page
 * cache. Whoever appends to a file says what was written and what that is worth in the progress, waits for
 * the oldest part before too much is on its way, and says what has arrived.
 *
 *     write …; pace_wrote(&p, n); pace_worth(&p, raw);
 *     for (uint64_t n; (n = pace_due(&p)) > 0; pace_arrived(&p, n))
 *         wait for n bytes at p.from …
 *     flush …; pace_settled(&p);
 */
#ifndef AIRLOCK_BASE_PACE_H
#define AIRLOCK_BASE_PACE_H

#include "base/progress.h"

struct pace {
    struct progress *progress;
    uint64_t from;  /* what is before this byte of the file is on the medium */
    uint64_t end;   /* what is before this one was written */
    uint64_t worth; /* the bytes between, in the progress */
};

void pace_wrote(struct pace *p, uint64_t n);
void pace_worth(struct pace *p, uint64_t bytes);
/* The file was cut to `end` bytes. */
void pace_cut(struct pace *p, uint64_t end);
/* How many bytes at p->from to wait for now, so that no more than 8 MiB are on their way: enough that the
 * medium is never idle, little enough that a stick's speed shows. 0: none. */
uint64_t pace_due(const struct pace *p);
/* So many bytes at p->from are on the medium: their part of the worth counts. */
void pace_arrived(struct pace *p, uint64_t n);
/* All that was written is. */
void pace_settled(struct pace *p);

#endif
