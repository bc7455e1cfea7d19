/* SPDX-License-Identifier: Apache-2.0
 *
 * The lockboxes of the account, and what this computer holds of them.
 */
#ifndef AIRLOCK_ACCOUNT_OVERVIEW_H
#define AIRLOCK_ACCOUNT_OVERVIEW_H

#include "cloud/cloud.h"
#include "store/store.h"

struct overview_row {
    char *name;
    int64_t version;      /* in the cloud; 0 where its role cannot be read */
    int64_t expires;      /* of the lockbox role */
    size_t packages;      /* 0: revoked */
    uint64_t bytes;       /* of its file packages */
    int64_t held_version; /* in the store; 0: not fetched */
};

struct overview {
    struct overview_row *rows; /* by name */
    size_t count;
};

/* What the cloud says is shown, not trusted: nothing is verified here. */
must_check int overview_fetch(struct cloud *cloud, const struct store *s, const char *profile,
                              struct overview *ret, struct err *e);
void overview_free(struct overview *o);

#endif
