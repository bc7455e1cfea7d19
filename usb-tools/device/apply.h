/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock-device apply: what a stick carries for this device is unpacked to where its client installs from.
 */
#ifndef AIRLOCK_DEVICE_APPLY_H
#define AIRLOCK_DEVICE_APPLY_H

#include "usb-tools/device/arguments.h"

must_check int apply(const struct arguments *a, struct err *e);

#endif
