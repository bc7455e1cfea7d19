/* SPDX-License-Identifier: Apache-2.0
 *
 * A lockbox from the cloud into the store: its signed roles first, verified against the pinned roots before
 * anything is kept; then the packages that they name; last the record by which the store knows the lockbox.
 * Interrupted at any moment, the same call goes on where it stopped.
 */
#ifndef AIRLOCK_LOCKBOX_OBTAIN_H
#define AIRLOCK_LOCKBOX_OBTAIN_H

#include "base/progress.h"
#include "cloud/cloud.h"
#include "lockbox/judge.h"
#include "store/pins.h"

struct obtain_request {
    const char *profile, *name;
    const struct pins
        *trust; /* its `first` roots count instead of the pinned ones; NULL: the pinned ones do */
    int64_t now;
    struct progress *progress;
};

struct obtained {
    char *lockbox;
    int64_t version;
    uint64_t bytes; /* of all targets */
    size_t targets;
    int64_t valid_until;
    char *valid_until_role;
    bool first_contact; /* nothing was pinned: the roots that came over TLS are now */
};

/* Errors: what judge_refuse() says of the roles; ERR_ROOT_CHANGED and ERR_ROLLBACK against the pins;
 * ERR_UNSUPPORTED_TARGET for OSTree images and container applications; those of the cloud and of
 * fetch_files(). */
must_check int obtain_lockbox(struct cloud *cloud, const struct store *s, const struct obtain_request *r,
                              struct obtained *ret, struct err *e);
void obtained_free(struct obtained *o);

#endif
