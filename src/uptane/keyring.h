/* SPDX-License-Identifier: Apache-2.0
 *
 * Public keys by their id, and who of them may sign for a role: the two halves that a root and a set of
 * delegations share. A key id is a name and nothing else, as for the device's client: it is never computed
 * from the key.
 *
 * A grant refers to the document it was read from, which must outlive it.
 */
#ifndef AIRLOCK_UPTANE_KEYRING_H
#define AIRLOCK_UPTANE_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "crypto/pubkey.h"

#define GRANT_KEYS_MAX 1000 /* the device's own limit for a threshold; bounds the work per signature */

struct key {
    const char *id; /* not NUL-terminated; belongs to the document */
    size_t id_len;
    struct pubkey *pubkey; /* NULL: of a type that airlock does not know, its signatures never count */
};

struct keyring {
    struct key *keys; /* in the order of their ids */
    size_t count;
    bool device_refuses; /* one key is of a type at which the device refuses the whole file */
    size_t odd_key;      /* index of the first such key */
};

/* The object `keys` of a root or of delegations. ERR_BAD_ROLE, ERR_BAD_KEY. A key of an unknown type is no
 * error (the standard only leaves it out), see device_refuses. */
must_check int keyring_parse(struct json_value keys, struct keyring *ret, struct err *e);
const struct key *keyring_find(const struct keyring *ring, const char *id, size_t len);
/* Does the device's client verify with this key: Ed25519, or RSA of 2048, 3072 or 4096 bits? */
bool key_device_knows(const struct key *key);
void keyring_free(struct keyring *ring);

struct grant {
    struct json_value keyids;
    int64_t threshold;
};

/* {"keyids": […], "threshold": n} of the role `name`. ERR_BAD_ROLE (also for a repeated key id),
 * ERR_BAD_THRESHOLD unless 1 <= threshold <= number of key ids. */
must_check int grant_parse(struct json_value v, const char *name, struct grant *ret, struct err *e);
bool grant_names(const struct grant *grant, const char *id, size_t len);

#endif
