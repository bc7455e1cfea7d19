/* SPDX-License-Identifier: Apache-2.0
 *
 * The plain lockbox directory from which a stock device installs: metadata/ and images/, as members say,
 * built aside, read back from the medium and renamed into place. No reading of bundles here (unpack.h), no
 * choice of names.
 */
#ifndef AIRLOCK_USB_EXPORT_PLAIN_H
#define AIRLOCK_USB_EXPORT_PLAIN_H

#include "base/progress.h"
#include "bundle-format/member.h"

/* Makes the folder `name` beneath dirfd. Every content is hashed while it is copied (ERR_WRONG_HASH: the
 * store is damaged) and again when it is read back (ERR_READ_BACK: the medium is). */
must_check int export_plain(int dirfd, const char *name, const struct member *members, size_t n,
                            struct progress *progress, struct err *e);

#endif
