/* SPDX-License-Identifier: Apache-2.0 */
#include "report/revision.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/name.h"
#include "crypto/canonical.h"
#include "store/record.h"
#include "usb-tools/update_logs.h"

#define DIGITS 12 /* of the hash, in a correlation id */

/* The hash that the offline snapshot has of the role: over its canonical form. */
static bool hash_role(const struct store *s, const struct record *r, uint8_t ret[HASH_SIZE])
{
    AUTO_FREE char *path = mem_format("director/%s.json", r->lockbox);
    AUTO(buf) struct buf bytes = {0};
    AUTO(json) struct json doc = {0};
    struct err ignored;
    for (size_t i = 0; i < r->role_count; i++) {
        if (strcmp(r->roles[i].path, path) != 0)
            continue;
        if (store_get(s, r->roles[i].sha256, json_role_limits.bytes, &bytes, &ignored) ||
            json_parse(&doc, bytes.data, bytes.len, &json_role_limits, &ignored))
            return false;
        canonical_hash(json_root(&doc), ret);
        return true;
    }
    return false;
}

enum revision revision_compare(const struct store *s, const char *profile, const char *correlation)
{
    AUTO(record) struct record r = {0};
    AUTO_FREE char *lockbox = NULL;
    uint8_t digest[HASH_SIZE];
    char hex[HASH_HEX_SIZE];
    int64_t version;
    struct err ignored;
    if (s->cache_fd < 0 || !correlation || !update_logs_split_urn(correlation, &lockbox, &version) ||
        name_check_role(lockbox, &ignored) || record_load(s, profile, lockbox, &r, &ignored) ||
        r.version != version || !hash_role(s, &r, digest))
        return REVISION_UNKNOWN;
    hash_hex(digest, hex);
    return strncmp(strrchr(correlation, ':') + 1, hex, DIGITS) ? REVISION_OTHER : REVISION_SAME;
}
