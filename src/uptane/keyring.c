/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/keyring.h"

#include <string.h>

#include "base/mem.h"

/* Enough of an id to recognise it in a message. */
#define SHOWN(len) (int)((len) < 64 ? (len) : 64)

static int key_parse(struct json_value v, struct key *key, struct err *e)
{
    struct json_value type, value, public;
    size_t type_len, public_len;
    if (!json_get_typed(v, "keytype", JSON_STRING, &type) ||
        !json_get_typed(v, "keyval", JSON_OBJECT, &value) ||
        !json_get_typed(value, "public", JSON_STRING, &public))
        return err_set(e, ERR_BAD_ROLE, "key %.*s has no keytype or no keyval.public", SHOWN(key->id_len),
                       key->id);
    const char *type_text = json_string(type, &type_len), *text = json_string(public, &public_len);
    if (pubkey_parse(type_text, type_len, text, public_len, &key->pubkey, e) == 0)
        return 0;
    if (e->id == ERR_UNSUPPORTED_KEY)
        return 0;
    return err_context(e, "key %.*s", SHOWN(key->id_len), key->id);
}

int keyring_parse(struct json_value keys, struct keyring *ret, struct err *e)
{
    if (json_type(keys) != JSON_OBJECT)
        return err_set(e, ERR_BAD_ROLE, "its keys are not an object");
    struct keyring ring = {.keys = mem_zeroed(json_count(keys), sizeof *ring.keys)};
    for (size_t i = 0, n = json_count(keys); i < n; i++) {
        struct key *key = &ring.keys[ring.count++];
        key->id = json_key_at(keys, i, &key->id_len);
        if (key_parse(json_at(keys, i), key, e)) {
            keyring_free(&ring);
            return -1;
        }
        bool odd_type = !key->pubkey || pubkey_type(key->pubkey) == PUBKEY_ECDSA_P256;
        if (odd_type && !ring.device_refuses) {
            ring.device_refuses = true;
            ring.odd_key = i;
        }
    }
    *ret = ring;
    return 0;
}

static int compare_ids(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

const struct key *keyring_find(const struct keyring *ring, const char *id, size_t len)
{
    for (size_t low = 0, high = ring->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = compare_ids(id, len, ring->keys[middle].id, ring->keys[middle].id_len);
        if (order == 0)
            return &ring->keys[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool key_device_knows(const struct key *key)
{
    if (!key->pubkey || pubkey_type(key->pubkey) == PUBKEY_ECDSA_P256)
        return false;
    int bits = pubkey_bits(key->pubkey);
    return pubkey_type(key->pubkey) == PUBKEY_ED25519 || bits == 2048 || bits == 3072 || bits == 4096;
}

void keyring_free(struct keyring *ring)
{
    for (size_t i = 0; i < ring->count; i++)
        pubkey_delete(ring->keys[i].pubkey);
    free(ring->keys);
    *ring = (struct keyring){0};
}

static int check_keyids(struct json_value keyids, const char *name, struct err *e)
{
    size_t n = json_count(keyids), len, other_len;
    if (n > GRANT_KEYS_MAX)
        return err_set(e, ERR_BAD_ROLE, "role '%s' names %zu keys, at most %d are read", name, n,
                       GRANT_KEYS_MAX);
    for (size_t i = 0; i < n; i++) {
        const char *id = json_string(json_at(keyids, i), &len);
        if (!id)
            return err_set(e, ERR_BAD_ROLE, "role '%s' has a key id that is no text", name);
        for (size_t j = 0; j < i; j++) {
            const char *other = json_string(json_at(keyids, j), &other_len);
            if (len == other_len && !memcmp(id, other, len))
                return err_set(e, ERR_BAD_ROLE, "role '%s' names key %.*s twice", name, SHOWN(len), id);
        }
    }
    return 0;
}

int grant_parse(struct json_value v, const char *name, struct grant *ret, struct err *e)
{
    struct grant grant;
    struct json_value threshold;
    if (!json_get_typed(v, "keyids", JSON_ARRAY, &grant.keyids) || !json_get(v, "threshold", &threshold) ||
        !json_integer(threshold, INT64_MIN, INT64_MAX, &grant.threshold))
        return err_set(e, ERR_BAD_ROLE, "role '%s' has no keyids or no threshold", name);
    if (check_keyids(grant.keyids, name, e))
        return -1;
    size_t keys = json_count(grant.keyids);
    if (grant.threshold < 1 || (uint64_t)grant.threshold > keys)
        return err_set(e, ERR_BAD_THRESHOLD, "role '%s' has a threshold of %lld and %zu keys", name,
                       (long long)grant.threshold, keys);
    *ret = grant;
    return 0;
}

bool grant_names(const struct grant *grant, const char *id, size_t len)
{
    for (size_t i = 0, n = json_count(grant->keyids); i < n; i++) {
        size_t other_len;
        const char *other = json_string(json_at(grant->keyids, i), &other_len);
        if (len == other_len && !memcmp(id, other, len))
            return true;
    }
    return false;
}
