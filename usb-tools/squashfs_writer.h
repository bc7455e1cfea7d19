/* SPDX-License-Identifier: Apache-2.0
 *
 * Members to a squashfs image by libsquashfs: gzip, because the kernels of devices know nothing else; owner
 * root, mode 0644 and 0755, no times. The same members and version of libsquashfs give the same bytes.
 */
#ifndef AIRLOCK_USB_SQUASHFS_WRITER_H
#define AIRLOCK_USB_SQUASHFS_WRITER_H

#include "base/several.h"
#include "bundle-format/member.h"

/* Into empty files that are open for reading and writing, one for each place, from one reading of the
 * members; flushed. *ret_bytes: of the image. Every content is hashed on its way: ERR_WRONG_HASH,
 * ERR_WRONG_LENGTH. */
must_check int squashfs_write(const int *fds, struct several *at, const struct member *members, size_t n,
                              uint64_t *ret_bytes, struct err *e);

#endif
