/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 by OpenSSL's EVP, which uses the processor's SHA instructions (an order of magnitude faster than
 * portable C).
 *
 *     struct hash *h = hash_new();
 *     hash_update(h, bytes, n); …
 *     hash_final(h, digest);      // h can be used again from the start
 *     hash_delete(h);
 */
#ifndef AIRLOCK_CRYPTO_HASH_H
#define AIRLOCK_CRYPTO_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define HASH_SIZE 32
#define HASH_512_SIZE 64
#define HASH_HEX_SIZE 65 /* with the NUL */

struct hash;

struct hash *hash_new(void);
void hash_update(struct hash *h, const void *bytes, size_t n);
void hash_final(struct hash *h, uint8_t ret_digest[HASH_SIZE]);
void hash_delete(struct hash *h);
/* For AUTO(hash): `AUTO_HASH struct hash *h = hash_new();` */
void hash_cleanup(struct hash **h);
#define AUTO_HASH __attribute__((cleanup(hash_cleanup)))

/* The rest of an open file, from its position to its end; `seen` is called with each piece (NULL: nobody). */
must_check int hash_file(int fd, void (*seen)(void *ctx, uint64_t bytes), void *ctx,
                         uint8_t ret_digest[HASH_SIZE], struct err *e);
void hash_of(const void *bytes, size_t n, uint8_t ret_digest[HASH_SIZE]);
/* SHA-512, which some roles give beside SHA-256. */
void hash_512_of(const void *bytes, size_t n, uint8_t ret_digest[HASH_512_SIZE]);
void hash_hex(const uint8_t digest[HASH_SIZE], char ret_text[HASH_HEX_SIZE]);

#endif
