/* SPDX-License-Identifier: Apache-2.0
 *
 * What 'apply' would not take, so that it is known at home too: each becomes a report (outbox.h) when it
 * happens, once.
 *
 *     refusals_note(&r, bundle, device, why);                    // in the sandbox
 *     if (refusals_keep(&r, root_fd, dirfd, &facts, …, e)) …     // outside
 *
 * A bundle is told by what it calls itself (LOCKBOX.json), for which nobody but its signer vouches; those
 * that none of the device's keys signed are told as one, without a name.
 */
#ifndef AIRLOCK_DEVICE_REFUSALS_H
#define AIRLOCK_DEVICE_REFUSALS_H

#include "base/name.h"
#include "bundle-format/bundle.h"
#include "usb-tools/device/facts.h"

/* A stick brings some; one that is full of others' must not push the device's own reports out of sight
 * (OUTBOX_COPIES). */
#define REFUSALS_MAX 16u

/* Without pointers: it crosses from the sandbox. */
struct refusals {
    struct refusal {
        char lockbox[NAME_PART_MAX + 1];
        int64_t version;
        enum err_id id;
        char message[ERR_TEXT_MAX];
    } list[REFUSALS_MAX];
    size_t count;
};

/* Nothing where the bundle does not say which lockbox it holds, or names no package for this hardware, and
 * where there is nothing to install in it. `b` may be NULL. */
void refusals_note(struct refusals *r, const struct bundle *b, const struct device *device,
                   const struct err *why);
/* dirfd: of /var/airlock. What the sandbox spoilt is left out. Makes the device's key where it has none. */
must_check int refusals_keep(const struct refusals *r, int root_fd, int dirfd, const struct facts *facts,
                             bool signers_checked, int64_t now, struct err *e);

#endif
