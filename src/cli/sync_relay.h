/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock sync --relay: what a device signed, handed to the device gateway in its name. Nothing is done
 * without a person's word for each device.
 */
#ifndef AIRLOCK_CLI_SYNC_RELAY_H
#define AIRLOCK_CLI_SYNC_RELAY_H

#include "cli/app.h"
#include "cli/consent.h"
#include "report/relay.h"

struct cJSON;

struct sync_relay_options {
    const char *folder, *gateway;
    bool dry_run;
    struct consent *yes, *again;
};

must_check int sync_relay(struct app *app, const struct sync_relay_options *o, struct relaying *ret,
                          struct err *e);
void sync_relay_print(const struct relaying *all, bool dry_run);
/* "relays" of the answer, and what failed. */
void sync_relay_add_json(const struct relaying *all, struct cJSON *relays, struct cJSON *failed);
void sync_relay_tell_failures(const struct relaying *all, int *exit_code);

#endif
