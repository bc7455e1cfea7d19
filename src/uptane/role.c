/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/role.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "crypto/canonical.h"

#define SHOWN(len) (int)((len) < 64 ? (len) : 64)

static const struct {
    const char *type; /* of "_type" */
    const char *name; /* in a root */
} types[] = {
    [ROLE_ROOT] = {"Root", "root"},
    [ROLE_SNAPSHOT] = {"Snapshot", "snapshot"},
    [ROLE_TARGETS] = {"Targets", "targets"},
    [ROLE_OFFLINE_SNAPSHOT] = {"Offline-Snapshot", "offline-snapshot"},
    [ROLE_LOCKBOX] = {"Offline-Updates", "offline-updates"},
};

const char *role_type_name(enum role_type type)
{
    return types[type].name;
}

static int check_signatures(struct json_value signatures, struct err *e)
{
    size_t n = json_count(signatures);
    if (n > ROLE_SIGNATURES_MAX)
        return err_set(e, ERR_BAD_ROLE, "%zu signatures, at most %d are read", n, ROLE_SIGNATURES_MAX);
    for (size_t i = 0; i < n; i++) {
        struct json_value one = json_at(signatures, i), field;
        if (!json_get_typed(one, "keyid", JSON_STRING, &field) ||
            !json_get_typed(one, "method", JSON_STRING, &field) ||
            !json_get_typed(one, "sig", JSON_STRING, &field))
            return err_set(e, ERR_BAD_ROLE, "signature %zu lacks keyid, method or sig", i + 1);
    }
    return 0;
}

static int parse_body(struct role *role, struct err *e)
{
    struct json_value type, version, expires;
    size_t len;
    if (!json_get_typed(role->body, "_type", JSON_STRING, &type))
        return err_set(e, ERR_BAD_ROLE, "it has no _type");
    if (!json_string_equals(type, types[role->type].type)) {
        const char *text = json_string(type, &len);
        return err_set(e, ERR_WRONG_ROLE_TYPE, "it is of type '%.*s', its place asks for '%s'", SHOWN(len),
                       text, types[role->type].type);
    }
    if (!json_get(role->body, "version", &version) || !json_integer(version, 1, INT32_MAX, &role->version))
        return err_set(e, ERR_BAD_ROLE, "its version is not a whole number from 1 to %d", INT32_MAX);
    const char *date = json_get(role->body, "expires", &expires) ? json_string(expires, &len) : NULL;
    if (!date || !clock_parse_role(date, len, &role->expires))
        return err_set(e, ERR_BAD_ROLE, "its expires is not a time written as YYYY-MM-DDTHH:MM:SSZ");
    return 0;
}

int role_parse(const void *bytes, size_t len, enum role_type type, struct role **ret, struct err *e)
{
    struct role *role = mem_zeroed(1, sizeof *role);
    role->type = type;
    role->len = len;
    int rc = json_parse(&role->doc, bytes, len, &json_role_limits, e);
    if (rc == 0) {
        struct json_value root = json_root(&role->doc);
        if (!json_get_typed(root, "signed", JSON_OBJECT, &role->body) ||
            !json_get_typed(root, "signatures", JSON_ARRAY, &role->signatures))
            rc = err_set(e, ERR_BAD_ROLE, "it is not an object with \"signed\" and \"signatures\"");
    }
    if (rc || check_signatures(role->signatures, e) || parse_body(role, e)) {
        role_delete(role);
        return -1;
    }
    *ret = role;
    return 0;
}

void role_delete(struct role *role)
{
    if (!role)
        return;
    json_free(&role->doc);
    free(role);
}

/* What the signatures amount to, for the standard and for the device. */
struct tally {
    struct buf cloud, device; /* canonical forms of "signed"; device stays empty where the two are equal */
    int64_t standard, on_device;
    const char *bad_key; /* a trusted key whose signature does not match */
    size_t bad_key_len;
    bool odd_method;
    bool repeated;
};

static void tally_free(struct tally *tally)
{
    buf_free(&tally->cloud);
    buf_free(&tally->device);
}

static const char *text_of(struct json_value object, const char *field, size_t *ret_len)
{
    struct json_value value;
    return json_get(object, field, &value) ? json_string(value, ret_len) : NULL;
}

static bool stands_before(const struct role *role, size_t index, const char *keyid, size_t len)
{
    for (size_t i = 0; i < index; i++) {
        size_t other_len;
        const char *other = text_of(json_at(role->signatures, i), "keyid", &other_len);
        if (len == other_len && !memcmp(other, keyid, len))
            return true;
    }
    return false;
}

static bool device_knows_method(const char *method, size_t len)
{
    static const char *const known[] = {"rsassa-pss", "rsassa-pss-sha256", "ed25519"};
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (len == strlen(known[i]) && !strncasecmp(method, known[i], len))
            return true;
    return false;
}

/* One signature by a key that the grant names. */
static void count_signature(struct tally *tally, const struct key *key, struct json_value one)
{
    size_t method_len, sig_len;
    const char *method = text_of(one, "method", &method_len), *sig = text_of(one, "sig", &sig_len);
    bool over_cloud = pubkey_verify(key->pubkey, tally->cloud.data, tally->cloud.len, sig, sig_len);
    bool over_device = over_cloud;
    if (tally->device.len)
        over_device = pubkey_verify(key->pubkey, tally->device.data, tally->device.len, sig, sig_len);
    if ((over_cloud || over_device) && pubkey_knows_method(key->pubkey, method, method_len)) {
        tally->standard++;
    } else {
        tally->bad_key = key->id;
        tally->bad_key_len = key->id_len;
    }
    if (over_device && key_device_knows(key))
        tally->on_device++;
}

static void count_signatures(struct tally *tally, const struct role *role, const struct keyring *ring,
                             const struct grant *grant)
{
    for (size_t i = 0, n = json_count(role->signatures); i < n; i++) {
        struct json_value one = json_at(role->signatures, i);
        size_t id_len, method_len;
        const char *id = text_of(one, "keyid", &id_len), *method = text_of(one, "method", &method_len);
        if (stands_before(role, i, id, id_len))
            tally->repeated = true;
        tally->odd_method |= !device_knows_method(method, method_len);
        const struct key *key = keyring_find(ring, id, id_len);
        if (key && key->pubkey && grant_names(grant, id, id_len))
            count_signature(tally, key, one);
    }
}

/* The first key of the grant that did not sign; NULL where all did (with keys that are not known). */
static const char *find_missing(const struct role *role, const struct grant *grant, size_t *ret_len)
{
    size_t signatures = json_count(role->signatures);
    for (size_t i = 0, n = json_count(grant->keyids); i < n; i++) {
        const char *id = json_string(json_at(grant->keyids, i), ret_len);
        if (!stands_before(role, signatures, id, *ret_len))
            return id;
    }
    return NULL;
}

static void explain_missing(const struct role *role, const struct tally *tally, const struct grant *grant,
                            struct flaws *flaws)
{
    size_t len = 0;
    const char *missing = find_missing(role, grant, &len);
    flaws_add(flaws, ERR_THRESHOLD_NOT_MET, true, true,
              "version %lld has %lld valid signatures by trusted keys and needs %lld%s%.*s%s",
              (long long)role->version, (long long)tally->standard, (long long)grant->threshold,
              missing ? "; key " : "", SHOWN(len), missing ? missing : "", missing ? " did not sign" : "");
}

/* What is not signed as the standard asks is not read any further, so it counts as refused by the device too,
 * even where its client might count differently. */
static void explain_invalid(const struct role *role, const struct tally *tally, const struct grant *grant,
                            struct flaws *flaws)
{
    long long version = role->version, have = tally->standard, need = grant->threshold;
    if (tally->repeated)
        flaws_add(flaws, ERR_DUPLICATE_SIGNATURE, true, true, "version %lld is signed twice by one key",
                  version);
    else if (tally->bad_key)
        flaws_add(flaws, ERR_BAD_SIGNATURE, true, true,
                  "version %lld: the signature of key %.*s does not match; %lld of %lld needed are valid",
                  version, SHOWN(tally->bad_key_len), tally->bad_key, have, need);
    else
        explain_missing(role, tally, grant, flaws);
}

/* The standard is content; why is the device not? */
static void explain_device(const struct role *role, const struct tally *tally, unsigned oddities,
                           const struct grant *grant, struct flaws *flaws)
{
    long long version = role->version;
    if (tally->odd_method)
        flaws_add(flaws, ERR_UNSUPPORTED_KEY, true, false,
                  "version %lld carries a signature of a method that the device does not know", version);
    if (tally->on_device >= grant->threshold)
        return;
    if (oddities & CANONICAL_NON_ASCII)
        flaws_add(flaws, ERR_NON_ASCII_ROLE, true, false,
                  "version %lld holds text outside ASCII, over which the device finds no valid signature",
                  version);
    else if (oddities & CANONICAL_ODD_NUMBER)
        flaws_add(flaws, ERR_ODD_NUMBER, true, false,
                  "version %lld holds a number that the device prints in another form", version);
    else if (!tally->odd_method)
        flaws_add(flaws, ERR_UNSUPPORTED_KEY, true, false,
                  "version %lld has %lld signatures by keys that the device knows and needs %lld", version,
                  (long long)tally->on_device, (long long)grant->threshold);
}

bool role_verify(const struct role *role, const struct keyring *ring, const struct grant *grant,
                 struct flaws *flaws)
{
    AUTO(tally) struct tally tally = {0};
    unsigned oddities = canonical_oddities(role->body);
    canonical_print(role->body, CANONICAL_CLOUD, &tally.cloud);
    if (oddities)
        canonical_print(role->body, CANONICAL_DEVICE, &tally.device);
    count_signatures(&tally, role, ring, grant);
    bool valid = !tally.repeated && tally.standard >= grant->threshold;
    if (!valid)
        explain_invalid(role, &tally, grant, flaws);
    else
        explain_device(role, &tally, oddities, grant, flaws);
    return valid;
}

bool role_check_date(const struct role *role, int64_t now, const char *renew, struct flaws *flaws)
{
    if (now < role->expires)
        return false;
    char date[CLOCK_TEXT_SIZE];
    clock_format(role->expires, date);
    struct flaw *flaw = flaws_add(flaws, ERR_EXPIRED_ROLE, now > role->expires, true,
                                  "version %lld expired on %s", (long long)role->version, date);
    err_hint(&flaw->why, "%s", renew);
    return true;
}
