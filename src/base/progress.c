/* SPDX-License-Identifier: Apache-2.0 */
#include "base/progress.h"

#include <stddef.h>

/* Bytes between two calls of show(): a fast disk moves this in under a millisecond, a slow stick in a tenth
 * of a second. */
#define STEP (512u << 10)

static void show(struct progress *p, const char *event)
{
    if (!p->show || atomic_flag_test_and_set(&p->showing))
        return;
    p->show(p, event);
    atomic_flag_clear(&p->showing);
}

void progress_begin(struct progress *p, const char *phase, uint64_t total)
{
    if (!p)
        return;
    p->phase = phase;
    p->total = total;
    atomic_store(&p->done, 0);
    atomic_store(&p->skipped, 0);
    atomic_store(&p->next_show, STEP);
    show(p, "begin");
}

void progress_add(struct progress *p, uint64_t bytes)
{
    if (!p)
        return;
    uint64_t done = atomic_fetch_add(&p->done, bytes) + bytes;
    uint_fast64_t due = atomic_load(&p->next_show);
    if (done >= due && atomic_compare_exchange_strong(&p->next_show, &due, done + STEP))
        show(p, "update");
}

void progress_skip(struct progress *p, uint64_t bytes)
{
    if (!p)
        return;
    atomic_fetch_add(&p->skipped, bytes);
    progress_add(p, bytes);
}

void progress_end(struct progress *p)
{
    if (p)
        show(p, "end");
}
