/* SPDX-License-Identifier: Apache-2.0 */
#include "base/several.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/parallel.h"

/* The whole goes on to where the last of those stands that are left. */
static void catch_up(struct several *s)
{
    uint64_t done = UINT64_MAX, skipped = 0;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->count; i++) {
        struct several_one *one = &s->ones[i];
        uint64_t its = atomic_load(&one->progress.done);
        if (one->out || its >= done)
            continue;
        done = its;
        skipped = atomic_load(&one->progress.skipped);
    }
    uint64_t more = done != UINT64_MAX && done > s->shown ? done - s->shown : 0;
    uint64_t skip = skipped > s->skipped ? skipped - s->skipped : 0;
    skip = skip < more ? skip : more;
    s->shown += more;
    s->skipped += skip;
    if (skip)
        progress_skip(s->whole, skip);
    if (more > skip)
        progress_add(s->whole, more - skip);
    pthread_mutex_unlock(&s->lock);
}

static void show(struct progress *p, const char *event)
{
    struct several_one *one = (struct several_one *)(void *)p;
    (void)event;
    catch_up(one->all);
}

void several_init(struct several *ret, size_t count, struct progress *whole)
{
    *ret = (struct several){.ones = mem_zeroed(count, sizeof *ret->ones),
                            .count = count,
                            .whole = whole,
                            .lock = PTHREAD_MUTEX_INITIALIZER};
}

struct round {
    struct several *several;
    int (*step)(void *ctx, size_t i, struct err *e);
    void *ctx;
};

static void take_step(void *ctx, size_t i)
{
    struct round *r = ctx;
    struct several_one *one = &r->several->ones[i];
    if (!one->out && r->step(r->ctx, i, &one->failure))
        one->out = true;
    if (!one->out)
        one->failure.id = ERR_NONE; /* what a step met and got over */
}

static int take_round(struct several *s, unsigned workers, int (*step)(void *ctx, size_t i, struct err *e),
                      void *ctx, struct err *e)
{
    struct round round = {.several = s, .step = step, .ctx = ctx};
    parallel_for(s->count, workers, take_step, &round);
    if (several_left(s))
        return 0;
    *e = s->ones[0].failure;
    return -1;
}

int several_each(struct several *s, int (*step)(void *ctx, size_t i, struct err *e), void *ctx, struct err *e)
{
    return take_round(s, (unsigned)s->count, step, ctx, e);
}

int several_in_turn(struct several *s, int (*step)(void *ctx, size_t i, struct err *e), void *ctx,
                    struct err *e)
{
    return take_round(s, 1, step, ctx, e);
}

void several_fail(struct several *s, const struct err *e)
{
    for (size_t i = 0; i < s->count; i++) {
        struct several_one *one = &s->ones[i];
        if (!one->out)
            one->failure = *e;
        one->out = true;
    }
}

void several_phase(struct several *s, const char *phase, uint64_t total)
{
    if (!s->whole)
        return;
    s->shown = s->skipped = 0;
    progress_begin(s->whole, phase, total);
    for (size_t i = 0; i < s->count; i++) {
        struct several_one *one = &s->ones[i];
        one->all = s;
        one->progress.show = NULL; /* not for its beginning */
        progress_begin(&one->progress, phase, total);
        one->progress.show = show;
    }
}

void several_phase_end(struct several *s)
{
    if (!s->whole)
        return;
    catch_up(s);
    progress_end(s->whole);
}

size_t several_left(const struct several *s)
{
    size_t left = 0;
    for (size_t i = 0; i < s->count; i++)
        left += !s->ones[i].out;
    return left;
}

struct progress *several_progress(struct several *s, size_t i)
{
    return s->whole ? &s->ones[i].progress : NULL;
}

void several_free(struct several *s)
{
    free(s->ones);
    *s = (struct several){0};
}
