/* SPDX-License-Identifier: Apache-2.0
 *
 * Until when a lockbox is good, which of its roles ends first, and who can renew that one: the same words in
 * every answer that has such a date.
 */
#ifndef AIRLOCK_CLI_EXPIRY_H
#define AIRLOCK_CLI_EXPIRY_H

#include <stdint.h>

struct cJSON;

struct expiry {
    int64_t until;       /* INT64_MAX: nothing is known, and nothing printed */
    const char *role;    /* "director/offline-snapshot.json" …; NULL only with INT64_MAX */
    const char *lockbox; /* NULL: unknown */
};

/* The lines "valid until" and "to renew". */
void expiry_print(const struct expiry *x, int64_t now);
/* "valid_until", "valid_until_role" and "valid_until_renewal". */
void expiry_add_json(const struct expiry *x, struct cJSON *to);
/* On stderr, also with -q, where few days are left. */
void expiry_warn(const struct expiry *x, int64_t now);

#endif
