/* SPDX-License-Identifier: Apache-2.0
 *
 * The image repository's side of a verdict: snapshot, targets, delegations, and whether every target of the
 * lockbox is in them with the same content. Each target is looked for twice: as the standard says, which
 * decides validity, and as the device's client does, which decides what the device would do. The two differ
 * in what a terminating delegation ends, in depth, and in what an expired delegation does. Internal to
 * src/uptane.
 */
#ifndef AIRLOCK_UPTANE_IMAGE_REPO_H
#define AIRLOCK_UPTANE_IMAGE_REPO_H

#include "uptane/check.h"
#include "uptane/lockbox.h"

/* Completes the verdict's targets with what the image repository says of them. Without a lockbox (role NULL)
 * the repository is verified by itself. */
void image_repo_check(struct check *c, const struct root *root, const struct lockbox *lockbox);

#endif
