/* SPDX-License-Identifier: Apache-2.0
 *
 * Is every object of the OSTree images there, and the one that its name says? For a plain folder, which is
 * walked from the commits on, and for a bundle, whose members come by in their order.
 */
#ifndef AIRLOCK_LOCKBOX_OSTREE_CHECK_H
#define AIRLOCK_LOCKBOX_OSTREE_CHECK_H

#include "base/progress.h"
#include "bundle-format/bundle.h"
#include "lockbox/judge.h"

bool ostree_check_is_due(const struct verdict *v);
/* dirfd: the lockbox directory. On all cores. What is wrong becomes a problem of the verdict. */
void ostree_check_folder(int dirfd, struct verdict *v, struct progress *progress);
/* Reads the whole bundle, proving all that bundle_check() proves: -1 for what that returns. What is wrong
 * with an image becomes a problem of the verdict. */
must_check int ostree_check_bundle(struct bundle *b, struct verdict *v, struct progress *progress,
                                   struct err *e);

#endif
