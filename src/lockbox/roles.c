/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/roles.h"

int roles_from_store(const struct store *s, const struct record *r, struct roles *ret, struct err *e)
{
    AUTO(roles) struct roles roles = {0};
    for (size_t i = 0; i < r->role_count; i++) {
        AUTO(buf) struct buf bytes = {0};
        if (store_get(s, r->roles[i].sha256, ROLE_BYTES_MAX, &bytes, e) ||
            roles_add(&roles, r->roles[i].path, &bytes, e))
            return err_context(e, "'%s'", r->roles[i].path);
    }
    *ret = roles;
    roles = (struct roles){0};
    return 0;
}
