/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/trail.h"

void trail_start(struct trail *t, const struct index *x, enum stream_part part)
{
    *t = (struct trail){.own.frame = part == STREAM_METADATA ? 0 : index_own_frame(x)};
    stream_start(&t->stream, x, part);
}

/* Moves on to the frame that holds the byte at the place. */
static void settle(struct trail_place *p, const struct index *x)
{
    while (p->frame < x->frame_count && p->within >= x->frames[p->frame].raw)
        p->within -= x->frames[p->frame++].raw;
}

static bool next_run(struct trail *t)
{
    if (!stream_next(&t->stream, &t->run))
        return false;
    t->in_run = true;
    t->done = 0;
    if (t->run.elsewhere) {
        const struct index_content *c = &t->stream.index->contents[t->run.content];
        t->elsewhere = (struct trail_place){.frame = c->frame, .within = c->offset};
    }
    return true;
}

bool trail_next(struct trail *t, struct piece *ret)
{
    if (!t->in_run && !next_run(t))
        return false;
    const struct index *x = t->stream.index;
    struct trail_place *p = t->run.elsewhere ? &t->elsewhere : &t->own;
    uint64_t left = t->run.size - t->done, room = 0;
    settle(p, x);
    if (left > 0 && p->frame < x->frame_count)
        room = x->frames[p->frame].raw - p->within;
    uint64_t size = left < room ? left : room;
    if (size == 0 && left > 0)
        return false; /* cannot be: index_check() has compared the sums */
    *ret = (struct piece){.run = t->run,
                          .at = t->done,
                          .size = (uint32_t)size,
                          .offset = (uint32_t)p->within,
                          .frame = p->frame,
                          .last = size == left};
    t->done += size;
    p->within += size;
    t->in_run = !ret->last;
    return true;
}

void trail_free(struct trail *t)
{
    stream_free(&t->stream);
}
