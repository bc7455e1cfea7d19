/* SPDX-License-Identifier: Apache-2.0
 *
 * zstd frames, in which the slices of the tar stream are stored, and zstd's skippable frames, in which our
 * own parts (H, S, I, V) hide from zstd and tar. The only file that calls libzstd.
 *
 * A packer and an unpacker hold one libzstd context each; one thread uses it at a time. A frame's hash is
 * checked before it gets to an unpacker: that is the business of the caller.
 */
#ifndef AIRLOCK_BUNDLE_FRAME_H
#define AIRLOCK_BUNDLE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct frame_packer;
struct frame_unpacker;

/* Version of libzstd: another one may pack the same bytes differently. */
unsigned frame_library_version(void);

struct frame_packer *frame_packer_new(int level);
void frame_packer_delete(struct frame_packer *p);
/* Bytes that a packer of this level takes for frames of `raw` bytes. */
size_t frame_packer_memory(int level, size_t raw);
/* Room that frame_pack() needs for n raw bytes. */
size_t frame_bound(size_t n);
/* One frame with its content size, without checksum (SHA-256 stands in the index). Data that is compressed
 * already goes through at the lowest level. `to` has frame_bound(n) bytes. */
must_check int frame_pack(struct frame_packer *p, const void *raw, size_t n, void *to, size_t *ret_len,
                          struct err *e);

struct frame_unpacker *frame_unpacker_new(void);
void frame_unpacker_delete(struct frame_unpacker *u);
/* Exactly one frame of exactly `raw_len` content bytes, without a dictionary, with a window of at most 8 MiB,
 * else ERR_BUNDLE_INCONSISTENT. */
must_check int frame_unpack(struct frame_unpacker *u, const void *stored, size_t stored_len, void *raw,
                            size_t raw_len, struct err *e);
/* Content size that the frame declares; ERR_BUNDLE_INCONSISTENT when none, ERR_BUNDLE_LIMIT above limit. */
must_check int frame_raw_size(const void *stored, size_t stored_len, size_t limit, size_t *ret,
                              struct err *e);

/* Reads n bytes at offset of whatever holds the frame. */
struct frame_input {
    int (*read)(void *ctx, void *to, size_t n, uint64_t offset, struct err *e);
    void *ctx;
    uint64_t size;
};
/* Stored length of the zstd frame at offset 0, found from the lengths of its blocks, so that F0 can be hashed
 * before any decompressor sees it. Errors: ERR_NOT_A_BUNDLE (no such frame, or too long for F0),
 * ERR_BUNDLE_TRUNCATED. */
must_check int frame_measure(const struct frame_input *in, uint64_t *ret_len, struct err *e);

/* Skippable frames: magic u32, length of the rest u32, then a tag of 8 characters. */
#define FRAME_SKIP_HEADER 8u
#define FRAME_TAG 8u
#define FRAME_SKIP_MAGIC 0x184D2A5Au /* one of zstd's sixteen; the seekable format uses another */
/* Appends header and tag of a skippable frame whose body (after the tag) has body_len bytes. */
void frame_add_skippable(struct buf *to, const char tag[FRAME_TAG + 1], size_t body_len);
/* Is this the header of a skippable frame with this tag? Then *ret_len is the frame's whole length. */
bool frame_is_skippable(const uint8_t header[FRAME_SKIP_HEADER + FRAME_TAG], const char tag[FRAME_TAG + 1],
                        uint64_t *ret_len);

#endif
