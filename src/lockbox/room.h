/* SPDX-License-Identifier: Apache-2.0
 *
 * Before the first byte: has the place room for what is to be delivered there, can it hold the files, will
 * the device find them? What is sure to fail is an error, what may is a remark of the forecast. Nothing is
 * written.
 */
#ifndef AIRLOCK_LOCKBOX_ROOM_H
#define AIRLOCK_LOCKBOX_ROOM_H

#include "lockbox/place.h"
#include "uptane/device.h"
#include "usb-tools/forecast.h"

/* A bundle of at least and at most so many bytes; volume_bytes: 0 for the format's default. Errors of all
 * three: ERR_NO_SPACE, ERR_READ_ONLY, ERR_FILE_TOO_LARGE. */
must_check int room_for_bundle(const struct place *place, uint64_t least, uint64_t most, bool single,
                               uint64_t volume_bytes, struct forecast *ret, struct err *e);
/* The lockbox directory, file by file. device: NULL where none is known. */
must_check int room_for_folder(const struct place *place, const struct member *members, size_t count,
                               const struct device *device, struct forecast *ret, struct err *e);
/* The same as one image. */
must_check int room_for_image(const struct place *place, const struct member *members, size_t count,
                              struct forecast *ret, struct err *e);

#endif
