/* SPDX-License-Identifier: Apache-2.0
 *
 * One answer out of two passes: what lies there by the standard, and what the device, which sees something
 * else, would do. Internal to src/uptane.
 */
#ifndef AIRLOCK_UPTANE_VERDICT_MERGE_H
#define AIRLOCK_UPTANE_VERDICT_MERGE_H

#include "uptane/verdict.h"

/* Takes both over. Validity, roles and newest roots are the standard's; outcome, assumptions and dates the
 * device's. A problem counts for validity where the standard's pass found it, and for the device where the
 * device's did. */
void verdict_merge(struct verdict *standard, struct verdict *device, struct verdict *ret);

#endif
