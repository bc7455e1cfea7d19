/* SPDX-License-Identifier: Apache-2.0
 *
 * From the ledger to the cloud, as the device itself: the bytes that a device signed go to the device gateway
 * with the certificate of that device, where the operator kept its credentials. First it is found out what
 * would be sent; a person agrees, device by device; then it is sent.
 *
 *     AUTO(relaying) struct relaying all = {0};
 *     if (relay_plan(cloud, ledger, &options, &all, e)) …
 *     all.list[i].agreed = …                              // a person's word
 *     if (relay_send(cloud, ledger, &options, &all, e)) …
 *
 * The server has no notion of old: a manifest rolls back what it shows, and cancels what is assigned. So only
 * verified manifests go out, as recorded, in the order of their counters, none at or below the last; directly
 * before each the cloud is asked whether the device is still the one that signed, has no update assigned, and
 * did not come online by itself meanwhile. What is about to be sent stands in the ledger before: a crash
 * leaves it as one that may have arrived, and such a one is sent again only where a person says so. The
 * caller holds ledger_lock_cloud() during each of the two.
 */
#ifndef AIRLOCK_REPORT_RELAY_H
#define AIRLOCK_REPORT_RELAY_H

#include "cloud/cloud.h"
#include "report/ledger.h"
#include "report/reading.h"

#define RELAY_FILES_MAX 10000u /* of a folder of credentials */

struct relay_report {
    const struct reading *reading; /* of relaying.readings */
    enum relay_outcome outcome;
    int status;   /* of HTTP; 0: none */
    char *answer; /* what the server said, escaped; NULL: nothing */
};

/* One archive of the folder. */
struct relay_device {
    char *file;
    char *uuid;                /* NULL: the archive could not be read */
    char *serial, *name;       /* of the device in the cloud; NULL: nothing of it is in the ledger */
    struct relay_report *list; /* what is still to be sent, or may have arrived; by counter */
    size_t count, room;
    size_t older;     /* not sent: they would roll back what was reported since */
    bool agreed;      /* set by the caller between relay_plan() and relay_send() */
    bool again;       /* the same: also what may have arrived already */
    struct err error; /* id 0: none; why no more is sent for this device */
};

struct relaying {
    struct readings readings;
    struct relay_device *list; /* by file */
    size_t count, room;
};

struct relay_options {
    const char *profile;
    int64_t now;
    bool dry_run;        /* nothing is marked in the ledger either */
    const char *folder;  /* with the ZIPs */
    const char *gateway; /* address; NULL: that of the ZIP, else the real cloud's */
    const struct http_options *http;
};

/* Would relay_send() send it, where a person agrees? And how many of the device's. */
bool relay_is_due(const struct relay_device *d, const struct relay_report *r);
size_t relay_count_due(const struct relay_device *d);

/* -1 where the folder, the ledger or the cloud as a whole fails; what fails with one device stands there. */
must_check int relay_plan(struct cloud *c, struct ledger *l, const struct relay_options *o,
                          struct relaying *ret, struct err *e);
must_check int relay_send(struct cloud *c, struct ledger *l, const struct relay_options *o,
                          struct relaying *all, struct err *e);
void relaying_free(struct relaying *all);

/* "accepted", "refused", … */
const char *relay_outcome_text(enum relay_outcome outcome);

#endif
