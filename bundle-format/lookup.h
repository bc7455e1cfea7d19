/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds a content of an index by its hash and size.
 */
#ifndef AIRLOCK_BUNDLE_LOOKUP_H
#define AIRLOCK_BUNDLE_LOOKUP_H

#include "bundle-format/index.h"

struct lookup {
    const struct index *index;
    uint32_t *numbers; /* of contents, plus one; 0: free. Open addressing, at most half full */
    size_t mask;
};

/* For an index that is to have at most `contents` of them. */
struct lookup lookup_new(const struct index *x, size_t contents);
/* Where the number of such a content plus one is or is to be put; 0: there is none yet. */
uint32_t *lookup_place(const struct lookup *l, const uint8_t sha256[HASH_SIZE], uint64_t size);
void lookup_free(struct lookup *l);

#endif
