/* SPDX-License-Identifier: Apache-2.0
 *
 * Has the device's disk room for a bundle's files?
 */
#ifndef AIRLOCK_DEVICE_ROOM_H
#define AIRLOCK_DEVICE_ROOM_H

#include "bundle-format/bundle.h"

/* dirfd: where it will be unpacked. *ret_left: what the client can still use then. ERR_DEVICE_SPACE. */
must_check int room_check(const struct bundle *b, int dirfd, uint64_t *ret_left, struct err *e);

#endif
