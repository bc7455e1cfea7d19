/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose signatures on bundles a person trusts: public keys under names that he chose, in the state folder,
 * keys/signers, one "<64 hex digits> <name>" a line. They say who packed a bundle, and nothing of what a
 * device accepts.
 *
 *     AUTO(signers) struct signers known = {0};
 *     if (signers_load(s, &known, e)) …
 *     const struct signer *who = signers_find(&known, public_key);      // NULL: unknown
 */
#ifndef AIRLOCK_STORE_SIGNERS_H
#define AIRLOCK_STORE_SIGNERS_H

#include "crypto/sign_key.h"
#include "store/store.h"

#define SIGNER_NAME_MAX 63u /* a word: letters, digits, '.', '_', '-' */
#define SIGNERS_MAX 1024u   /* a company's laptops; a line has at most 130 bytes */

struct signer {
    uint8_t public_key[SIGN_PUBLIC_SIZE];
    char name[SIGNER_NAME_MAX + 1];
};

struct signers {
    struct signer *list; /* sorted by name */
    size_t count, room;
};

/* Nobody trusted yet is no error. ERR_BAD_CONFIG names the line that is none. */
must_check int signers_load(const struct store *s, struct signers *ret, struct err *e);
void signers_free(struct signers *known);

const struct signer *signers_find(const struct signers *known, const uint8_t public_key[SIGN_PUBLIC_SIZE]);
const struct signer *signers_named(const struct signers *known, const char *name);

/* Durably. ERR_USAGE for a name that is no word, ERR_ALREADY_EXISTS where the name stands for another key or
 * the key has another name; the same again changes nothing. */
must_check int signers_trust(const struct store *s, const char *name,
                             const uint8_t public_key[SIGN_PUBLIC_SIZE], struct err *e);
/* ERR_USAGE where nobody has that name. */
must_check int signers_forget(const struct store *s, const char *name, struct err *e);

#endif
