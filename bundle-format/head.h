/* SPDX-License-Identifier: Apache-2.0
 *
 * The three small parts of a bundle that are ours alone: H (what the bundle is), S (who says so), V (which
 * volume this file is). Each is a skippable frame; here they become structs and back.
 *
 * A signature covers H, which names F0 by hash and I by id, and the hash of I, which names every frame of M
 * and P: so one verification stands for every byte but V, whose id and number the index repeats.
 */
#ifndef AIRLOCK_BUNDLE_HEAD_H
#define AIRLOCK_BUNDLE_HEAD_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "bundle-format/frame.h"
#include "bundle-format/limits.h"
#include "crypto/hash.h"
#include "crypto/sign_key.h"

#define HEAD_TAG "LBXHEAD1"
#define SIGN_TAG "LBXSIGN1"
#define INDEX_TAG "LBXINDX1"
#define VOLUME_TAG "LBXVOLM1"

#define HEAD_SIZE 128u  /* H, whole */
#define VOLUME_SIZE 64u /* V, whole */
#define BUNDLE_ID_SIZE 16u

/* The version written; a reader takes it and every lower minor one. */
#define HEAD_VERSION_MAJOR 1
#define HEAD_VERSION_MINOR 0

struct head {
    uint8_t bundle_id[BUNDLE_ID_SIZE]; /* first bytes of SHA-256 of I */
    uint8_t first_frame[HASH_SIZE];    /* SHA-256 of F0 as stored */
};

void head_add(struct buf *to, const struct head *head);
/* Errors: ERR_NOT_A_BUNDLE (no H), ERR_BUNDLE_VERSION, ERR_BUNDLE_FEATURE (unknown flags),
 * ERR_BUNDLE_DAMAGED. */
must_check int head_parse(const uint8_t bytes[HEAD_SIZE], struct head *ret, struct err *e);

/* What signatures are made over. */
struct head_digests {
    uint8_t head[HASH_SIZE];  /* of H */
    uint8_t index[HASH_SIZE]; /* of I */
};

struct head_signature {
    uint8_t public_key[SIGN_PUBLIC_SIZE];
    char *comment;
};
struct head_signatures {
    struct head_signature list[LIMIT_SIGNATURES];
    size_t count;
};

#define SIGN_ENTRY_SIZE (1 + SIGN_PUBLIC_SIZE + 2 + SIGN_SIZE) /* with an empty comment */
#define SIGN_BYTES_MAX (FRAME_SKIP_HEADER + FRAME_TAG + LIMIT_SIGNATURES * (SIGN_ENTRY_SIZE + LIMIT_COMMENT))

/* Appends S with one signature. ERR_USAGE for a comment that is too long or not UTF-8. */
must_check int head_add_signature(struct buf *to, const struct head_digests *digests,
                                  const struct sign_key *key, const char *comment, struct err *e);
/* Appends what becomes of a verified S when this key signs as well: its other entries as they are, and the
 * new one last. ERR_BUNDLE_LIMIT when there are as many as can be. */
must_check int head_countersign(struct buf *to, const void *signatures, size_t len,
                                const struct head_digests *digests, const struct sign_key *key,
                                const char *comment, struct err *e);
/* Takes S apart and verifies every entry: ERR_BUNDLE_SIGNATURE when one does not hold, when a key signs twice
 * or when there is none; ERR_BUNDLE_FEATURE for an unknown algorithm; ERR_BUNDLE_LIMIT. */
must_check int head_check_signatures(const uint8_t *bytes, size_t len, const struct head_digests *digests,
                                     struct head_signatures *ret, struct err *e);
void head_signatures_free(struct head_signatures *s);

struct volume_id {
    uint8_t id[BUNDLE_ID_SIZE];
    uint16_t number; /* 1 … LIMIT_VOLUMES */
};

void head_add_volume(struct buf *to, const struct volume_id *v);
/* ERR_BUNDLE_DAMAGED unless the bytes are a V. */
must_check int head_parse_volume(const uint8_t bytes[VOLUME_SIZE], struct volume_id *ret, struct err *e);

#endif
