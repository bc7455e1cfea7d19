/* SPDX-License-Identifier: Apache-2.0
 *
 * From members to frames: reads the sources of one part of the tar stream once, from front to back, hashes
 * them on the way, cuts the stream into frames, compresses these on all cores and hands them on in order.
 * Nothing here knows about files or volumes.
 *
 * The same members, level and libzstd give the same frames, whatever the number of workers.
 */
#ifndef AIRLOCK_BUNDLE_PACK_H
#define AIRLOCK_BUNDLE_PACK_H

#include "base/err.h"
#include "base/progress.h"
#include "bundle-format/bundle.h"
#include "bundle-format/index.h"
#include "bundle-format/stream.h"

/* Raw bytes of every frame but the last of a part. Smaller than the format allows: memory for twice the
 * workers, and less to read for a small member, at under one percent of size (docs/decisions/0005). */
#define PACK_FRAME_RAW MIB(1)

struct packing {
    struct index *index; /* members and contents; places of contents are filled in */
    enum stream_part part;
    const struct member *members; /* the same, with their sources */
    int level;
    unsigned workers; /* from pack_workers() */
    struct progress *progress;
    /* Gets every frame in order: sizes and hash, and its bytes. */
    int (*emit)(void *ctx, const struct index_frame *frame, const void *stored, struct err *e);
    void *ctx;
};

/* ERR_WRONG_HASH or ERR_WRONG_LENGTH, naming the member, when a source does not deliver what it promised. */
must_check int pack_stream(const struct packing *packing, struct err *e);
/* Workers that options.memory allows, at most options.workers; ERR_USAGE when there is no room for one. */
must_check int pack_workers(const struct bundle_options *options, unsigned *ret, struct err *e);

#endif
