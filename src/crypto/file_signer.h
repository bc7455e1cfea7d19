/* SPDX-License-Identifier: Apache-2.0
 *
 * A detached RSA signature over a file, as `openssl dgst -sha256 -sign KEY FILE` makes it: SHA-256, PKCS#1
 * v1.5. For those who verify with a fixed command of theirs, and checked as they do; nothing of Uptane is
 * signed so.
 */
#ifndef AIRLOCK_CRYPTO_FILE_SIGNER_H
#define AIRLOCK_CRYPTO_FILE_SIGNER_H

#include "base/buf.h"
#include "base/err.h"

struct file_signer;

/* From a private RSA key in PEM, not encrypted, of at least 2048 bits: else ERR_BAD_KEY. */
must_check int file_signer_parse(const void *pem, size_t len, struct file_signer **ret, struct err *e);
/* Appends the signature over the whole file. */
must_check int file_signer_sign(const struct file_signer *s, int fd, struct buf *to, struct err *e);
void file_signer_delete(struct file_signer *s);

struct file_verifier;

/* From a public RSA key in PEM of at least 2048 bits: else ERR_BAD_KEY. */
must_check int file_verifier_parse(const void *pem, size_t len, struct file_verifier **ret, struct err *e);
/* ERR_BAD_SIGNATURE where it is not this key's over the whole file. */
must_check int file_verifier_check(const struct file_verifier *v, int fd, const void *signature, size_t len,
                                   struct err *e);
void file_verifier_delete(struct file_verifier *v);

#endif
