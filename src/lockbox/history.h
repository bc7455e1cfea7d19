/* SPDX-License-Identifier: Apache-2.0
 *
 * What the cloud serves, against what this computer knows of the account: its pinned roots and its memory of
 * what was served before. A device does the same with what it has stored; the laptop sees more of the
 * account, and earlier.
 *
 *     AUTO(history) struct history h = HISTORY_CLOSED;
 *     if (history_open(s, profile, &h, e)) …                // from here on nobody else of this profile
 *     … fetch the roles …
 *     if (history_check_roots(&h, trust, &roles, e)) …      // before the verdict: it starts from h.pins
 *     … verdict …
 *     if (history_advance(&h, s, now, &roles, &v, e)) …     // refuses what is older; else all is remembered
 *     history_free(&h);                                     // lets others go on
 *
 * What is refused changes nothing of what is kept.
 */
#ifndef AIRLOCK_LOCKBOX_HISTORY_H
#define AIRLOCK_LOCKBOX_HISTORY_H

#include "lockbox/roles.h"
#include "store/memory.h"

struct history {
    const char *profile; /* the caller's */
    int lock;
    struct pins pins;
    struct memory memory;
    char *marks[2]; /* of the roots that the profile remembers; NULL: none */
    bool pinned_now[2];
};

#define HISTORY_CLOSED ((struct history){.lock = -1})

must_check int history_open(const struct store *s, const char *profile, struct history *ret, struct err *e);
/* The pinned first and newest roots must be served as they are known: else ERR_ROOT_CHANGED, ERR_ROLLBACK.
 * Where none is pinned: the one that the profile remembers must be served, and is the start of the chain;
 * else that of `given` (--trust; NULL: none) is, else the lowest that is served. */
must_check int history_check_roots(struct history *h, const struct pins *given, const struct roles *roles,
                                   struct err *e);
/* For roles that the verdict has found good. ERR_ROLLBACK (lockbox/replay) or else keeps, durably: the first
 * roots where there were none, the newest, and both snapshots. */
must_check int history_advance(struct history *h, const struct store *s, int64_t now,
                               const struct roles *roles, const struct verdict *v, struct err *e);
void history_free(struct history *h);

#endif
