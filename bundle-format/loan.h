/* SPDX-License-Identifier: Apache-2.0
 *
 * What a bundle borrows from others in its folder (SPEC.md, "Shared contents"): found and proven before it is
 * written (bundle_loans_find()), and put into its index when its metadata has been packed.
 */
#ifndef AIRLOCK_BUNDLE_LOAN_H
#define AIRLOCK_BUNDLE_LOAN_H

#include "base/buf.h"
#include "base/err.h"
#include "bundle-format/bundle.h"
#include "bundle-format/index.h"

/* Adds the borrowed volumes with their frames, and gives the borrowed contents their places:
 * index_own_frame() is the next frame. The index: of the same members. loans: NULL for none.
 * ERR_BUNDLE_LIMIT. */
must_check int loans_place(const struct bundle_loans *l, struct index *x, struct err *e);
/* Appends what the bytes of the own volumes depend on: which contents they lack. */
void loans_add_identity(const struct bundle_loans *l, struct buf *to);

#endif
