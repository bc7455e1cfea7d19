/* SPDX-License-Identifier: Apache-2.0
 *
 * What remains once everything that anybody reads has been verified: files that a snapshot lists and that are
 * not there, and files that nobody refers to. Neither stops the device or breaks the standard, but the second
 * kind is unverified, and the first tells that something was lost on the way. Where a role could not be read,
 * there is no telling what nobody refers to: then this is left out. Internal to src/uptane.
 */
#ifndef AIRLOCK_UPTANE_STRAYS_H
#define AIRLOCK_UPTANE_STRAYS_H

#include "uptane/check.h"

/* After all rows and problems of this repository are written. Other lockboxes of the account are no strays: a
 * directory holds one of those that the offline snapshot lists. */
void strays_report(struct check *c, enum verdict_repo repo, const struct role *snapshot);

#endif
