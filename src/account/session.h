/* SPDX-License-Identifier: Apache-2.0
 *
 * From a profile in the configuration to a connection with its cloud.
 */
#ifndef AIRLOCK_ACCOUNT_SESSION_H
#define AIRLOCK_ACCOUNT_SESSION_H

#include "cloud/cloud.h"
#include "store/profile.h"

/* Nothing is sent yet. Its addresses are held against the same rules as at a login, since a person, or an
 * older airlock, may have written them: ERR_BAD_CONFIG. `ca_file` (--cacert) replaces the profile's own; NULL
 * keeps it. */
must_check int session_open(const struct profile *p, const char *ca_file, struct cloud **ret, struct err *e);
/* The same for the stored profile of that name. */
must_check int session_open_stored(const struct store *s, const char *profile, const char *ca_file,
                                   struct cloud **ret, struct err *e);
/* For whoever can do without an answer: one try, and no longer than that for each step of it. */
must_check int session_try_stored(const struct store *s, const char *profile, const char *ca_file,
                                  unsigned timeout_ms, struct cloud **ret, struct err *e);
/* Does the cloud answer? Logs in at every door, with one try, and no more than SESSION_KNOCK_MS for each step
 * of it. */
must_check int session_knock(const struct store *s, const char *profile, const char *ca_file, struct err *e);
#define SESSION_KNOCK_MS 10000

#endif
