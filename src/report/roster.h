/* SPDX-License-Identifier: Apache-2.0
 *
 * Which device of the cloud a report is of, and which devices a fleet has. What the cloud answered is
 * remembered in the ledger, so that it is not asked for each device anew, and that there is an answer without
 * it.
 *
 * A report belongs to the device that registered the ECU which signed it. Where that does not help, since the
 * device was never online or nobody signed, a person's word does: the name that he gave to the key, or the
 * device that his note names, is the cloud's name or id of exactly one device. What a device calls itself
 * counts for nothing.
 */
#ifndef AIRLOCK_REPORT_ROSTER_H
#define AIRLOCK_REPORT_ROSTER_H

#include "cloud/devices.h"
#include "report/reading.h"

struct roster {
    struct cloud *cloud; /* NULL: it is not to be asked */
    struct ledger *ledger;
    const char *profile;
    int64_t now;
};

/* A device registers its ECUs once, as a rule; and people do not move devices by the hour. */
#define ROSTER_KEPT_S (24 * 3600)

/* Remembers the primary ECU of the device, unless that was done within ROSTER_KEPT_S. */
must_check int roster_learn(const struct roster *r, const struct cloud_device *d, struct err *e);

struct roster_fleet {
    struct ledger_fleet fleet;
    struct cloud_devices devices;
};
/* By name or id: as the cloud has it, or as it had it, which is good for ROSTER_KEPT_S and without a cloud
 * for ever. ERR_NO_SUCH_FLEET: there is none, or several of that name, or there is no cloud and it was never
 * asked. `fresh`: as the cloud has it now. */
must_check int roster_load_fleet(const struct roster *r, const char *word, bool fresh,
                                 struct roster_fleet *ret, struct err *e);
void roster_fleet_free(struct roster_fleet *f);

/* *ret = NULL: none of these devices, as far as is known. */
must_check int roster_match(const struct roster *r, const struct cloud_devices *devices,
                            const struct reading *reading, const struct cloud_device **ret, struct err *e);

#endif
