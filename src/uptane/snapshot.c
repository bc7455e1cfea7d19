/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/snapshot.h"

#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "crypto/canonical.h"

#define SUFFIX ".json"
#define SHOWN(len) (int)((len) < 64 ? (len) : 64)

static int read_hash(struct json_value hashes, const char *kind, uint8_t *ret, size_t size, bool *ret_has)
{
    struct json_value value;
    size_t len;
    *ret_has = false;
    if (!json_get(hashes, kind, &value))
        return 0;
    const char *text = json_string(value, &len);
    if (!text || !hex_decode(text, len, ret, size))
        return -1;
    *ret_has = true;
    return 0;
}

/* NULL, or what is wrong with it. */
static const char *read_entry(struct json_value v, struct snapshot_entry *entry)
{
    struct json_value field;
    if (!json_get(v, "version", &field) || !json_integer(field, 1, INT32_MAX, &entry->version))
        return "has no version";
    entry->length = -1;
    if (json_get(v, "length", &field) && !json_integer(field, 0, INT64_MAX, &entry->length))
        return "has a length that is no whole number";
    if (json_get(v, "hashes", &field)) {
        if (json_type(field) != JSON_OBJECT ||
            read_hash(field, "sha256", entry->sha256, HASH_SIZE, &entry->has_sha256) ||
            read_hash(field, "sha512", entry->sha512, HASH_512_SIZE, &entry->has_sha512))
            return "has hashes of wrong form";
    }
    return NULL;
}

static const char *read_name(const char *file, size_t len, struct snapshot_entry *entry)
{
    static const char *const fixed[] = {"root",      "targets",          "snapshot",
                                        "timestamp", "offline-snapshot", "offline-updates"};
    entry->file = file;
    entry->file_len = len;
    if (len <= strlen(SUFFIX) || memcmp(file + len - strlen(SUFFIX), SUFFIX, strlen(SUFFIX)) != 0)
        return "does not end in .json";
    entry->name_len = len - strlen(SUFFIX);
    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        if (entry->name_len == strlen(fixed[i]) && !strncasecmp(file, fixed[i], entry->name_len) &&
            memcmp(file, fixed[i], entry->name_len) != 0)
            return "is the name of a fixed role in other letter case";
    return NULL;
}

static bool meta_of(const struct role *snapshot, struct json_value *ret)
{
    return json_get_typed(snapshot->body, "meta", JSON_OBJECT, ret);
}

int snapshot_check(const struct role *snapshot, struct err *e)
{
    struct json_value meta;
    if (!meta_of(snapshot, &meta))
        return err_set(e, ERR_BAD_ROLE, "a snapshot without meta");
    for (size_t i = 0, n = json_count(meta); i < n; i++) {
        struct snapshot_entry entry = {0};
        size_t len;
        const char *file = json_key_at(meta, i, &len);
        const char *fault = read_name(file, len, &entry);
        if (!fault)
            fault = read_entry(json_at(meta, i), &entry);
        if (fault)
            return err_set(e, ERR_BAD_ROLE, "its entry '%.*s' %s", SHOWN(len), file, fault);
    }
    return 0;
}

size_t snapshot_count(const struct role *snapshot)
{
    struct json_value meta;
    return meta_of(snapshot, &meta) ? json_count(meta) : 0;
}

static void load(struct json_value v, const char *file, size_t len, struct snapshot_entry *ret)
{
    *ret = (struct snapshot_entry){0};
    read_name(file, len, ret);
    read_entry(v, ret);
}

void snapshot_at(const struct role *snapshot, size_t i, struct snapshot_entry *ret)
{
    struct json_value meta;
    size_t len;
    if (!meta_of(snapshot, &meta))
        return;
    const char *file = json_key_at(meta, i, &len);
    load(json_at(meta, i), file, len, ret);
}

bool snapshot_find(const struct role *snapshot, const char *file, struct snapshot_entry *ret)
{
    struct json_value meta, v;
    if (!meta_of(snapshot, &meta) || !json_get(meta, file, &v))
        return false;
    load(v, file, strlen(file), ret);
    return true;
}

struct digest {
    struct buf text;
    uint8_t sha256[HASH_SIZE], sha512[HASH_512_SIZE];
};

static void digest_free(struct digest *d)
{
    buf_free(&d->text);
}

static void digest_make(const struct role *role, enum canonical_form form, bool sha512, struct digest *ret)
{
    canonical_print(json_root(&role->doc), form, &ret->text);
    hash_of(ret->text.data, ret->text.len, ret->sha256);
    if (sha512)
        hash_512_of(ret->text.data, ret->text.len, ret->sha512);
}

static bool digest_fits(const struct digest *d, const struct snapshot_entry *entry)
{
    return (!entry->has_sha256 || !memcmp(d->sha256, entry->sha256, HASH_SIZE)) &&
           (!entry->has_sha512 || !memcmp(d->sha512, entry->sha512, HASH_512_SIZE));
}

static void check_length(const struct snapshot_entry *entry, const struct role *role, size_t canonical_len,
                         struct flaws *flaws)
{
    if (entry->length < 0 || (uint64_t)entry->length == role->len || (uint64_t)entry->length == canonical_len)
        return;
    flaws_add(flaws, ERR_WRONG_LENGTH, false, true, "version %lld is %zu bytes long, the snapshot says %lld",
              (long long)role->version, role->len, (long long)entry->length);
}

bool snapshot_confirms(const struct snapshot_entry *entry, const struct role *role, bool device_reads_hash,
                       struct flaws *flaws)
{
    size_t before = flaws->count;
    if (entry->version != role->version)
        flaws_add(flaws, ERR_WRONG_VERSION, true, true, "it is version %lld, the snapshot lists version %lld",
                  (long long)role->version, (long long)entry->version);
    AUTO(digest) struct digest cloud = {0};
    AUTO(digest) struct digest device = {0};
    digest_make(role, CANONICAL_CLOUD, entry->has_sha512, &cloud);
    bool fits = digest_fits(&cloud, entry), fits_device = fits;
    unsigned oddities = canonical_oddities(json_root(&role->doc));
    if (oddities) {
        digest_make(role, CANONICAL_DEVICE, entry->has_sha512, &device);
        fits_device = digest_fits(&device, entry);
    }
    bool device_refuses = device_reads_hash && !fits_device;
    if (!fits && !fits_device)
        flaws_add(flaws, ERR_WRONG_HASH, device_refuses, true,
                  "version %lld does not have the hash that the snapshot lists", (long long)role->version);
    else
        check_length(entry, role, cloud.text.len, flaws);
    bool confirmed = true;
    for (size_t i = before; i < flaws->count; i++)
        confirmed &= !flaws->list[i].breaks_validity;
    if (fits && device_refuses)
        flaws_add(flaws, oddities & CANONICAL_NON_ASCII ? ERR_NON_ASCII_ROLE : ERR_ODD_NUMBER, true, false,
                  "version %lld has another hash in the form that the device prints",
                  (long long)role->version);
    return confirmed;
}
