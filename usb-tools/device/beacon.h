/* SPDX-License-Identifier: Apache-2.0
 *
 * What tells the person at the device when the stick may be pulled: a line on standard output, which the unit
 * sends to the console; an LED, where 'install --led' named one; and /etc/airlock/hook, where somebody put a
 * program there. The LED blinks while the stick is needed, shines when all went well, and is dark otherwise,
 * also when the stick was pulled before.
 */
#ifndef AIRLOCK_DEVICE_BEACON_H
#define AIRLOCK_DEVICE_BEACON_H

#include "usb-tools/device/arguments.h"

#define BEACON_HOOK                                                                                          \
    "etc/airlock/hook" /* beneath the root; gets the node and "done" or the id of an error                   \
                        */

/* An LED that cannot be set stops nothing; a line on standard error says so. */
void beacon_begin(const struct arguments *a);
void beacon_end(const struct arguments *a, enum err_id result);

#endif
