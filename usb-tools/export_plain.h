/* SPDX-License-Identifier: Apache-2.0
 *
 * The plain lockbox directory from which a stock device installs: metadata/ and images/, as members say,
 * built aside, metadata/ last, read back from the medium and renamed into place. No reading of bundles here
 * (unpack.h), no choice of names.
 */
#ifndef AIRLOCK_USB_EXPORT_PLAIN_H
#define AIRLOCK_USB_EXPORT_PLAIN_H

#include "base/several.h"
#include "bundle-format/member.h"

/* Beneath dirfd. */
struct export_place {
    int dirfd;
    const char *name;
};

/* Makes the folder at each of the places that are left in `at`, from one reading of the members. Every
 * content is hashed while it is copied (ERR_WRONG_HASH: the store is damaged) and again when it is read back
 * (ERR_READ_BACK: the medium is). -1 when it is nowhere. */
must_check int export_plain(const struct export_place *places, struct several *at,
                            const struct member *members, size_t n, struct err *e);

#endif
