/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes behind the targets of a lockbox, wherever it lies: is each there, whole, and the one that was
 * signed? What is found goes into the verdict as problems; what is not looked at, into its assumptions.
 */
#ifndef AIRLOCK_LOCKBOX_CONTENT_CHECK_H
#define AIRLOCK_LOCKBOX_CONTENT_CHECK_H

#include "base/progress.h"
#include "lockbox/judge.h"
#include "lockbox/needs.h"
#include "usb-tools/squashfs_image.h"

/* dirfd: the lockbox directory. Hashes on all cores. `needs`: what was left out need not be there. */
void content_check_folder(int dirfd, const struct needs *needs, struct verdict *v, struct progress *progress);
/* The same question for an image, which is read once: -1 where it cannot be. */
must_check int content_check_image(struct squashfs_image *image, const struct needs *needs, struct verdict *v,
                                   struct progress *progress, struct err *e);
/* The same question for a bundle. Its index says for every file which hash it has, and bundle_check() proves
 * that the bytes are theirs; that an OSTree object or a container tarball is the right one only its content
 * proves. */
enum content_depth {
    CONTENT_INDEX,  /* what the index says */
    CONTENT_IMAGES, /* and OSTree and container images: where there are any, all that CONTENT_ALL reads */
    CONTENT_ALL,    /* and everything else, as bundle_check() does */
};
/* -1 for what bundle_check() returns; what is wrong with a target becomes a problem of the verdict. */
must_check int content_check_bundle(struct bundle *b, const struct needs *needs, struct verdict *v,
                                    enum content_depth depth, struct progress *progress, struct err *e);

#endif
