/* SPDX-License-Identifier: Apache-2.0
 *
 * A bundle back to the plain lockbox directory, which appears by one rename. Used by `airlock apply` and by
 * the device helper.
 */
#ifndef AIRLOCK_USB_UNPACK_H
#define AIRLOCK_USB_UNPACK_H

#include "base/progress.h"
#include "bundle-format/bundle.h"
#include "usb-tools/aside.h"

/* Makes the folder `name` beneath dirfd from every member of the bundle, each verified on the way and read
 * back from the medium. */
must_check int unpack(struct bundle *bundle, int dirfd, const char *name, struct progress *progress,
                      struct err *e);
/* All of that but the folder and its rename, which are the caller's: into the empty folder `dirfd`. */
must_check int unpack_into(struct bundle *bundle, int dirfd, struct progress *progress, struct err *e);

#endif
