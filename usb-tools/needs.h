/* SPDX-License-Identifier: Apache-2.0
 *
 * The prerequisite of a differential lockbox: its OSTree images lack the objects that a device has which
 * holds one of these commits. It stands in a file of its own among the signed roles, where a device does not
 * look, so that it goes wherever the lockbox goes: into a bundle, out of it, onto another stick.
 *
 *     {"schema": 1, "ostree_commits": ["<64 hex>"], "left_out": {"objects": 12, "sha256": "<64 hex>"}}
 *
 * Nobody signs it but, in a bundle, whoever packed that. So it vouches for nothing: it can only excuse that
 * objects are not there, exactly those of `left_out`, and only under the condition that the device has them.
 * What is no such file, or of a later schema, excuses nothing.
 */
#ifndef AIRLOCK_USB_TOOLS_NEEDS_H
#define AIRLOCK_USB_TOOLS_NEEDS_H

#include "bundle-format/bundle.h"
#include "crypto/hash.h"

#define NEEDS_PATH "metadata/airlock/needs.json"
#define NEEDS_BYTES_MAX (16u << 10) /* the commits below, with room to spare */
#define NEEDS_COMMITS_MAX 64u       /* as many kinds of hardware in one lockbox */

struct needs {
    uint8_t commits[NEEDS_COMMITS_MAX][HASH_SIZE]; /* the device has one of them */
    size_t count;                                  /* 0: nothing is left out */
    uint64_t objects;          /* that what is there names and that are not there themselves */
    uint8_t sha256[HASH_SIZE]; /* of these, as ostree_graph_missing() counts them */
};

/* Adds a commit, once. ERR_TOO_LARGE. */
must_check int needs_add(struct needs *r, const uint8_t commit[HASH_SIZE], struct err *e);
bool needs_holds(const struct needs *r, const uint8_t commit[HASH_SIZE]);
bool needs_parse(const void *bytes, size_t len, struct needs *ret);

/* dirfd: the lockbox directory. Without such a file, nothing is required. */
void needs_from_folder(int dirfd, struct needs *ret);
/* For a struct bundle_taker of the members in metadata/, with struct needs: takes the one that is it. */
must_check int needs_take(void *needs, const char *path, struct buf *bytes, struct err *e);
must_check int needs_from_bundle(struct bundle *b, struct needs *ret, struct err *e);

#endif
