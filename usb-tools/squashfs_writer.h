/* SPDX-License-Identifier: Apache-2.0
 *
 * Members to a squashfs image by libsquashfs: gzip, because the kernels of devices know nothing else; owner
 * root, mode 0644 and 0755, no times. The same members and version of libsquashfs give the same bytes.
 */
#ifndef AIRLOCK_USB_SQUASHFS_WRITER_H
#define AIRLOCK_USB_SQUASHFS_WRITER_H

#include "base/progress.h"
#include "bundle-format/member.h"

/* Into an empty file that is open for reading and writing; nothing is flushed. Every content is hashed on its
 * way: ERR_WRONG_HASH, ERR_WRONG_LENGTH. */
must_check int squashfs_write(int fd, const struct member *members, size_t n, struct progress *progress,
                              struct err *e);

#endif
