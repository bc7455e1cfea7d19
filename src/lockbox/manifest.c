/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/manifest.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "crypto/canonical.h"

void manifest_account(const struct roles *roles, char ret[ACCOUNT_TEXT_SIZE])
{
    long lowest = 0;
    snprintf(ret, ACCOUNT_TEXT_SIZE, "000000");
    for (size_t i = 0; i < roles->count; i++) {
        long version;
        int end = 0;
        struct err ignored;
        AUTO(json) struct json doc = {0};
        const struct verdict_file *f = &roles->files[i];
        if (sscanf(f->path, "director/%9ld.root.json%n", &version, &end) != 1 || f->path[end] || !end ||
            (lowest && version >= lowest) || json_parse(&doc, f->bytes, f->len, &json_role_limits, &ignored))
            continue;
        uint8_t digest[HASH_SIZE];
        char hex[HASH_HEX_SIZE];
        canonical_hash(json_root(&doc), digest);
        hash_hex(digest, hex);
        snprintf(ret, ACCOUNT_TEXT_SIZE, "%.6s", hex);
        lowest = version;
    }
}

static void add_time(cJSON *to, const char *key, int64_t time)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(time, text);
    cJSON_AddStringToObject(to, key, text);
}

static void add_hash(cJSON *to, const uint8_t sha256[HASH_SIZE])
{
    char hex[HASH_HEX_SIZE];
    hash_hex(sha256, hex);
    cJSON_AddStringToObject(to, "sha256", hex);
}

static void add_roles(cJSON *root, const struct verdict *v)
{
    cJSON *list = cJSON_AddArrayToObject(root, "roles");
    for (size_t i = 0; i < v->role_count; i++) {
        const struct verdict_role *r = &v->roles[i];
        cJSON *role = cJSON_CreateObject();
        cJSON_AddStringToObject(role, "path", r->path);
        cJSON_AddNumberToObject(role, "version", (double)r->version);
        add_time(role, "expires", r->expires);
        add_hash(role, r->sha256);
        cJSON_AddItemToArray(list, role);
    }
}

static cJSON *make_target(const struct verdict_target *t)
{
    cJSON *target = cJSON_CreateObject();
    cJSON_AddStringToObject(target, "name", t->name);
    if (t->package_name)
        cJSON_AddStringToObject(target, "package", t->package_name);
    if (t->package_version)
        cJSON_AddStringToObject(target, "version", t->package_version);
    cJSON_AddStringToObject(target, "format", t->is_ostree ? "OSTREE" : "BINARY");
    cJSON_AddNumberToObject(target, "size", (double)t->length);
    add_hash(target, t->sha256);
    cJSON *ids = cJSON_AddArrayToObject(target, "hardware_ids");
    for (size_t i = 0; i < t->hardware_id_count; i++)
        cJSON_AddItemToArray(ids, cJSON_CreateString(t->hardware_ids[i]));
    return target;
}

static void add_loan(cJSON *list, const struct bundle_loan *loan)
{
    char hex[2 * sizeof loan->id + 1];
    cJSON *need = cJSON_CreateObject();
    hex_encode(loan->id, sizeof loan->id, hex);
    cJSON_AddStringToObject(need, "volume", hex);
    cJSON_AddStringToObject(need, "file", loan->file);
    cJSON_AddItemToArray(list, need);
}

/* The device must have one of the commits, and the folder all volumes. */
static void add_needs(cJSON *root, const struct needs *needs, const struct bundle_loans *loans)
{
    cJSON *list = cJSON_AddArrayToObject(root, "needs");
    for (size_t i = 0; loans && i < bundle_loans_count(loans); i++) {
        struct bundle_loan loan = bundle_loans_at(loans, i);
        add_loan(list, &loan);
    }
    for (size_t i = 0; i < needs->count; i++) {
        char hex[HASH_HEX_SIZE];
        cJSON *need = cJSON_CreateObject();
        hash_hex(needs->commits[i], hex);
        cJSON_AddStringToObject(need, "ostree_commit", hex);
        cJSON_AddItemToArray(list, need);
    }
}

static void add_sizes(cJSON *root, const struct roles *roles, uint64_t images)
{
    cJSON *sizes = cJSON_AddObjectToObject(root, "sizes");
    cJSON_AddNumberToObject(sizes, "metadata", (double)roles->total);
    cJSON_AddNumberToObject(sizes, "images", (double)images);
}

char *manifest_make(const struct verdict *v, const struct roles *roles, const struct needs *needs,
                    const struct bundle_loans *loans, uint64_t images)
{
    char account[ACCOUNT_TEXT_SIZE];
    manifest_account(roles, account);
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "format", "airlock-lockbox");
    cJSON_AddStringToObject(root, "format_version", "1.0");
    cJSON *features = cJSON_AddArrayToObject(root, "features");
    if (loans)
        cJSON_AddItemToArray(features, cJSON_CreateString("shared-content"));
    cJSON_AddStringToObject(root, "lockbox", v->lockbox);
    cJSON_AddNumberToObject(root, "version", (double)v->lockbox_version);
    cJSON_AddStringToObject(root, "account", account);
    cJSON_AddStringToObject(root, "correlation_id", v->correlation_id);
    add_time(root, "valid_until", v->valid_until);
    cJSON_AddStringToObject(root, "valid_until_role", v->valid_until_role);
    add_roles(root, v);
    cJSON *targets = cJSON_AddArrayToObject(root, "targets");
    for (size_t i = 0; i < v->target_count; i++)
        cJSON_AddItemToArray(targets, make_target(&v->targets[i]));
    add_needs(root, needs, loans);
    add_sizes(root, roles, images);
    cJSON_AddStringToObject(root, "made_by", "airlock " AIRLOCK_VERSION);
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    return text;
}
