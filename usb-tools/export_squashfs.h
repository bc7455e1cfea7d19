/* SPDX-License-Identifier: Apache-2.0
 *
 * The lockbox directory as one squashfs image, which torizon/squashfs-lockboxes mounts from the root of a
 * stick, and with a key the detached signature that its signed variant asks for.
 */
#ifndef AIRLOCK_USB_EXPORT_SQUASHFS_H
#define AIRLOCK_USB_EXPORT_SQUASHFS_H

#include "base/progress.h"
#include "bundle-format/member.h"
#include "crypto/file_signer.h"

#define SQUASHFS_NAME "torizon-lockbox.squashfs"
#define SQUASHFS_SIGNATURE SQUASHFS_NAME ".sig"

/* Makes SQUASHFS_NAME beneath dirfd, which the caller has locked: every content hashed on its way
 * (ERR_WRONG_HASH), the image read back past the cache and compared, and renamed. signer: NULL for none; a
 * signature of an older image goes. *ret_bytes: of the image. */
must_check int export_squashfs(int dirfd, const struct member *members, size_t n,
                               const struct file_signer *signer, struct progress *progress,
                               uint64_t *ret_bytes, struct err *e);

#endif
