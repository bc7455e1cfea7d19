/* SPDX-License-Identifier: Apache-2.0
 *
 * The lockbox directory as one squashfs image, which torizon/squashfs-lockboxes mounts from the root of a
 * stick, and with a key the detached signature that its signed variant asks for.
 */
#ifndef AIRLOCK_USB_EXPORT_SQUASHFS_H
#define AIRLOCK_USB_EXPORT_SQUASHFS_H

#include "base/several.h"
#include "bundle-format/member.h"
#include "crypto/file_signer.h"

#define SQUASHFS_NAME "torizon-lockbox.squashfs"
#define SQUASHFS_SIGNATURE SQUASHFS_NAME ".sig"

/* Makes SQUASHFS_NAME in each of the folders, one for each place that is left in `at`, which the caller has
 * locked, from one reading of the members: every content hashed on its way (ERR_WRONG_HASH), the image read
 * back past the cache and compared, and renamed. signer: NULL for none; a signature of an older image goes.
 * *ret_bytes: of the image. -1 when it is nowhere. */
must_check int export_squashfs(const int *dirfds, struct several *at, const struct member *members, size_t n,
                               const struct file_signer *signer, uint64_t *ret_bytes, struct err *e);

#endif
