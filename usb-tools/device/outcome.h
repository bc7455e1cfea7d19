/* SPDX-License-Identifier: Apache-2.0
 *
 * What became of the lockbox in /var/airlock/update, by the log that the client keeps beside it
 * (update-logs.db, read from a private copy), else by what the client remembers, else by the journal.
 * Without a word of any nothing is known: the client has none when it refused the lockbox or has not seen it
 * yet.
 */
#ifndef AIRLOCK_DEVICE_OUTCOME_H
#define AIRLOCK_DEVICE_OUTCOME_H

#include "usb-tools/device/client_memory.h"
#include "usb-tools/report_file.h"

struct outcome {
    char *lockbox; /* NULL: there is none */
    int64_t version;
    enum report_outcome what;
    enum report_source source;
    char *message;
    bool has_manifest;
    struct buf manifest; /* byte for byte as the client signed it */
};

/* dirfd: of /var/airlock. */
must_check int outcome_read(int dirfd, const struct client_memory *m, struct outcome *ret, struct err *e);
/* Where that does not say how it ended: what the device's journal says of the time since the lockbox was
 * unpacked. root: the device's file system. A journal that cannot be read changes nothing: its error. */
must_check int outcome_ask_journal(int dirfd, const char *root, struct outcome *o, struct err *e);
void outcome_free(struct outcome *o);

#endif
