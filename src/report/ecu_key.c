/* SPDX-License-Identifier: Apache-2.0 */
#include "report/ecu_key.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"

/* The value as the device stores it, which is what its id is taken over. */
static char *stored_form(enum pubkey_type type, const char *value)
{
    size_t len = strlen(value);
    while (len > 0 && value[len - 1] == '\n')
        len--;
    char *stored = mem_strndup(value, len);
    for (char *c = stored; type == PUBKEY_ED25519 && *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return stored;
}

/* As a JSON string. In what a device stores, only the line feed needs an escape; a value that holds anything
 * else gets an id that is nobody's serial. */
static void compute_id(const char *stored, char ret_id[HASH_HEX_SIZE])
{
    AUTO(buf) struct buf text = {0};
    uint8_t digest[HASH_SIZE];
    buf_add_char(&text, '"');
    for (const char *c = stored; *c; c++)
        if (*c == '\n')
            buf_add_text(&text, "\\n");
        else
            buf_add_char(&text, *c);
    buf_add_char(&text, '"');
    hash_of(text.data, text.len, digest);
    hash_hex(digest, ret_id);
}

int ecu_key_make(const char *serial, const char *type, const char *value, struct ecu_key *ret, struct err *e)
{
    AUTO(ecu_key) struct ecu_key key = {0};
    if (pubkey_parse(type, strlen(type), value, strlen(value), &key.key, e))
        return -1;
    key.serial = mem_strdup(serial);
    key.type = mem_strdup(type);
    key.value = stored_form(pubkey_type(key.key), value);
    compute_id(key.value, key.id);
    *ret = key;
    key = (struct ecu_key){0};
    return 0;
}

void ecu_key_free(struct ecu_key *key)
{
    free(key->serial);
    free(key->type);
    free(key->value);
    pubkey_delete(key->key);
    *key = (struct ecu_key){0};
}

bool ecu_key_is_own(const struct ecu_key *key)
{
    return !strcasecmp(key->serial, key->id);
}

void ecu_keys_add(struct ecu_keys *keys, struct ecu_key *key)
{
    mem_grow(&keys->list, keys->count, &keys->room, sizeof *keys->list);
    keys->list[keys->count++] = *key;
    *key = (struct ecu_key){0};
}

void ecu_keys_free(struct ecu_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        ecu_key_free(&keys->list[i]);
    free(keys->list);
    *keys = (struct ecu_keys){0};
}
