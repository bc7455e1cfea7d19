/* SPDX-License-Identifier: Apache-2.0
 *
 * An open bundle from inside: what reader.c establishes, extract.c goes through the frames with.
 */
#ifndef AIRLOCK_BUNDLE_READER_H
#define AIRLOCK_BUNDLE_READER_H

#include "bundle-format/bundle.h"
#include "bundle-format/frame.h"
#include "bundle-format/head.h"
#include "bundle-format/index.h"
#include "bundle-format/stream.h"

/* Where a volume's bytes are. Volume 0 and, in a single file, all others are in the head's file. */
struct volume_place {
    int fd;
    uint64_t start;
    bool elsewhere;    /* opened only while it is read */
    enum err_id fault; /* bundle_open_loosely(): what is wrong with it, 0 where nothing is known */
    bool pending;      /* under the name of an unfinished replacement (volume.h) */
};

struct bundle {
    struct medium medium;
    struct bundle_elsewhere elsewhere; /* open NULL: nowhere */
    char *name;
    struct buf manifest;
    struct head_signatures signatures;
    uint64_t signatures_at, signatures_len; /* S, in the head's file */
    struct head_digests digests;            /* what it signs */
    struct index index;
    struct volume_place *volumes; /* one for each of the index */
    int head_fd;
    uint64_t head_bytes; /* F0 to M */
    bool single;
};

/* bundle_open() through a medium; the medium's ctx must outlive the bundle. */
must_check int bundle_open_on(const struct medium *medium, const char *name, struct bundle **ret,
                              struct err *e);

/* For examine.h alone: what is signed is checked, but volumes may be missing or damaged (their place tells),
 * and M is not looked into. */
must_check int bundle_open_loosely(const struct medium *medium, const char *name, struct bundle **ret,
                                   struct err *e);

/* One frame as stored; the caller checks its hash. `stored` has room for it. */
must_check int bundle_load_frame(const struct bundle *b, size_t frame, uint8_t *stored, struct err *e);
/* What to say when a frame's bytes do not match its hash: which volume, where. */
int bundle_frame_error(const struct bundle *b, size_t frame, struct err *e);

/* Gets the bundle's own frames of a part in order, as stored, each when the bytes in it have been taken. */
struct frame_sink {
    int (*take)(void *ctx, size_t frame, const uint8_t *stored, struct err *e);
    void *ctx;
};

/* Goes through all frames of a part: hash, decompression, tar stream against the index, contents' and
 * members' hashes. sink, frames: NULL to check only. */
must_check int bundle_unroll(struct bundle *b, enum stream_part part, unsigned workers,
                             const struct bundle_sink *sink, const struct frame_sink *frames,
                             struct progress *progress, struct err *e);

#endif
