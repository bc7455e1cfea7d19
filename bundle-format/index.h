/* SPDX-License-Identifier: Apache-2.0
 *
 * The index (I): four tables that say where everything is. Volumes hold frames, frames hold contents (runs of
 * bytes known by their hash), members are lists of contents. Content, not frame, is the unit of identity.
 *
 * Writing: add members and contents, let the packer fill in places and frames, index_check(), index_encode().
 * Reading: index_decode() of bytes whose hash is signed, index_check(). The same check serves both, so what
 * the writer writes is what readers take.
 */
#ifndef AIRLOCK_BUNDLE_INDEX_H
#define AIRLOCK_BUNDLE_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "bundle-format/head.h"
#include "crypto/hash.h"

/* First, as number 0, the M frames: they begin where I ends, and their id is zero. Then those borrowed from
 * other bundles, then the bundle's own, 1, 2, … */
struct index_volume {
    uint8_t id[BUNDLE_ID_SIZE];
    uint64_t bytes;
    uint16_t number; /* within its bundle */
    bool borrowed;   /* another bundle's, which lies beside this one: shared contents are in it */
};

struct index_frame {
    uint64_t offset;           /* from the volume's start */
    uint32_t stored;           /* bytes in the volume */
    uint32_t raw;              /* bytes of the tar stream in it */
    uint16_t volume;           /* its place in the table */
    uint8_t sha256[HASH_SIZE]; /* of the stored bytes */
};

struct index_content {
    uint64_t size;   /* at least 1 */
    uint32_t frame;  /* the frame that holds its first byte; it goes on through the frames that follow */
    uint32_t offset; /* of that byte in the raw frame */
    uint8_t sha256[HASH_SIZE];
};

struct index_member {
    uint64_t size;
    uint32_t path;      /* offset in paths */
    uint32_t first_ref; /* in refs */
    uint32_t ref_count; /* 0 for an empty file */
    uint8_t sha256[HASH_SIZE];
};

struct index {
    struct index_volume *volumes;
    struct index_frame *frames;
    struct index_content *contents; /* in the order of their first use */
    struct index_member *members; /* metadata/… first, then images/…, each sorted by the bytes of the path */
    uint32_t *refs;               /* numbers of contents: the lists of all members, one after the other */
    struct buf paths;             /* NUL-terminated, one after the other */
    bool shared; /* the feature "shared-content": contents need not lie where members use them */
    size_t volume_count, frame_count, content_count, member_count, ref_count;
    size_t volume_room, frame_room, content_room, member_room, ref_room;
};

void index_free(struct index *x);
const char *index_path(const struct index *x, size_t member);
/* Number of members in metadata/: the members of the M frames. */
size_t index_metadata_count(const struct index *x);
/* Number of frames in volume 0. */
size_t index_metadata_frames(const struct index *x);
/* Place of the first volume, and number of the first frame, that is the bundle's own payload; one after the
 * last of all where there is none yet. */
size_t index_own_volume(const struct index *x);
size_t index_own_frame(const struct index *x);
/* Number of the bundle's own payload volumes. */
unsigned index_own_volumes(const struct index *x);

void index_add_volume(struct index *x, const struct index_volume *v);
void index_add_frame(struct index *x, const struct index_frame *f);
/* A member without contents as yet; its contents are the refs added next. */
void index_add_member(struct index *x, const char *path, size_t path_len, uint64_t size,
                      const uint8_t sha256[HASH_SIZE]);
void index_add_content(struct index *x, const struct index_content *c);
/* One more content of the member added last. */
void index_add_ref(struct index *x, uint32_t content);

/* Members and contents alone: names, order, sums, limits. Errors: ERR_UNSAFE_NAME, ERR_BUNDLE_LIMIT,
 * ERR_BUNDLE_INCONSISTENT. */
must_check int index_check_members(const struct index *x, struct err *e);
/* All four tables against each other: every byte of every volume is a frame's, every byte of the tar stream
 * is a header's, a content's or padding. */
must_check int index_check(const struct index *x, struct err *e);

/* Appends I. */
must_check int index_encode(const struct index *x, struct buf *to, struct err *e);
/* I whole, with header and tag. Errors: ERR_BUNDLE_DAMAGED (not an I), ERR_BUNDLE_LIMIT,
 * ERR_BUNDLE_INCONSISTENT. */
must_check int index_decode(const uint8_t *bytes, size_t len, struct index *ret, struct err *e);

#endif
