/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock-device report: what became of the last lockbox, and the device's state for the next, onto a stick.
 * airlock-device key: the key by which both are known.
 */
#ifndef AIRLOCK_DEVICE_REPORT_H
#define AIRLOCK_DEVICE_REPORT_H

#include "usb-tools/device/arguments.h"

/* Without a stick (stick_fd -1) the report is made and kept for the next one. */
must_check int report(const struct arguments *a, struct err *e);
must_check int report_key(const struct arguments *a, struct err *e);

#endif
