/* SPDX-License-Identifier: Apache-2.0
 *
 * The limits of the format, in one place (SPEC.md, "Limits"). A reader refuses what exceeds them with
 * ERR_BUNDLE_LIMIT, the writer does not make it. They bound what a hostile stick can cost: memory first, then
 * time.
 */
#ifndef AIRLOCK_BUNDLE_LIMITS_H
#define AIRLOCK_BUNDLE_LIMITS_H

#define KIB(n) ((n)*1024u)
#define MIB(n) ((n)*1024u * 1024u)

/* One frame, raw: a worker holds one raw and one stored frame, on a device of 512 MiB as well. */
#define LIMIT_FRAME_RAW MIB(4)
/* The same, stored: what zstd adds to data that does not compress is far below. */
#define LIMIT_FRAME_STORED (MIB(4) + KIB(64))
/* 1 TiB at the writer's 1 MiB each; a reader holds 56 bytes for each. */
#define LIMIT_FRAMES 1048576u
/* zstd's window: 8 MiB is what every zstd decoder is asked to support (RFC 8878, 3.1.1.1.2). */
#define LIMIT_WINDOW_LOG 23

#define LIMIT_MEMBERS 262144u          /* ten times the objects of the largest OSTree commit seen */
#define LIMIT_PATH_BYTES MIB(24)       /* all paths together: 96 bytes on average at the limit above */
#define LIMIT_CONTENTS 524288u         /* distinct ones; a reader holds 48 bytes for each */
#define LIMIT_MEMBER_CONTENTS 65536u   /* of one member; a record of the index fits a block */
#define LIMIT_REFERENCES 1048576u      /* of all members to contents */
#define LIMIT_MEMBER_SIZE (1ull << 42) /* what LIMIT_FRAMES frames can hold: sums cannot overflow */

#define LIMIT_INDEX_BLOCK MIB(1)   /* raw: what a reader of small memory unpacks at a time */
#define LIMIT_INDEX_BLOCKS 256u    /* the tables at their limits fill about 130 */
#define LIMIT_INDEX_STORED MIB(64) /* read and hashed before anything is known to be genuine */

#define LIMIT_FIRST_FRAME MIB(48)      /* F0, raw and stored: the listing at LIMIT_MEMBERS and the manifest */
#define LIMIT_FIRST_FRAME_BLOCKS 8192u /* zstd blocks in it: bounds the walk before authentication */
#define LIMIT_MANIFEST MIB(4)          /* LOCKBOX.json: roles and targets, not files */
#define LIMIT_MANIFEST_NODES 262144u   /* values and keys in it: 16 bytes each on average */
#define LIMIT_METADATA_RAW MIB(64)     /* the M frames: signed roles; a writer holds them compressed */

#define LIMIT_SIGNATURES 16u /* signing rooms, not crowds; each costs a verification */
#define LIMIT_COMMENT 1024u  /* a sentence or two */

#define LIMIT_VOLUMES 999u  /* three digits in the file name */
#define LIMIT_BORROWED 999u /* volumes of other bundles: a reader holds them all open */

#endif
