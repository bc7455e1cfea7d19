/* SPDX-License-Identifier: Apache-2.0 */
#include "store/root_mark.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "crypto/canonical.h"

#define ALARM_HINT                                                                                           \
    "nothing that is pinned was changed. Do not use this source: ask the owner of the account, not over "    \
    "this "                                                                                                  \
    "network, whether the keys were replaced, and compare fingerprints. If they really were: log in under "  \
    "a new --profile"

int root_mark_read(const void *bytes, size_t len, struct root_mark *ret, struct err *e)
{
    AUTO(json) struct json doc = {0};
    struct json_value signed_part, version;
    struct root_mark m;
    if (json_parse(&doc, bytes, len, &json_role_limits, e))
        return -1;
    if (!json_get_typed(json_root(&doc), "signed", JSON_OBJECT, &signed_part) ||
        !json_get(signed_part, "version", &version) || !json_integer(version, 1, INT32_MAX, &m.version))
        return err_set(e, ERR_BAD_ROLE, "no root with a version");
    canonical_hash(json_root(&doc), m.fingerprint);
    canonical_hash(signed_part, m.content);
    *ret = m;
    return 0;
}

void root_mark_print(const struct root_mark *m, char ret_text[ROOT_MARK_TEXT])
{
    char hex[HASH_HEX_SIZE];
    hash_hex(m->fingerprint, hex);
    snprintf(ret_text, ROOT_MARK_TEXT, "%" PRId64 ":%s", m->version, hex);
}

bool root_mark_parse(const char *text, struct root_mark *ret)
{
    struct root_mark m = {0};
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 10 || text[0] == '0' || text[digits] != ':' ||
        !hex_decode(text + digits + 1, strlen(text + digits + 1), m.fingerprint, HASH_SIZE))
        return false;
    for (size_t i = 0; i < digits; i++)
        m.version = m.version * 10 + (text[i] - '0');
    if (m.version > INT32_MAX)
        return false;
    *ret = m;
    return true;
}

int root_mark_alarm(enum pin_repo repo, const struct root_mark *pinned, const struct root_mark *served,
                    struct err *e)
{
    char before[HASH_HEX_SIZE], now[HASH_HEX_SIZE];
    hash_hex(pinned->fingerprint, before);
    hash_hex(served->fingerprint, now);
    err_set(e, ERR_ROOT_CHANGED,
            "the roots of the %s were exchanged! %s/%" PRId64
            ".root.json is not the one that is trusted here. Trusted: version %" PRId64
            ", fingerprint %s. Served: version %" PRId64 ", fingerprint %s",
            pin_repo_title(repo), pin_repo_metadata(repo), pinned->version, pinned->version, before,
            served->version, now);
    return err_hint(e, ALARM_HINT);
}

int root_mark_alarm_gone(enum pin_repo repo, const struct root_mark *seen, const struct root_mark *served,
                         struct err *e)
{
    char before[HASH_HEX_SIZE], now[HASH_HEX_SIZE];
    AUTO_FREE char *left = NULL;
    hash_hex(seen->fingerprint, before);
    if (served) {
        hash_hex(served->fingerprint, now);
        left =
            mem_format(". Newest that is served: version %" PRId64 ", fingerprint %s", served->version, now);
    }
    err_set(e, ERR_ROLLBACK,
            "the roots of the %s went back! %s/%" PRId64
            ".root.json is trusted here and not served any more. Trusted: version %" PRId64
            ", fingerprint %s%s",
            pin_repo_title(repo), pin_repo_metadata(repo), seen->version, seen->version, before,
            left ? left : "");
    return err_hint(e, ALARM_HINT);
}
