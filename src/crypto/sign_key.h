/* SPDX-License-Identifier: Apache-2.0
 *
 * The laptop's own Ed25519 key, with which bundles are signed (never Uptane roles). The secret half lives in
 * one file of mode 0600 in the state folder and leaves this module only as signatures.
 */
#ifndef AIRLOCK_CRYPTO_SIGN_KEY_H
#define AIRLOCK_CRYPTO_SIGN_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SIGN_PUBLIC_SIZE 32
#define SIGN_SIZE 64
#define SIGN_SECRET_SIZE 64
#define SIGN_FINGERPRINT_TEXT 48 /* bytes that hold sign_fingerprint()'s text */

struct sign_key {
    uint8_t public_key[SIGN_PUBLIC_SIZE];
    uint8_t secret_key[SIGN_SECRET_SIZE];
};

/* Loads `name` beneath dirfd: ERR_NO_SUCH_PATH where it is missing. A key file that others may read is
 * refused (ERR_BAD_CONFIG). */
must_check int sign_key_load(int dirfd, const char *name, struct sign_key *ret, struct err *e);
/* The same; where it is missing makes a new key there, durably, mode 0600, and sets *ret_made. */
must_check int sign_key_load_or_make(int dirfd, const char *name, struct sign_key *ret, bool *ret_made,
                                     struct err *e);
/* From a 32-byte seed, so that tests can be exact. */
void sign_key_from_seed(const uint8_t seed[32], struct sign_key *ret);
void sign_key_free(struct sign_key *key); /* wipes */

void sign_make(const struct sign_key *key, const void *message, size_t len, uint8_t ret_signature[SIGN_SIZE]);
bool sign_check(const uint8_t public_key[SIGN_PUBLIC_SIZE], const void *message, size_t len,
                const uint8_t signature[SIGN_SIZE]);

/* What people compare over the telephone: the first 125 bits of SHA-256 of the public key as Base32 (RFC
 * 4648) in groups of five, and a last check character (the sum of all digits' values weighted by their place,
 * modulo 31). */
void sign_fingerprint(const uint8_t public_key[SIGN_PUBLIC_SIZE], char ret_text[SIGN_FINGERPRINT_TEXT]);
/* The same as somebody types it who was told it: in any case, with or without dashes and blanks. False where
 * a character is missing, too many, no digit, or does not fit the check character. */
bool sign_read_fingerprint(const char *typed, char ret_text[SIGN_FINGERPRINT_TEXT]);

#endif
