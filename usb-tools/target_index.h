/* SPDX-License-Identifier: Apache-2.0
 *
 * Which member of a bundle, or of an image that was read, is a target: the file itself or, of an OSTree
 * image, its commit object. The index is signed and says for every member which hash it has, so nothing of
 * the payload is read here.
 */
#ifndef AIRLOCK_USB_TOOLS_TARGET_INDEX_H
#define AIRLOCK_USB_TOOLS_TARGET_INDEX_H

#include "bundle-format/bundle.h"
#include "uptane/verdict.h"

struct target_index {
    struct bundle_member_info *members; /* sorted by path, which is the bundle's */
    size_t count;
};

/* The bundle must outlive it. */
void target_index_make(const struct bundle *b, struct target_index *ret);
void target_index_free(struct target_index *x);
/* NULL: it is not there. */
const struct bundle_member_info *target_index_find(const struct target_index *x,
                                                   const struct verdict_target *t);
/* ERR_MISSING_TARGET, ERR_WRONG_LENGTH, ERR_WRONG_HASH. */
must_check int target_index_check(const struct target_index *x, const struct verdict_target *t,
                                  struct err *e);

#endif
