/* SPDX-License-Identifier: Apache-2.0
 *
 * The content of F0, the bundle's first frame: the tar slice with LOCKBOX.json (what this bundle is; made by
 * the caller) and LOCKBOX.sha256 (the hash of every other file, as `sha256sum -c` takes it). The second
 * follows from the first and the index, so a reader makes it again and compares.
 */
#ifndef AIRLOCK_BUNDLE_FIRST_H
#define AIRLOCK_BUNDLE_FIRST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "bundle-format/index.h"

#define MANIFEST_NAME "LOCKBOX.json"
#define LISTING_NAME "LOCKBOX.sha256"

/* Appends the slice. */
void first_add(struct buf *to, const void *manifest, size_t manifest_len, const struct index *x);
/* The manifest within the slice. ERR_BUNDLE_INCONSISTENT, ERR_BUNDLE_LIMIT. */
must_check int first_manifest(const uint8_t *slice, size_t len, const uint8_t **ret_manifest,
                              size_t *ret_manifest_len, struct err *e);
/* ERR_BUNDLE_INCONSISTENT unless the slice is the one of its manifest and this index. */
must_check int first_check(const uint8_t *slice, size_t len, const uint8_t *manifest, size_t manifest_len,
                           const struct index *x, struct err *e);

/* The feature that contents may lie in other bundles' volumes (SPEC.md, "Shared contents"). */
#define FEATURE_SHARED "shared-content"
/* A JSON object whose "features", an array of texts, are all known. *ret_shared: FEATURE_SHARED is one of
 * them. ERR_BUNDLE_FEATURE, ERR_BUNDLE_INCONSISTENT, ERR_BUNDLE_LIMIT or what json_parse() says. */
must_check int manifest_check(const void *manifest, size_t len, bool *ret_shared, struct err *e);

/* The name of the file that held a borrowed volume when the bundle was written, as "needs" has it for people;
 * NULL where it does not say. The caller's. */
char *manifest_loan(const void *manifest, size_t len, const uint8_t id[BUNDLE_ID_SIZE]);

#endif
