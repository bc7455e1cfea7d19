/* SPDX-License-Identifier: Apache-2.0
 *
 * Does a squashfs image hold these members and no other file?
 */
#ifndef AIRLOCK_USB_SQUASHFS_COMPARE_H
#define AIRLOCK_USB_SQUASHFS_COMPARE_H

#include "base/progress.h"
#include "bundle-format/member.h"

/* ERR_READ_BACK, naming the member, where the image differs or cannot be read. */
must_check int squashfs_compare(int fd, const struct member *members, size_t n, struct progress *progress,
                                struct err *e);

#endif
