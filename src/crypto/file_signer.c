/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/file_signer.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

#define CHUNK (1u << 20)
#define MIN_BITS 2048 /* NIST SP 800-131A */

struct file_signer {
    EVP_PKEY *key;
};

/* Nobody is asked for a passphrase here. */
static int no_passphrase(char *to, int size, int writing, void *ctx)
{
    (void)to, (void)size, (void)writing, (void)ctx;
    return -1;
}

/* Frees what is no such key. */
static int take_rsa(EVP_PKEY **key, struct err *e)
{
    if (EVP_PKEY_is_a(*key, "RSA") && EVP_PKEY_get_bits(*key) >= MIN_BITS)
        return 0;
    EVP_PKEY_free(steal_ptr(*key));
    return err_set(e, ERR_BAD_KEY, "it is not an RSA key of %d bits or more", MIN_BITS);
}

int file_signer_parse(const void *pem, size_t len, struct file_signer **ret, struct err *e)
{
    BIO *bio = len <= INT_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    if (!key)
        return err_set(e, ERR_BAD_KEY, "it is not a private key in PEM, or an encrypted one");
    if (take_rsa(&key, e))
        return -1;
    struct file_signer *s = mem_zeroed(1, sizeof *s);
    s->key = key;
    *ret = s;
    return 0;
}

/* update: EVP_DigestSignUpdate() or EVP_DigestVerifyUpdate(). */
static int digest_file(EVP_MD_CTX *context, int (*update)(EVP_MD_CTX *, const void *, size_t), int fd,
                       struct err *e)
{
    AUTO_FREE uint8_t *chunk = mem_zeroed(1, CHUNK);
    off_t at = 0;
    for (;;) {
        ssize_t n = pread(fd, chunk, CHUNK, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, ERR_MEDIUM_IO, "cannot read what is signed");
        if (n == 0)
            return 0;
        if (update(context, chunk, (size_t)n) != 1)
            return err_set(e, ERR_INTERNAL, "OpenSSL cannot hash");
        at += n;
    }
}

static int sign(EVP_MD_CTX *context, const struct file_signer *s, int fd, struct buf *to, struct err *e)
{
    size_t len = (size_t)EVP_PKEY_get_size(s->key);
    if (!context || EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, s->key) != 1)
        return err_set(e, ERR_INTERNAL, "OpenSSL cannot sign");
    if (digest_file(context, EVP_DigestSignUpdate, fd, e))
        return -1;
    if (EVP_DigestSignFinal(context, buf_reserve(to, len), &len) != 1)
        return err_set(e, ERR_INTERNAL, "OpenSSL cannot sign");
    to->len += len;
    return 0;
}

int file_signer_sign(const struct file_signer *s, int fd, struct buf *to, struct err *e)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int rc = sign(context, s, fd, to, e);
    EVP_MD_CTX_free(context);
    return rc;
}

void file_signer_delete(struct file_signer *s)
{
    if (s)
        EVP_PKEY_free(s->key);
    free(s);
}

struct file_verifier {
    EVP_PKEY *key;
};

int file_verifier_parse(const void *pem, size_t len, struct file_verifier **ret, struct err *e)
{
    BIO *bio = len <= INT_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    if (!key)
        return err_set(e, ERR_BAD_KEY, "it is not a public key in PEM");
    if (take_rsa(&key, e))
        return -1;
    struct file_verifier *v = mem_zeroed(1, sizeof *v);
    v->key = key;
    *ret = v;
    return 0;
}

static int verify(EVP_MD_CTX *context, const struct file_verifier *v, int fd, const void *signature,
                  size_t len, struct err *e)
{
    if (!context || EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, v->key) != 1)
        return err_set(e, ERR_INTERNAL, "OpenSSL cannot verify");
    if (digest_file(context, EVP_DigestVerifyUpdate, fd, e))
        return -1;
    return EVP_DigestVerifyFinal(context, signature, len) == 1
               ? 0
               : err_set(e, ERR_BAD_SIGNATURE, "it is not this key's signature over this file");
}

int file_verifier_check(const struct file_verifier *v, int fd, const void *signature, size_t len,
                        struct err *e)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int rc = verify(context, v, fd, signature, len, e);
    EVP_MD_CTX_free(context);
    return rc;
}

void file_verifier_delete(struct file_verifier *v)
{
    if (v)
        EVP_PKEY_free(v->key);
    free(v);
}
