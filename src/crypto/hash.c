/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

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

#define CHUNK (1u << 20) /* large reads keep a disk streaming */

int hash_file(int fd, void (*seen)(void *ctx, uint64_t bytes), void *ctx, uint8_t ret_digest[HASH_SIZE],
              struct err *e)
{
    AUTO_HASH struct hash *h = hash_new();
    AUTO_FREE uint8_t *chunk = mem_zeroed(1, CHUNK);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    for (ssize_t n; (n = read(fd, chunk, CHUNK)) != 0;) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, ERR_MEDIUM_IO, "cannot read");
        hash_update(h, chunk, (size_t)n);
        if (seen)
            seen(ctx, (uint64_t)n);
    }
    hash_final(h, ret_digest);
    return 0;
}

void hash_hex(const uint8_t digest[HASH_SIZE], char ret_text[HASH_HEX_SIZE])
{
    hex_encode(digest, HASH_SIZE, ret_text);
}
