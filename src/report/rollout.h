/* SPDX-License-Identifier: Apache-2.0
 *
 * How far a lockbox has come: which machines it is for, and what is known of each, from the ledger and from
 * the cloud. The two are kept apart; `source` says on whose word the state is.
 *
 *     AUTO(rollout) struct rollout rollout = {0};
 *     if (rollout_load(&roster, &store, "pump-7", "hall-3", &rollout, e)) …
 *
 * The machines are the devices of the fleet; without one, the devices that have hardware of the lockbox's in
 * the cloud, and those whose report of it is in the ledger. A machine of which nothing came is neither done
 * nor failed.
 */
#ifndef AIRLOCK_REPORT_ROLLOUT_H
#define AIRLOCK_REPORT_ROLLOUT_H

#include "report/goal.h"
#include "report/roster.h"

enum rollout_state {
    ROLLOUT_DONE,
    ROLLOUT_FAILED,
    ROLLOUT_REFUSED, /* by the helper, before anything was installed */
    ROLLOUT_REBOOT,
    ROLLOUT_UNDER_WAY, /* or interrupted */
    ROLLOUT_UNCLEAR,   /* what is known does not say whether it is done, or contradicts itself */
    ROLLOUT_SILENT,    /* not heard of */
    ROLLOUT_NOT_MEANT, /* of the fleet, without hardware that the lockbox is for: not counted */
    ROLLOUT_STATES,
};

enum rollout_source { ROLLOUT_NOBODY, ROLLOUT_LEDGER, ROLLOUT_CLOUD, ROLLOUT_BOTH };

struct rollout_machine {
    char *key;  /* what makes it one of its kind among those that only the ledger has; NULL: of the cloud */
    char *name; /* the cloud's; else the ledger's, in quotes where nobody but the device itself says so */
    const struct cloud_device *device; /* NULL: the cloud has none of it, or was not asked */
    enum goal_state runs;              /* only where the cloud was asked for `device` */
    const struct reading
        *reading;                /* of this version, on the best word, and of those the newest; NULL: none */
    const struct reading *other; /* the newest of another version, or of another lockbox of its name; NULL */
    enum rollout_state state;
    enum rollout_source source;
};

struct rollout {
    char *lockbox;
    int64_t version; /* 0: not known, and then any counts */
    enum rollout_source
        version_source;        /* ROLLOUT_CLOUD, ROLLOUT_LEDGER: the store of this computer, ROLLOUT_NOBODY */
    bool asked;                /* the cloud was, and answered */
    bool whole;                /* the cloud, now or once, said which machines there are */
    struct roster_fleet fleet; /* fleet.id NULL: all machines */
    size_t elsewhere;          /* reports of the lockbox that are of no device of the fleet */
    struct rollout_machine *list; /* by state, then name */
    size_t count, room;
    size_t counts[ROLLOUT_STATES];
    struct cloud_devices devices;
    struct readings readings;
};

/* `fleet` NULL: all machines. r->cloud NULL: the ledger alone. Errors: ERR_NO_SUCH_LOCKBOX,
 * ERR_NO_SUCH_FLEET, those of the ledger and of the cloud. */
must_check int rollout_load(const struct roster *r, const struct store *s, const char *lockbox,
                            const char *fleet, struct rollout *ret, struct err *e);
void rollout_free(struct rollout *rollout);

/* "done", "not heard of" */
const char *rollout_state_text(enum rollout_state state);

#endif
