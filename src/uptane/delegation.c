/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/delegation.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/name.h"

/* A name that becomes "<name>.json" beside the fixed roles. */
static int check_name(const char *name, struct err *e)
{
    static const char *const fixed[] = {"root",      "targets",          "snapshot",
                                        "timestamp", "offline-snapshot", "offline-updates"};
    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        if (!strcasecmp(name, fixed[i]))
            return err_set(e, ERR_BAD_DELEGATION, "a delegation has the name '%s' of a fixed role", name);
    return name_check_role(name, e);
}

static int read_paths(struct json_value v, struct delegation *d, struct err *e)
{
    struct json_value paths;
    if (!json_get(v, "paths", &paths)) {
        if (json_get_typed(v, "path_hash_prefixes", JSON_ARRAY, &paths))
            return 0;
        return err_set(e, ERR_BAD_DELEGATION, "delegation '%s' has no paths", d->name);
    }
    size_t n = json_count(paths);
    if (json_type(paths) != JSON_ARRAY || n > DELEGATION_PATHS_MAX)
        return err_set(e, ERR_BAD_DELEGATION, "the paths of delegation '%s' are no array of at most %d",
                       d->name, DELEGATION_PATHS_MAX);
    d->paths = mem_zeroed(n, sizeof *d->paths);
    for (size_t i = 0; i < n; i++) {
        d->paths[i] = json_string_copy(json_at(paths, i));
        if (!d->paths[i])
            return err_set(e, ERR_BAD_DELEGATION, "a path of delegation '%s' is no text", d->name);
        d->path_count++;
        d->path_bytes += strlen(d->paths[i]) + 1;
    }
    return 0;
}

static int read_delegation(struct json_value v, struct delegation *d, struct err *e)
{
    struct json_value name, terminating;
    if (!json_get_typed(v, "name", JSON_STRING, &name))
        return err_set(e, ERR_BAD_DELEGATION, "a delegation without a name");
    d->name = json_string_copy(name);
    if (check_name(d->name, e) || grant_parse(v, d->name, &d->grant, e))
        return -1;
    if (json_get(v, "terminating", &terminating) && !json_bool(terminating, &d->terminating))
        return err_set(e, ERR_BAD_DELEGATION, "'terminating' of delegation '%s' is not true or false",
                       d->name);
    return read_paths(v, d, e);
}

static int read_list(struct json_value roles, struct delegations *to, struct err *e)
{
    size_t n = json_count(roles);
    if (n > DELEGATIONS_MAX)
        return err_set(e, ERR_BAD_DELEGATION, "%zu delegations, at most %d are read", n, DELEGATIONS_MAX);
    to->list = mem_zeroed(n, sizeof *to->list);
    for (size_t i = 0; i < n; i++) {
        struct delegation *d = &to->list[to->count++];
        if (read_delegation(json_at(roles, i), d, e))
            return -1;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(to->list[j].name, d->name))
                return err_set(e, ERR_BAD_DELEGATION, "two delegations have the name '%s'", d->name);
    }
    return 0;
}

int delegations_parse(const struct role *targets, struct delegations *ret, struct err *e)
{
    struct delegations parsed = {0};
    struct json_value v, keys, roles;
    if (!json_get(targets->body, "delegations", &v) || json_type(v) == JSON_NULL) {
        *ret = parsed;
        return 0;
    }
    if (!json_get_typed(v, "keys", JSON_OBJECT, &keys) || !json_get_typed(v, "roles", JSON_ARRAY, &roles))
        return err_set(e, ERR_BAD_DELEGATION, "its delegations have no keys or no roles");
    if (keyring_parse(keys, &parsed.ring, e) || read_list(roles, &parsed, e)) {
        delegations_free(&parsed);
        return -1;
    }
    *ret = parsed;
    return 0;
}

void delegations_free(struct delegations *delegations)
{
    keyring_free(&delegations->ring);
    for (size_t i = 0; i < delegations->count; i++) {
        struct delegation *d = &delegations->list[i];
        for (size_t j = 0; j < d->path_count; j++)
            free(d->paths[j]);
        free(d->paths);
        free(d->name);
    }
    free(delegations->list);
    *delegations = (struct delegations){0};
}

bool delegation_matches(const struct delegation *delegation, const char *target_name)
{
    for (size_t i = 0; i < delegation->path_count; i++)
        if (fnmatch(delegation->paths[i], target_name, 0) == 0)
            return true;
    return false;
}
