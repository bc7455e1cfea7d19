/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/mem.h"

#define PEM_MAX (128u << 10)

/* A key behind a password is none to us: nobody is asked for one. */
static int no_password(char *to, int size, int writing, void *ctx)
{
    (void)to, (void)size, (void)writing, (void)ctx;
    return -1;
}

static X509 *read_certificate(const void *pem, size_t len)
{
    BIO *bio = len <= PEM_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
    BIO_free(bio);
    return certificate;
}

static EVP_PKEY *read_key(const void *pem, size_t len)
{
    BIO *bio = len <= PEM_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    BIO_free(bio);
    return key;
}

static char *common_name(X509 *certificate)
{
    char name[CERTIFICATE_NAME_MAX + 1] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    return mem_strdup(name);
}

int certificate_common_name(const void *certificate, size_t certificate_len, const void *key, size_t key_len,
                            char **ret, struct err *e)
{
    X509 *x = read_certificate(certificate, certificate_len);
    EVP_PKEY *k = read_key(key, key_len);
    int rc = 0;
    if (!x)
        rc = err_set(e, ERR_BAD_KEY, "not a certificate in PEM");
    else if (!k)
        rc = err_set(e, ERR_BAD_KEY, "not a private key in PEM without a password");
    else if (X509_check_private_key(x, k) != 1)
        rc = err_set(e, ERR_BAD_KEY, "the private key is not that of the certificate");
    else
        *ret = common_name(x);
    EVP_PKEY_free(k);
    X509_free(x);
    ERR_clear_error();
    return rc;
}
