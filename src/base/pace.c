/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pace.h"

#define ON_THE_WAY (8u << 20)
#define AT_ONCE (2u << 20)

void pace_wrote(struct pace *p, uint64_t n)
{
    p->end += n;
}

void pace_worth(struct pace *p, uint64_t bytes)
{
    p->worth += bytes;
}

void pace_cut(struct pace *p, uint64_t end)
{
    p->end = end < p->end ? end : p->end;
    p->from = p->end < p->from ? p->end : p->from;
}

uint64_t pace_due(const struct pace *p)
{
    return p->end - p->from > ON_THE_WAY ? AT_ONCE : 0;
}

void pace_arrived(struct pace *p, uint64_t n)
{
    uint64_t written = p->end - p->from;
    uint64_t part = n < written ? (uint64_t)((double)p->worth * (double)n / (double)written) : p->worth;
    p->from += n;
    p->worth -= part;
    progress_add(p->progress, part);
}

void pace_settled(struct pace *p)
{
    pace_arrived(p, p->end - p->from);
}
