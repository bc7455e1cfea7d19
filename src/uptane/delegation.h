/* SPDX-License-Identifier: Apache-2.0
 *
 * The delegations of an image-repository targets role: names of further targets roles, who signs them, and
 * for which target names they speak.
 *
 * As on the device, a path pattern is a shell glob in which '*' also matches '/'. path_hash_prefixes are not
 * supported by the device; a delegation that has only those is never followed.
 */
#ifndef AIRLOCK_UPTANE_DELEGATION_H
#define AIRLOCK_UPTANE_DELEGATION_H

#include "uptane/role.h"

#define DELEGATIONS_MAX 1000       /* of one role; a lockbox has room for a few thousand files in all */
#define DELEGATION_PATHS_MAX 10000 /* bounds the work per target and delegation */

struct delegation {
    char *name; /* safe as a file name without ".json" */
    struct grant grant;
    char **paths;
    size_t path_count;
    size_t path_bytes; /* of all paths together: what it costs to look at them */
    bool terminating;
};

struct delegations {
    struct keyring ring;
    struct delegation *list;
    size_t count;
};

/* Those of a verified targets role (none is fine). ERR_BAD_DELEGATION, ERR_UNSAFE_NAME, ERR_BAD_THRESHOLD,
 * the errors of keyring_parse() and grant_parse(). */
must_check int delegations_parse(const struct role *targets, struct delegations *ret, struct err *e);
void delegations_free(struct delegations *delegations);

bool delegation_matches(const struct delegation *delegation, const char *target_name);

#endif
