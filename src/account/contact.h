/* SPDX-License-Identifier: Apache-2.0
 *
 * The account's roots at a login: at first contact they are pinned; ever after they must be the same. The
 * chain that leads from the first to the newest is verified with each fetch (lockbox/history), not here.
 */
#ifndef AIRLOCK_ACCOUNT_CONTACT_H
#define AIRLOCK_ACCOUNT_CONTACT_H

#include "account/login.h"
#include "cloud/cloud.h"
#include "cloud/credentials.h"

/* For both repositories: every root that is known (the pinned ones, those that a person gave, those of
 * credentials.zip, and where the state folder was lost those that the profile remembers) must be served as it
 * is known. Where none is pinned, the first of these is from now on; where none is known, version 1 as the
 * cloud serves it. Only when both repositories agree the pins are written, and the profile's marks set (not
 * saved).
 *
 * Errors: ERR_ROOT_CHANGED, ERR_ROLLBACK; those of a root that is none or that its own keys did not sign;
 * those of the cloud. */
must_check int contact_roots(const struct store *s, struct profile *p, struct cloud *cloud,
                             const struct credentials *c, const struct pins *given, int64_t now,
                             struct login_result *r, struct err *e);

#endif
