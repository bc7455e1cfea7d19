/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes behind the targets of a plain lockbox directory: is each there, whole, and the one that was
 * signed? What is found goes into the verdict as problems; what is not looked at, into its assumptions.
 */
#ifndef AIRLOCK_LOCKBOX_CONTENT_CHECK_H
#define AIRLOCK_LOCKBOX_CONTENT_CHECK_H

#include "base/progress.h"
#include "lockbox/judge.h"

/* dirfd: the lockbox directory. Hashes on all cores. */
void content_check_folder(int dirfd, struct verdict *v, struct progress *progress);
/* The same question for a bundle: every target must be a member of the signed size and hash (bundle_check()
 * then proves that the members' bytes are theirs). */
void content_check_bundle(const struct bundle *b, struct verdict *v);

#endif
