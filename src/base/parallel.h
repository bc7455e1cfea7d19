/* SPDX-License-Identifier: Apache-2.0
 *
 * The same work on many independent items, on all cores.
 */
#ifndef AIRLOCK_BASE_PARALLEL_H
#define AIRLOCK_BASE_PARALLEL_H

#include <stddef.h>

/* Calls work(ctx, i) for every i below n, each once, from up to `workers` threads (0: one per core); returns
 * when all have ended. Items are handed out in order, one at a time, so that sizes may differ widely. */
void parallel_for(size_t n, unsigned workers, void (*work)(void *ctx, size_t i), void *ctx);
/* Cores that this process may use, at least 1. */
unsigned parallel_cores(void);

#endif
