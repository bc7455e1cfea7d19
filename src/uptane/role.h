/* SPDX-License-Identifier: Apache-2.0
 *
 * One signed role: the envelope {"signatures": […], "signed": {"_type", "version", "expires", …}} that all of
 * them share. Structure first, then signatures, and only then may anybody read role->body.
 *
 *     struct role *role;
 *     if (role_parse(bytes, len, ROLE_LOCKBOX, &role, e)) …
 *     if (!role_verify(role, &ring, &grant, &flaws)) …  // not signed as the standard asks: do not interpret
 *     …
 *     role_delete(role);
 *
 * A role refers to the caller's bytes, which must outlive it.
 */
#ifndef AIRLOCK_UPTANE_ROLE_H
#define AIRLOCK_UPTANE_ROLE_H

#include "base/json.h"
#include "crypto/hash.h"
#include "uptane/flaw.h"
#include "uptane/keyring.h"

enum role_type { ROLE_ROOT, ROLE_SNAPSHOT, ROLE_TARGETS, ROLE_OFFLINE_SNAPSHOT, ROLE_LOCKBOX };

#define ROLE_SIGNATURES_MAX                                                                                  \
    1000 /* the device's limit for a threshold; bounds the time of one hostile file                          \
          */

struct role {
    struct json doc;
    struct json_value body, signatures;
    enum role_type type;
    int64_t version; /* 1 to INT32_MAX */
    int64_t expires;
    size_t len;
};

/* The name of the role in a root's "roles": "offline-snapshot". */
const char *role_type_name(enum role_type type);

/* Strict JSON of the right "_type", with version, expires and well-formed signatures. Errors: those of
 * json_parse(), ERR_BAD_ROLE, ERR_WRONG_ROLE_TYPE. */
must_check int role_parse(const void *bytes, size_t len, enum role_type type, struct role **ret,
                          struct err *e);
void role_delete(struct role *role);

/* Counts the signatures by keys that the grant names. True when the threshold is met by the standard; flaws
 * say what is missing, and for what the device refuses although the standard does not (an unknown method or
 * key type, a form of text or number over which the device's client finds no valid signature). */
bool role_verify(const struct role *role, const struct keyring *ring, const struct grant *grant,
                 struct flaws *flaws);

/* Adds a flaw when `now` has reached the date. The standard wants now < expires; the device still takes a
 * role in the second at which it expires. Returns whether it is past. */
bool role_check_date(const struct role *role, int64_t now, const char *renew, struct flaws *flaws);

#endif
