/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sandbox wrote becomes the device's own: folders and files of root, which nobody else can change,
 * and nothing else. A link or a second name among them would make the client, which is root, read or write
 * somewhere else.
 */
#ifndef AIRLOCK_DEVICE_SEAL_H
#define AIRLOCK_DEVICE_SEAL_H

#include "base/err.h"

/* dirfd: of a folder with metadata/ and images/ alone. */
must_check int seal(int dirfd, struct err *e);

#endif
