/* SPDX-License-Identifier: Apache-2.0
 *
 * The bundles on a stick, as one device sees them: is a bundle signed by one of its keys, would its client
 * install what is in it, is it whole by its index, and does it fit? Nothing of the payload is read for that.
 */
#ifndef AIRLOCK_DEVICE_OFFER_H
#define AIRLOCK_DEVICE_OFFER_H

#include "uptane/verdict.h"
#include "usb-tools/device/facts.h"
#include "usb-tools/device/signer_keys.h"

struct offer_terms {
    int root_fd;
    int place_fd; /* where it will be unpacked */
    struct facts *facts;
    const struct signer_keys *signers;
    int64_t now;
    const char *lockbox; /* the only one that is wanted; NULL: any */
};

struct offer {
    char *file; /* in the stick's folder */
    struct bundle *bundle;
    char *lockbox;
    int64_t version;
};

/* Is told of each bundle that is not taken, and why; NULL for what is none. */
struct offer_listener {
    void (*pass)(void *ctx, const char *file, const struct bundle *b, const struct err *why);
    void *ctx;
};

/* The one bundle in the folder that this device should take, of several versions the highest. Errors:
 * ERR_NOTHING_TO_INSTALL where there is none for it; where all that were for it had a fault, that of the
 * first; ERR_SEVERAL_LOCKBOXES. */
must_check int offer_find(int dirfd, const struct offer_terms *t, const struct offer_listener *l,
                          struct offer *ret, struct err *e);
void offer_free(struct offer *o);

#endif
