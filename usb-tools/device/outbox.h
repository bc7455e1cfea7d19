/* SPDX-License-Identifier: Apache-2.0
 *
 * The device's own reports and its newest request, as they go onto sticks (docs/report-format.md). Each is
 * signed and numbered once, kept in /var/airlock under its number, and copied to every stick that lacks it,
 * so that one that was lost on the way comes with the next stick, and a kill costs nothing.
 *
 *     /var/airlock/device.key            signs them; never leaves the device
 *     /var/airlock/reports/<number>.json
 *     /var/airlock/request.json
 */
#ifndef AIRLOCK_DEVICE_OUTBOX_H
#define AIRLOCK_DEVICE_OUTBOX_H

#include "crypto/sign_key.h"
#include "usb-tools/device/client_memory.h"
#include "usb-tools/report_file.h"

#define OUTBOX_KEY "device.key"
#define OUTBOX_COPIES 64   /* the newest reports that a stick gets, beside … */
#define OUTBOX_REFUSALS 16 /* … the newest refusals: a stick that brings many pushes nothing else out */
#define OUTBOX_DEPTH 1024  /* of all reports, how many are looked through for these */

struct outbox {
    int dirfd;                          /* of /var/airlock */
    char *device;                       /* its name */
    const struct client_memory *memory; /* of the caller */
    struct sign_key key;
    int64_t last;              /* number of the newest report; 0: none */
    struct report_file newest; /* only with one */
};

/* dirfd: of /var/airlock. The device's name is in /etc/hostname beneath root_fd. ERR_NO_SUCH_PATH where it
 * has no name or no key yet; ERR_BAD_REPORT for a damaged file. */
must_check int outbox_open(int root_fd, int dirfd, const struct client_memory *memory, struct outbox *ret,
                           struct err *e);
void outbox_free(struct outbox *o);

/* Signs and keeps what the caller filled in, unless it is known: the last word on what the client did says
 * the same, or one of the newest OUTBOX_COPIES reports tells of the same refusal. Number, device, program,
 * ECUs and the hash of the one before are filled in here. */
must_check int outbox_add_report(struct outbox *o, struct report_file *report, struct err *e);
must_check int outbox_set_request(struct outbox *o, int64_t now, const struct buf *state, struct err *e);
/* ERR_ALREADY_EXISTS where the stick has another file of a report's name: of another device that is called
 * the same. */
must_check int outbox_copy(const struct outbox *o, int stick_fd, struct err *e);

#endif
