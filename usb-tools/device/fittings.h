/* SPDX-License-Identifier: Apache-2.0
 *
 * What makes a device see to a stick by itself: a rule of udev that has systemd start a unit, the unit, and
 * where the client looks. They are text; laid.h puts them in place.
 */
#ifndef AIRLOCK_DEVICE_FITTINGS_H
#define AIRLOCK_DEVICE_FITTINGS_H

#include <stdint.h>

/* Beneath the root, where an update of the OS keeps them: its /etc is merged. */
#define FITTING_CLIENT "etc/sota/conf.d/90-airlock.toml"
#define FITTING_UNIT "etc/systemd/system/airlock-stick@.service"
#define FITTING_RULE "etc/udev/rules.d/90-airlock.rules"

const char *fitting_client(void);
/* program: its absolute path. led: the name of one below /sys/class/leds, or NULL. Of the caller's. */
char *fitting_unit(const char *program, int64_t wait_s, const char *led);
const char *fitting_rule(void);

#endif
