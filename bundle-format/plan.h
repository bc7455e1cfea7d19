/* SPDX-License-Identifier: Apache-2.0
 *
 * From what the caller wants in a bundle to an index without places: members, and each distinct content once.
 */
#ifndef AIRLOCK_BUNDLE_PLAN_H
#define AIRLOCK_BUNDLE_PLAN_H

#include "base/err.h"
#include "bundle-format/bundle.h"
#include "bundle-format/index.h"

/* A content that has no place yet stands in this frame. */
#define PLAN_NO_FRAME UINT32_MAX

/* The index of members and contents alone. Checked by index_check_members(); its errors. */
must_check int plan_members(const struct member *members, size_t count, struct index *ret, struct err *e);
/* The same, as the manifest has it; also the errors of manifest_check(). */
must_check int plan_index(const struct bundle_plan *plan, struct index *ret, struct err *e);

/* The id of a payload volume: the same only where the same bytes would be written. It hashes the list of the
 * images' members and contents, those that are not written, the options and the version of libzstd that shape
 * the frames, and the number. */
void plan_volume_id(const struct index *x, const struct bundle_options *options,
                    const struct bundle_loans *loans, uint16_t number, uint8_t ret[BUNDLE_ID_SIZE]);

#endif
