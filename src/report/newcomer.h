/* SPDX-License-Identifier: Apache-2.0
 *
 * ECUs with verified reports of which the cloud knows no device. A device can be made for each, where a
 * person agrees: its id is the serial of the ECU, so that a second laptop cannot make a second one, and the
 * reports find it (publish.h) though it never came online. The ZIP with its credentials comes this once, and
 * is kept.
 *
 *     AUTO(newcomers) struct newcomers all = {0};
 *     if (newcomers_find(ledger, profile, &all, e)) …      // after publish_reports(), which looks for
 * devices if (newcomer_make(cloud, ledger, &options, &all.list[i], e)) …
 */
#ifndef AIRLOCK_REPORT_NEWCOMER_H
#define AIRLOCK_REPORT_NEWCOMER_H

#include "cloud/cloud.h"
#include "report/ledger.h"

struct newcomer {
    char *serial;
    char *name;     /* what a person calls it; NULL: nobody named it, and the cloud will */
    size_t reports; /* verified ones in the ledger */
    char *file;     /* of the ZIP, in the folder */
    char *uuid;     /* once it is made */
    bool agreed;    /* the caller's */
    struct err error;
};

struct newcomers {
    struct newcomer *list; /* in the order of their first reports */
    size_t count, room;
};

must_check int newcomers_find(struct ledger *l, const char *profile, struct newcomers *ret, struct err *e);
void newcomers_free(struct newcomers *all);

struct newcomer_options {
    const char *profile;
    const char *folder; /* for the ZIPs */
    int64_t now;
};

/* Fills n->uuid. ERR_ALREADY_EXISTS: there is such a file, or the cloud has a device of that id (then this
 * laptop's credentials are not those of it). ERR_BAD_CREDENTIALS, ERR_BAD_ANSWER: what came is no
 * ZIP, or another device's, and is not kept. Else the file is there, mode 0600, whenever the cloud gave it
 * out. */
must_check int newcomer_make(struct cloud *c, struct ledger *l, const struct newcomer_options *o,
                             struct newcomer *n, struct err *e);

#endif
