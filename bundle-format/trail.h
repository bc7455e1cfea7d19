/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the bytes of the tar stream lie: its runs (stream.h), cut into pieces of which each is within one
 * frame. Most follow each other through the bundle's own frames; those of shared contents are elsewhere, so
 * whoever follows the trail has two frames at hand, one of either kind.
 *
 * The index must have passed index_check().
 */
#ifndef AIRLOCK_BUNDLE_TRAIL_H
#define AIRLOCK_BUNDLE_TRAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "bundle-format/stream.h"

struct piece {
    struct run run;  /* of which it is a part; run.elsewhere: a frame beside the sequence */
    uint64_t at;     /* its first byte within the run */
    uint32_t size;   /* 0 for a run without bytes, which lies nowhere */
    uint32_t offset; /* within the frame */
    size_t frame;
    bool last; /* of its run */
};

struct trail_place {
    size_t frame;
    uint64_t within;
};

struct trail {
    struct stream stream;
    struct run run;
    uint64_t done; /* bytes of the run */
    bool in_run;
    struct trail_place own, elsewhere;
};

void trail_start(struct trail *t, const struct index *x, enum stream_part part);
bool trail_next(struct trail *t, struct piece *ret);
void trail_free(struct trail *t);

#endif
