/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pubkey.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/mem.h"

#define SIGNATURE_MAX (PUBKEY_RSA_MAX_BITS / 8)

struct pubkey {
    enum pubkey_type type;
    uint8_t ed25519[crypto_sign_PUBLICKEYBYTES];
    EVP_PKEY *evp; /* RSA and ECDSA */
};

static bool equals_ignoring_case(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && !strncasecmp(text, word, len);
}

static int parse_ed25519(const char *value, size_t len, struct pubkey *key, struct err *e)
{
    if (!hex_decode(value, len, key->ed25519, sizeof key->ed25519))
        return err_set(e, ERR_BAD_KEY, "an Ed25519 key is not 64 hexadecimal digits");
    return 0;
}

static int check_rsa(const EVP_PKEY *evp, struct err *e)
{
    int bits = EVP_PKEY_get_bits(evp);
    if (EVP_PKEY_get_base_id(evp) != EVP_PKEY_RSA)
        return err_set(e, ERR_BAD_KEY, "a key of type RSA holds another kind of key");
    if (bits < PUBKEY_RSA_MIN_BITS || bits > PUBKEY_RSA_MAX_BITS)
        return err_set(e, ERR_BAD_KEY, "an RSA key of %d bits, %d to %d are accepted", bits,
                       PUBKEY_RSA_MIN_BITS, PUBKEY_RSA_MAX_BITS);
    return 0;
}

static int check_p256(const EVP_PKEY *evp, struct err *e)
{
    char group[64] = "";
    if (EVP_PKEY_get_base_id(evp) != EVP_PKEY_EC ||
        !EVP_PKEY_get_group_name(evp, group, sizeof group, NULL) || strcmp(group, "prime256v1") != 0)
        return err_set(e, ERR_BAD_KEY, "a key of type ECPRIME256V1 is not on that curve");
    return 0;
}

static int parse_pem(const char *value, size_t len, struct pubkey *key, struct err *e)
{
    BIO *bio = len <= 16384 ? BIO_new_mem_buf(value, (int)len) : NULL;
    key->evp = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    if (!key->evp)
        return err_set(e, ERR_BAD_KEY, "not a public key in PEM");
    return key->type == PUBKEY_RSA ? check_rsa(key->evp, e) : check_p256(key->evp, e);
}

int pubkey_parse(const char *keytype, size_t type_len, const char *value, size_t value_len,
                 struct pubkey **ret, struct err *e)
{
    struct pubkey *key = mem_zeroed(1, sizeof *key);
    int rc;
    if (equals_ignoring_case(keytype, type_len, "ED25519")) {
        key->type = PUBKEY_ED25519;
        rc = parse_ed25519(value, value_len, key, e);
    } else if (equals_ignoring_case(keytype, type_len, "RSA")) {
        key->type = PUBKEY_RSA;
        rc = parse_pem(value, value_len, key, e);
    } else if (equals_ignoring_case(keytype, type_len, "ECPRIME256V1")) {
        key->type = PUBKEY_ECDSA_P256;
        rc = parse_pem(value, value_len, key, e);
    } else {
        rc = err_set(e, ERR_UNSUPPORTED_KEY, "unknown key type '%.*s'", (int)(type_len < 40 ? type_len : 40),
                     keytype);
    }
    if (rc)
        pubkey_delete(key);
    else
        *ret = key;
    return rc;
}

enum pubkey_type pubkey_type(const struct pubkey *key)
{
    return key->type;
}

int pubkey_bits(const struct pubkey *key)
{
    return key->evp ? EVP_PKEY_get_bits(key->evp) : 256;
}

void pubkey_delete(struct pubkey *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->evp);
    free(key);
}

bool pubkey_knows_method(const struct pubkey *key, const char *method, size_t len)
{
    switch (key->type) {
    case PUBKEY_ED25519:
        return equals_ignoring_case(method, len, "ed25519");
    case PUBKEY_RSA:
        return equals_ignoring_case(method, len, "rsassa-pss") ||
               equals_ignoring_case(method, len, "rsassa-pss-sha256");
    case PUBKEY_ECDSA_P256:
        return equals_ignoring_case(method, len, "ecdsa") ||
               equals_ignoring_case(method, len, "ecdsa-sha2-nistp256");
    }
    return false;
}

static bool verify_evp(const struct pubkey *key, const void *message, size_t len, const uint8_t *sig,
                       size_t sig_len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *params = NULL;
    bool good = ctx && EVP_DigestVerifyInit(ctx, &params, EVP_sha256(), NULL, key->evp) == 1;
    if (good && key->type == PUBKEY_RSA)
        good = EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(params, RSA_PSS_SALTLEN_AUTO) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(params, EVP_sha256()) == 1;
    good = good && EVP_DigestVerify(ctx, sig, sig_len, message, len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good;
}

bool pubkey_verify(const struct pubkey *key, const void *message, size_t len, const char *signature,
                   size_t signature_len)
{
    uint8_t sig[SIGNATURE_MAX];
    size_t sig_len;
    const char *end;
    if (sodium_base642bin(sig, sizeof sig, signature, signature_len, NULL, &sig_len, &end,
                          sodium_base64_VARIANT_ORIGINAL) ||
        end != signature + signature_len)
        return false;
    if (key->type == PUBKEY_ED25519)
        return sig_len == crypto_sign_BYTES &&
               crypto_sign_verify_detached(sig, message, len, key->ed25519) == 0;
    return verify_evp(key, message, len, sig, sig_len);
}
