/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock-device install: this program comes to stay, on the device's own disk, and sees to each stick that
 * is put in. airlock-device uninstall: it goes again.
 */
#ifndef AIRLOCK_DEVICE_INSTALL_H
#define AIRLOCK_DEVICE_INSTALL_H

#include "usb-tools/device/arguments.h"

must_check int install(const struct arguments *a, struct err *e);
must_check int uninstall(const struct arguments *a, struct err *e);

#endif
