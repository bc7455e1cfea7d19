/* SPDX-License-Identifier: Apache-2.0
 *
 * Public Uptane keys of ECUs: with them the manifests are verified that devices sign. A manifest carries no
 * key, so one must come another way: a helper's report names it, or a person enrols it.
 *
 * A stock ECU's serial is the key id of its own key unless somebody chose another, so a key whose id is the
 * serial cannot be another's, wherever it was found. That says whose key it is, not whether the ECU is one of
 * ours: anybody can make a key and name himself by its id.
 */
#ifndef AIRLOCK_REPORT_ECU_KEY_H
#define AIRLOCK_REPORT_ECU_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "crypto/hash.h"
#include "crypto/pubkey.h"

#define ECU_SERIAL_MAX 128u /* bytes: a key id has 64 */

struct ecu_key {
    char *serial;
    char *type, *value;     /* as a root has them: "ED25519" and 64 digits, "RSA" and PEM */
    char id[HASH_HEX_SIZE]; /* the key id, in lower case */
    struct pubkey *key;
};

struct ecu_keys {
    struct ecu_key *list;
    size_t count, room;
};

/* The key id as the client computes it: SHA-256 of the public value as a JSON string, in the form in which
 * the device stores it (upper-case digits; PEM without line feeds at its end). ERR_BAD_KEY,
 * ERR_UNSUPPORTED_KEY. */
must_check int ecu_key_make(const char *serial, const char *type, const char *value, struct ecu_key *ret,
                            struct err *e);
void ecu_key_free(struct ecu_key *key);
/* Is its id its serial? */
bool ecu_key_is_own(const struct ecu_key *key);

/* Takes the key over. */
void ecu_keys_add(struct ecu_keys *keys, struct ecu_key *key);
void ecu_keys_free(struct ecu_keys *keys);

#endif
