/* SPDX-License-Identifier: Apache-2.0
 *
 * From the ledger to the cloud: what came home of a device is put into its notes (notes_block.h). Which
 * device that is, roster.h says: the one whose ECU signed, or that was made for it (its id is the serial), or
 * that a person named; what it calls itself on a stick counts for nothing.
 *
 * Notes are read, merged, read again and only then written, and read once more; what they were is in the
 * ledger before. Whoever runs this twice, or on two laptops, ends with the same notes. Reports whose
 * signature does not match are not published.
 */
#ifndef AIRLOCK_REPORT_PUBLISH_H
#define AIRLOCK_REPORT_PUBLISH_H

#include "cloud/cloud.h"
#include "report/ledger.h"

struct publication {
    char *serial;      /* of its ECU; "": not known */
    char *uuid, *name; /* in the cloud; NULL: it knows no such device */
    size_t reports;    /* of it in the ledger that can be published */
    bool changed;      /* the notes were, or would be, written */
    char *former, *text;
    struct err error; /* id 0: none; what went wrong with this device */
};

struct publishing {
    struct publication *list; /* those that signed, by serial; then the others */
    size_t count, room;
    size_t nameless; /* reports of which it is not known whose they are; a log's row never says so */
};

struct publish_options {
    const char *profile;
    int64_t now;
    bool dry_run; /* no notes are written */
};

/* -1 where the ledger or the cloud as a whole fails; what fails with one device stands in its publication. */
must_check int publish_reports(struct cloud *c, struct ledger *l, const struct publish_options *o,
                               struct publishing *ret, struct err *e);
void publishing_free(struct publishing *p);

#endif
