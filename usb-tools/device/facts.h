/* SPDX-License-Identifier: Apache-2.0
 *
 * What this device is and what its client remembers, as a device state (docs/device-state.md), by which the
 * verdict is made. Read from its own disk alone. Where the client has never started, its configuration and
 * the first roots tell; where its database cannot be read, they do as well, and `hindrance` says why.
 */
#ifndef AIRLOCK_DEVICE_FACTS_H
#define AIRLOCK_DEVICE_FACTS_H

#include "uptane/device.h"
#include "usb-tools/device/client_memory.h"

struct facts {
    struct client_config config;
    struct client_memory memory;
    struct err hindrance; /* ERR_NONE: none */
    struct device device; /* without free_space, which depends on the bundle */
};

/* ERR_BAD_CONFIG, ERR_ROOT_NOT_TRUSTED where a first root is missing: none is ever taken from a stick. */
must_check int facts_load(int root_fd, struct facts *ret, struct err *e);
void facts_free(struct facts *f);

#endif
