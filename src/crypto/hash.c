/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/mem.h"

struct hash {
    EVP_MD_CTX *ctx;
};

/* OpenSSL reports failures here only for lack of memory or a crippled build: nothing a caller could handle.
 */
static void or_abort(int ok)
{
    if (ok != 1)
        abort();
}

struct hash *hash_new(void)
{
    struct hash *h = mem_zeroed(1, sizeof *h);
    h->ctx = EVP_MD_CTX_new();
    or_abort(h->ctx != NULL);
    or_abort(EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL));
    return h;
}

void hash_update(struct hash *h, const void *bytes, size_t n)
{
    or_abort(EVP_DigestUpdate(h->ctx, bytes, n));
}

void hash_final(struct hash *h, uint8_t ret_digest[HASH_SIZE])
{
    or_abort(EVP_DigestFinal_ex(h->ctx, ret_digest, NULL));
    or_abort(EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL));
}

void hash_delete(struct hash *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

void hash_cleanup(struct hash **h)
{
    hash_delete(*h);
}

void hash_of(const void *bytes, size_t n, uint8_t ret_digest[HASH_SIZE])
{
    or_abort(EVP_Digest(bytes, n, ret_digest, NULL, EVP_sha256(), NULL));
}

void hash_512_of(const void *bytes, size_t n, uint8_t ret_digest[HASH_512_SIZE])
{
    or_abort(EVP_Digest(bytes, n, ret_digest, NULL, EVP_sha512(), NULL));
}

void hash_hex(const uint8_t digest[HASH_SIZE], char ret_text[HASH_HEX_SIZE])
{
    hex_encode(digest, HASH_SIZE, ret_text);
}
