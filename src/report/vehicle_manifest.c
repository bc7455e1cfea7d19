/* SPDX-License-Identifier: Apache-2.0 */
#include "report/vehicle_manifest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "crypto/canonical.h"
#include "usb-tools/update_logs.h"

/* Its form nests 8 deep; `custom` may hold more. Nodes: one for every 10 bytes. */
static const struct json_limits limits = {UPDATE_MANIFEST_MAX, 32, 100000};

#define SIGNATURES_MAX 8u

static int check_signatures(struct json_value v, const char *serial, const struct ecu_keys *keys,
                            enum manifest_trust *ret, struct err *e);
static int read_ecus(struct json_value versions, const struct ecu_keys *keys, struct vehicle_manifest *m,
                     struct err *e);
static int read_report(struct json_value what, struct vehicle_manifest *m, struct err *e);

static int fail(struct err *e, const char *field)
{
    return err_set(e, ERR_BAD_VEHICLE_MANIFEST, "'%s' is not there or not of its form", field);
}

/* The text of a member, of at most max bytes. */
static int get_text(struct json_value v, const char *key, size_t max, char **ret, struct err *e)
{
    struct json_value field;
    size_t len;
    if (!json_get_typed(v, key, JSON_STRING, &field) || !json_string(field, &len) || len > max)
        return fail(e, key);
    *ret = json_string_copy(field);
    return 0;
}

/* The same for what is only shown: cut where a character ends, and "" where it is not there. */
static char *get_shown(struct json_value v, const char *key)
{
    struct json_value field;
    size_t len;
    const char *text = json_get(v, key, &field) ? json_string(field, &len) : NULL;
    if (!text)
        return mem_strdup("");
    if (len > MANIFEST_TEXT_MAX)
        for (len = MANIFEST_TEXT_MAX; (text[len] & 0xc0) == 0x80;)
            len--;
    return mem_strndup(text, len);
}

static int read_signed(struct json_value root, const struct ecu_keys *keys, struct vehicle_manifest *m,
                       struct err *e)
{
    struct json_value what, versions;
    if (!json_get_typed(root, "signed", JSON_OBJECT, &what))
        return fail(e, "signed");
    if (get_text(what, "primary_ecu_serial", ECU_SERIAL_MAX, &m->serial, e) ||
        check_signatures(root, m->serial, keys, &m->trust, e))
        return -1;
    if (!json_get_typed(what, "ecu_version_manifests", JSON_OBJECT, &versions))
        return fail(e, "ecu_version_manifests");
    return read_ecus(versions, keys, m, e) || read_report(what, m, e) ? -1 : 0;
}

int vehicle_manifest_read(const void *bytes, size_t len, const struct ecu_keys *keys,
                          struct vehicle_manifest *ret, struct err *e)
{
    AUTO(json) struct json doc = {0};
    AUTO(vehicle_manifest) struct vehicle_manifest m = {.counter = -1};
    if (json_parse(&doc, bytes, len, &limits, e)) {
        e->id = ERR_BAD_VEHICLE_MANIFEST;
        return -1;
    }
    if (read_signed(json_root(&doc), keys, &m, e))
        return -1;
    hash_of(bytes, len, m.sha256);
    *ret = m;
    m = (struct vehicle_manifest){0};
    return 0;
}

static void free_result(struct manifest_result *result)
{
    free(result->code);
    free(result->description);
}

void vehicle_manifest_free(struct vehicle_manifest *m)
{
    for (size_t i = 0; i < m->ecu_count; i++) {
        free(m->ecus[i].serial);
        free(m->ecus[i].image);
        free(m->ecus[i].attacks);
        free_result(&m->ecus[i].result);
    }
    free(m->ecus);
    free(m->serial);
    free(m->correlation);
    free_result(&m->result);
    *m = (struct vehicle_manifest){0};
}

const char *manifest_trust_text(enum manifest_trust trust)
{
    static const char *const texts[] = {"verified", "signed by an unknown key", "unverified",
                                        "signature does not match"};
    return texts[trust];
}

/* ---- signatures ---- */

struct signature {
    char *key_id, *method, *sig;
};

static void signature_free(struct signature *s)
{
    free(s->key_id);
    free(s->method);
    free(s->sig);
    *s = (struct signature){0};
}

static int read_signature(struct json_value v, struct signature *ret, struct err *e)
{
    return get_text(v, "keyid", ECU_SERIAL_MAX, &ret->key_id, e) ||
                   get_text(v, "method", 64, &ret->method, e) ||
                   get_text(v, "sig", 2 * PUBKEY_RSA_MAX_BITS / 8, &ret->sig, e)
               ? -1
               : 0;
}

/* The client signs its own canonical form; that of the cloud is taken as well, since both say the same. */
static bool is_signed_by(const struct ecu_key *key, struct json_value what, const struct signature *s)
{
    static const enum canonical_form forms[] = {CANONICAL_DEVICE, CANONICAL_CLOUD};
    if (!pubkey_knows_method(key->key, s->method, strlen(s->method)))
        return false;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        AUTO(buf) struct buf message = {0};
        canonical_print(what, forms[i], &message);
        if (pubkey_verify(key->key, message.data, message.len, s->sig, strlen(s->sig)))
            return true;
    }
    return false;
}

/* One signature against every key of the serial. Without one, a signature that names the serial as its key is
 * as a stock device makes it. The key id decides nothing but the word for what is not verified. */
static enum manifest_trust judge(const struct signature *s, struct json_value what, const char *serial,
                                 const struct ecu_keys *keys)
{
    bool known = false, named = false;
    for (size_t i = 0; i < keys->count; i++) {
        const struct ecu_key *key = &keys->list[i];
        if (strcmp(key->serial, serial) != 0)
            continue;
        if (is_signed_by(key, what, s))
            return MANIFEST_VERIFIED;
        known = true;
        named = named || !strcasecmp(key->id, s->key_id);
    }
    if (known)
        return named ? MANIFEST_FORGED : MANIFEST_UNKNOWN_KEY;
    return strcasecmp(s->key_id, serial) ? MANIFEST_UNKNOWN_KEY : MANIFEST_UNVERIFIED;
}

/* Is `a` the better thing to know? A good signature counts whatever stands beside it. */
static bool outweighs(enum manifest_trust a, enum manifest_trust b)
{
    static const int weight[] = {[MANIFEST_VERIFIED] = 3,
                                 [MANIFEST_FORGED] = 2,
                                 [MANIFEST_UNVERIFIED] = 1,
                                 [MANIFEST_UNKNOWN_KEY] = 0};
    return weight[a] > weight[b];
}

static int check_signatures(struct json_value v, const char *serial, const struct ecu_keys *keys,
                            enum manifest_trust *ret, struct err *e)
{
    struct json_value list, what;
    enum manifest_trust trust = MANIFEST_UNKNOWN_KEY;
    if (!json_get_typed(v, "signed", JSON_OBJECT, &what))
        return fail(e, "signed");
    if (!json_get_typed(v, "signatures", JSON_ARRAY, &list) || json_count(list) == 0 ||
        json_count(list) > SIGNATURES_MAX)
        return fail(e, "signatures");
    for (size_t i = 0; i < json_count(list); i++) {
        AUTO(signature) struct signature s = {0};
        if (read_signature(json_at(list, i), &s, e))
            return -1;
        enum manifest_trust found = judge(&s, what, serial, keys);
        if (outweighs(found, trust))
            trust = found;
    }
    *ret = trust;
    return 0;
}

/* ---- the ECUs ---- */

/* The client writes a text: "42". -1 where there is none. */
static int read_counter(struct json_value what, int64_t *ret, struct err *e)
{
    struct json_value field;
    size_t len;
    *ret = -1;
    if (!json_get(what, "report_counter", &field))
        return 0;
    const char *text = json_string(field, &len);
    if (!text || len == 0 || len > 18 || strspn(text, "0123456789") < len)
        return fail(e, "report_counter");
    for (*ret = 0; len > 0; len--)
        *ret = 10 * *ret + (*text++ - '0');
    return 0;
}

static int read_image(struct json_value what, struct manifest_ecu *ecu, struct err *e)
{
    struct json_value image, info, hashes, sha256;
    uint8_t digest[HASH_SIZE];
    size_t len;
    if (!json_get_typed(what, "installed_image", JSON_OBJECT, &image) ||
        !json_get_typed(image, "fileinfo", JSON_OBJECT, &info) ||
        !json_get_typed(info, "hashes", JSON_OBJECT, &hashes) || !json_get(hashes, "sha256", &sha256))
        return fail(e, "installed_image");
    const char *text = json_string(sha256, &len);
    if (!text || len != HASH_HEX_SIZE - 1 || !hex_decode(text, len, digest, sizeof digest))
        return fail(e, "sha256");
    hash_hex(digest, ecu->sha256);
    return get_text(image, "filepath", MANIFEST_TEXT_MAX, &ecu->image, e);
}

static int read_ecu(struct json_value v, const char *serial, size_t serial_len, const struct ecu_keys *keys,
                    struct vehicle_manifest *m, struct err *e)
{
    struct manifest_ecu *ecu = &m->ecus[m->ecu_count++];
    struct json_value what;
    int64_t counter;
    if (!json_get_typed(v, "signed", JSON_OBJECT, &what))
        return fail(e, "signed");
    if (get_text(what, "ecu_serial", ECU_SERIAL_MAX, &ecu->serial, e))
        return -1;
    if (strlen(ecu->serial) != serial_len || memcmp(ecu->serial, serial, serial_len) != 0)
        return err_set(e, ERR_BAD_VEHICLE_MANIFEST, "an ECU's manifest stands under another one's serial");
    ecu->attacks = get_shown(what, "attacks_detected");
    if (check_signatures(v, ecu->serial, keys, &ecu->trust, e) || read_image(what, ecu, e) ||
        read_counter(what, &counter, e))
        return -1;
    if (!strcmp(ecu->serial, m->serial))
        m->counter = counter;
    return 0;
}

static int read_ecus(struct json_value versions, const struct ecu_keys *keys, struct vehicle_manifest *m,
                     struct err *e)
{
    size_t count = json_count(versions);
    if (count > MANIFEST_ECUS_MAX)
        return err_set(e, ERR_BAD_VEHICLE_MANIFEST, "it names %zu ECUs, %u are read", count,
                       MANIFEST_ECUS_MAX);
    m->ecus = mem_zeroed(count, sizeof *m->ecus);
    for (size_t i = 0; i < count; i++) {
        size_t len;
        const char *serial = json_key_at(versions, i, &len);
        if (read_ecu(json_at(versions, i), serial, len, keys, m, e))
            return err_context(e, "ECU %zu", i + 1);
    }
    return 0;
}

/* ---- the result ---- */

static int read_result(struct json_value v, struct manifest_result *ret, struct err *e)
{
    struct json_value result, success;
    bool good;
    if (!json_get_typed(v, "result", JSON_OBJECT, &result) || !json_get(result, "success", &success) ||
        !json_bool(success, &good))
        return fail(e, "result");
    if (get_text(result, "code", 128, &ret->code, e))
        return -1;
    ret->description = get_shown(result, "description");
    ret->outcome = good ? MANIFEST_INSTALLED : MANIFEST_FAILED;
    if (!strcmp(ret->code, "NEED_COMPLETION"))
        ret->outcome = MANIFEST_PENDING;
    return 0;
}

static struct manifest_ecu *find_ecu(struct vehicle_manifest *m, const char *serial)
{
    for (size_t i = 0; i < m->ecu_count; i++)
        if (!strcmp(m->ecus[i].serial, serial))
            return &m->ecus[i];
    return NULL;
}

static int read_items(struct json_value report, struct vehicle_manifest *m, struct err *e)
{
    struct json_value items;
    if (!json_get_typed(report, "items", JSON_ARRAY, &items))
        return fail(e, "items");
    for (size_t i = 0; i < json_count(items); i++) {
        AUTO_FREE char *serial = NULL;
        if (get_text(json_at(items, i), "ecu", ECU_SERIAL_MAX, &serial, e))
            return -1;
        struct manifest_ecu *ecu = find_ecu(m, serial);
        if (!ecu || ecu->result.code)
            return err_set(e, ERR_BAD_VEHICLE_MANIFEST,
                           "the results name an ECU twice, or one that is not there");
        if (read_result(json_at(items, i), &ecu->result, e))
            return -1;
    }
    return 0;
}

static int read_report(struct json_value what, struct vehicle_manifest *m, struct err *e)
{
    struct json_value outer, report;
    if (!json_get(what, "installation_report", &outer) || json_type(outer) == JSON_NULL)
        return 0;
    if (!json_get_typed(outer, "report", JSON_OBJECT, &report))
        return fail(e, "report");
    return get_text(report, "correlation_id", MANIFEST_TEXT_MAX, &m->correlation, e) ||
                   read_result(report, &m->result, e) || read_items(report, m, e)
               ? -1
               : 0;
}
