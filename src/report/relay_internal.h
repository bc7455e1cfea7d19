/* SPDX-License-Identifier: Apache-2.0
 *
 * For relay_plan.c and relay_send.c only.
 */
#ifndef AIRLOCK_REPORT_RELAY_INTERNAL_H
#define AIRLOCK_REPORT_RELAY_INTERNAL_H

#include "report/relay.h"

struct relay_run {
    struct cloud *cloud;
    struct ledger *ledger;
    const struct relay_options *options;
};

/* What the cloud says of the device at this moment. Marks what the device overtook. ERR_OTHER_DEVICE,
 * ERR_OPEN_ASSIGNMENT: nothing may be sent. */
must_check int relay_ask(const struct relay_run *run, struct relay_device *d, struct err *e);

#endif
