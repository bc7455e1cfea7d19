/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/root.h"

#include <string.h>

#include "base/mem.h"
#include "crypto/canonical.h"

static int check_grants(struct json_value roles, struct err *e)
{
    for (size_t i = 0, n = json_count(roles); i < n; i++) {
        size_t len;
        const char *key = json_key_at(roles, i, &len);
        AUTO_FREE char *name = mem_strndup(key, len);
        struct grant grant;
        if (grant_parse(json_at(roles, i), name, &grant, e))
            return -1;
    }
    return 0;
}

static int parse_body(struct root *root, struct err *e)
{
    struct json_value keys, own;
    if (!json_get_typed(root->role->body, "keys", JSON_OBJECT, &keys) ||
        !json_get_typed(root->role->body, "roles", JSON_OBJECT, &root->roles))
        return err_set(e, ERR_BAD_ROLE, "a root without keys or roles");
    if (!json_get(root->roles, role_type_name(ROLE_ROOT), &own))
        return err_set(e, ERR_BAD_ROLE, "a root that does not say who signs roots");
    if (check_grants(root->roles, e))
        return -1;
    return keyring_parse(keys, &root->ring, e);
}

int root_parse(const void *bytes, size_t len, struct root **ret, struct err *e)
{
    struct root *root = mem_zeroed(1, sizeof *root);
    if (role_parse(bytes, len, ROLE_ROOT, &root->role, e) || parse_body(root, e)) {
        root_delete(root);
        return -1;
    }
    *ret = root;
    return 0;
}

void root_delete(struct root *root)
{
    if (!root)
        return;
    keyring_free(&root->ring);
    role_delete(root->role);
    free(root);
}

static void note_odd_key(const struct root *root, struct flaws *flaws)
{
    if (!root->ring.device_refuses)
        return;
    const struct key *key = &root->ring.keys[root->ring.odd_key];
    flaws_add(flaws, ERR_UNSUPPORTED_KEY, true, false,
              "version %lld holds key %.*s, of a type that the device does not know",
              (long long)root->role->version, (int)(key->id_len < 64 ? key->id_len : 64), key->id);
}

bool root_signs_itself(const struct root *root, struct flaws *flaws)
{
    struct grant own;
    note_odd_key(root, flaws);
    return root_grant(root, ROLE_ROOT, &own) && role_verify(root->role, &root->ring, &own, flaws);
}

bool root_follows(const struct root *next, const struct root *last, struct flaws *flaws)
{
    struct grant before;
    if (next->role->version != last->role->version + 1) {
        flaws_add(flaws, ERR_WRONG_VERSION, true, true, "it is version %lld where version %lld must stand",
                  (long long)next->role->version, (long long)last->role->version + 1);
        return false;
    }
    if (!root_signs_itself(next, flaws))
        return false;
    AUTO(flaws) struct flaws old = {0};
    if (!root_grant(last, ROLE_ROOT, &before))
        return false;
    bool signed_by_old = role_verify(next->role, &last->ring, &before, &old);
    for (size_t i = 0; i < old.count; i++) {
        struct flaw *flaw = flaws_add(flaws, signed_by_old ? old.list[i].why.id : ERR_ROOT_NOT_TRUSTED,
                                      old.list[i].device_refuses, old.list[i].breaks_validity,
                                      "not accepted by the keys of version %lld: %s",
                                      (long long)last->role->version, old.list[i].why.message);
        err_hint(&flaw->why, "do not use this source; ask the owner of the account");
    }
    return signed_by_old;
}

bool root_equals(const struct root *a, const struct root *b)
{
    uint8_t of_a[HASH_SIZE], of_b[HASH_SIZE];
    canonical_hash(a->role->body, of_a);
    canonical_hash(b->role->body, of_b);
    return !memcmp(of_a, of_b, HASH_SIZE);
}

bool root_grant(const struct root *root, enum role_type type, struct grant *ret)
{
    struct json_value v;
    struct err unused;
    return json_get(root->roles, role_type_name(type), &v) &&
           grant_parse(v, role_type_name(type), ret, &unused) == 0;
}
