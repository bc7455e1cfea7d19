/* SPDX-License-Identifier: Apache-2.0
 *
 * The tar stream that an index stands for, as a sequence of runs: the header of a member, its contents, its
 * padding, the next header, …, and the end of the archive. The packer fills frames from it, the reader holds
 * frames against it, index_check() counts along it: one order, written down once.
 *
 * In a bundle that shares contents a content of images/ whose bytes lie elsewhere, in another bundle's volume
 * or where an earlier member used it, is a run like any other, but the frames go on as if it was not there.
 *
 *     struct stream s;
 *     struct run run;
 *     stream_start(&s, index, STREAM_IMAGES);
 *     while (stream_next(&s, &run)) …
 *     stream_free(&s);
 */
#ifndef AIRLOCK_BUNDLE_STREAM_H
#define AIRLOCK_BUNDLE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "bundle-format/index.h"

/* The M frames; the P frames, with the end of the archive. */
enum stream_part { STREAM_METADATA, STREAM_IMAGES };

enum run_kind { RUN_HEADER, RUN_CONTENT, RUN_PADDING, RUN_END };

struct run {
    enum run_kind kind;
    uint64_t size;        /* padding: may be 0, but the run is there: it ends its member */
    const uint8_t *bytes; /* of all kinds but contents; valid until the next stream_next() */
    size_t member;        /* of all kinds but the end */
    uint32_t content;     /* its number in the index */
    uint32_t nth;         /* which of its member's contents */
    bool elsewhere;       /* not in the frames at this place, but where the content's record says */
};

struct stream {
    const struct index *index;
    size_t member, end;
    uint32_t nth;
    uint32_t used;                 /* contents that have been used by now; in shared bundles */
    size_t own_frame, first_frame; /* frames before first_frame are metadata, before own_frame borrowed */
    bool in_member, closes, shares;
    struct buf header;
};

void stream_start(struct stream *s, const struct index *x, enum stream_part part);
bool stream_next(struct stream *s, struct run *ret);
void stream_free(struct stream *s);

/* Bytes of the whole part that lie in its frames. */
uint64_t stream_size(const struct index *x, enum stream_part part);

#endif
