/* SPDX-License-Identifier: Apache-2.0
 *
 * The prerequisite of a differential lockbox (usb-tools/needs): how its file is written, and whether a device
 * meets it.
 */
#ifndef AIRLOCK_LOCKBOX_NEEDS_H
#define AIRLOCK_LOCKBOX_NEEDS_H

#include "uptane/device.h"
#include "uptane/verdict.h"
#include "usb-tools/needs.h"

/* The text of the file, to be freed. */
char *needs_format(const struct needs *r);
/* Does the device (NULL: a fresh one) have what it must? A problem or an assumption of the verdict. */
void needs_judge(const struct needs *r, const struct device *device, struct verdict *v);

#endif
