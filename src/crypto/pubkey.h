/* SPDX-License-Identifier: Apache-2.0
 *
 * Public keys of Uptane roles and the signatures they make: Ed25519 (libsodium), RSA with PSS padding and
 * ECDSA P-256 (OpenSSL). Private keys are never handled here.
 */
#ifndef AIRLOCK_CRYPTO_PUBKEY_H
#define AIRLOCK_CRYPTO_PUBKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum pubkey_type { PUBKEY_ED25519, PUBKEY_RSA, PUBKEY_ECDSA_P256 };

#define PUBKEY_RSA_MIN_BITS 2048 /* NIST SP 800-131A */
#define PUBKEY_RSA_MAX_BITS 8192 /* bounds the time that one hostile key can cost */

struct pubkey;

/* keytype and public value as they stand in a root: "ED25519" with 64 hex digits, "RSA" and "ECPRIME256V1"
 * with a PEM SubjectPublicKeyInfo; letter case of the type is ignored. Else ERR_BAD_KEY; ERR_UNSUPPORTED_KEY
 * for other types. */
must_check int pubkey_parse(const char *keytype, size_t type_len, const char *value, size_t value_len,
                            struct pubkey **ret, struct err *e);
enum pubkey_type pubkey_type(const struct pubkey *key);
/* Length of the modulus or of the field; 256 for Ed25519. */
int pubkey_bits(const struct pubkey *key);
void pubkey_delete(struct pubkey *key);

/* Does the key know this method ("ed25519"; "rsassa-pss", "rsassa-pss-sha256"; "ecdsa",
 * "ecdsa-sha2-nistp256"), in any letter case? */
bool pubkey_knows_method(const struct pubkey *key, const char *method, size_t len);
/* Is `signature` (base64 text) this key's over the message? RSA: PSS with SHA-256 and MGF1-SHA-256, any salt
 * length (what the device's client accepts); PKCS#1 v1.5 is not accepted. */
bool pubkey_verify(const struct pubkey *key, const void *message, size_t len, const char *signature,
                   size_t signature_len);

#endif
