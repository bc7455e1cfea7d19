/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes into a bundle or an export: an ordered list of members (files by path), each made of contents. A
 * content is a run of bytes known by its SHA-256 and size, with a source that can be opened any number of
 * times and is read from the front. A file of the store is one content; a container tarball is a list of them
 * (tar headers, config, layers).
 *
 * lockbox/assemble makes the list; the bundle writer and the exports consume it. Whoever reads a source
 * checks that it delivered exactly `size` bytes of that SHA-256, else fails with ERR_WRONG_HASH: nothing is
 * trusted for lying in a store.
 */
#ifndef AIRLOCK_BUNDLE_MEMBER_H
#define AIRLOCK_BUNDLE_MEMBER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "crypto/hash.h"

struct content_source {
    /* A new stream at the content's first byte. */
    int (*open)(void *ctx, void **ret_stream, struct err *e);
    /* Up to n bytes; 0 at the end, -1 with e. */
    ssize_t (*read)(void *stream, void *to, size_t n, struct err *e);
    void (*close)(void *stream);
};

struct content {
    uint8_t sha256[HASH_SIZE];
    uint64_t size;
    const struct content_source *source;
    void *ctx; /* for source->open */
};

struct member {
    const char *path; /* within the lockbox directory: "metadata/…" or "images/…"; passes name_check() */
    uint64_t size;    /* the sum of its contents' sizes */
    uint8_t sha256[HASH_SIZE];
    const struct content *contents;
    size_t content_count;
};

/* Reads the whole content through `chunk` and hands it on in pieces, hashing on the way. -1 of take() ends
 * it; ERR_WRONG_LENGTH, ERR_WRONG_HASH when all of it has been handed on. `h`: fresh, and fresh again after
 * 0. */
must_check int content_pour(const struct content *c, uint8_t *chunk, size_t chunk_len, struct hash *h,
                            int (*take)(void *ctx, const uint8_t *bytes, size_t n, struct err *e), void *ctx,
                            struct err *e);

/* Paths that pass name_check_text(), no two of which are one file on some file system: ERR_UNSAFE_NAME. */
must_check int members_check_names(const struct member *members, size_t n, struct err *e);

/* Sources for the two plain cases. */
struct content_file {
    int dirfd; /* not owned */
    const char *path;
};
struct content_bytes {
    const void *bytes;
    size_t len;
};
extern const struct content_source content_from_file;  /* ctx: struct content_file */
extern const struct content_source content_from_bytes; /* ctx: struct content_bytes */

#endif
