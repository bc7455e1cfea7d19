/* SPDX-License-Identifier: Apache-2.0
 *
 * A root: the keys of a repository and which of them sign which role.
 *
 *     struct root *next;
 *     if (root_parse(bytes, len, &next, e)) …
 *     if (!root_follows(next, last, &flaws)) …   // signed by the thresholds of both, version + 1
 *
 * Who walks the chain, and over which files, is the business of check.h.
 */
#ifndef AIRLOCK_UPTANE_ROOT_H
#define AIRLOCK_UPTANE_ROOT_H

#include "uptane/role.h"

struct root {
    struct role *role;
    struct keyring ring;
    struct json_value roles;
};

/* Errors: those of role_parse(), keyring_parse() and of every grant in it; ERR_BAD_ROLE where it does not say
 * who signs roots. */
must_check int root_parse(const void *bytes, size_t len, struct root **ret, struct err *e);
void root_delete(struct root *root);

/* Is it signed by its own threshold of root keys? */
bool root_signs_itself(const struct root *root, struct flaws *flaws);
/* May it take the place of `last` (Uptane standard, "How to check Root metadata")? */
bool root_follows(const struct root *next, const struct root *last, struct flaws *flaws);
/* Do both say the same? (Another signature over the same content is no other root.) */
bool root_equals(const struct root *a, const struct root *b);
/* Who signs roles of this type; false when the root does not know it. */
bool root_grant(const struct root *root, enum role_type type, struct grant *ret);

#endif
