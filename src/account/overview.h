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
    bool deleted;         /* this computer holds it, and the cloud does not know it */
    int64_t version;      /* in the cloud; 0 where its role cannot be read */
    int64_t expires;      /* of the lockbox role; INT64_MAX: deleted */
    size_t packages;      /* 0: revoked */
    uint64_t bytes;       /* of its file packages */
    int64_t held_version; /* in the store; 0: not fetched */
};

struct overview {
    struct overview_row *rows; /* by name */
    size_t count;
};

enum overview_state { OVERVIEW_SAME, OVERVIEW_NEWER, OVERVIEW_REVOKED, OVERVIEW_DELETED };

/* What the cloud says is shown, not trusted: nothing is verified here. */
must_check int overview_fetch(struct cloud *cloud, const struct store *s, const char *profile,
                              struct overview *ret, struct err *e);
/* What became of a version of a lockbox that somebody has; *ret_version is the cloud's, 0 where it is gone.
 * A cloud that has an older one has lost something: the version here is not what is stale. */
enum overview_state overview_compare(const struct overview *o, const char *lockbox, int64_t version,
                                     int64_t *ret_version);
/* "same", "newer", "revoked", "deleted" */
const char *overview_state_word(enum overview_state state);
void overview_free(struct overview *o);

#endif
