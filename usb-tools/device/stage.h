/* SPDX-License-Identifier: Apache-2.0
 *
 * A bundle becomes the lockbox directory that the client polls, /var/airlock/update, by one rename when all
 * of it is there, flushed and read back. The client looks once a second and starts only where there was
 * nothing before, so an older directory gives way for longer than that first.
 *
 *     AUTO(stage) struct stage s = STAGE_CLOSED;
 *     if (stage_open(root_fd, &s, e) || stage_begin(&s, e)) …
 *     if (stage_fill(&s, bundle, &fresh, e)) …         // in the sandbox, which may write in that folder
 * alone if (fresh && stage_finish(&s, e)) …
 *
 * A kill at any moment leaves the older directory, the newer one, or for a moment none; the next stage_open()
 * mends that. The client's log of its installs moves on from one to the next.
 */
#ifndef AIRLOCK_DEVICE_STAGE_H
#define AIRLOCK_DEVICE_STAGE_H

#include "bundle-format/bundle.h"
#include "usb-tools/aside.h"

#define STAGE_FOLDER "var/airlock" /* beneath the root; survives updates of the OS */
#define STAGE_NAME "update"
#define STAGE_SOURCE "/" STAGE_FOLDER "/" STAGE_NAME

struct stage {
    int fd;      /* /var/airlock */
    int lock_fd; /* held: one airlock-device at a time */
    struct aside aside;
};

#define STAGE_CLOSED                                                                                         \
    {                                                                                                        \
        .fd = -1, .lock_fd = -1, .aside = {.parent_fd = -1, .fd = -1 }                                       \
    }

/* Makes the folder where it is missing. ERR_STORE_LOCKED after some seconds: what a killed run left behind
 * may take a moment to end. */
must_check int stage_open(int root_fd, struct stage *ret, struct err *e);
/* An empty folder that is lent to the sandbox. */
must_check int stage_begin(struct stage *s, struct err *e);
/* Unpacks into it. *ret_fresh: false: what the client sees is that bundle's already, and nothing was done. */
must_check int stage_fill(struct stage *s, struct bundle *b, bool *ret_fresh, struct err *e);
/* Takes the folder back, looks that nothing but files and folders is in it, and shows it to the client. */
must_check int stage_finish(struct stage *s, struct err *e);
void stage_free(struct stage *s);

#endif
