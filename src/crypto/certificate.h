/* SPDX-License-Identifier: Apache-2.0
 *
 * An X.509 certificate and the private key that goes with it, both PEM: whose it is, and whether they belong
 * together. Nobody is asked whether it is valid; the server to which it is shown decides that.
 */
#ifndef AIRLOCK_CRYPTO_CERTIFICATE_H
#define AIRLOCK_CRYPTO_CERTIFICATE_H

#include <stddef.h>

#include "base/err.h"

#define CERTIFICATE_NAME_MAX 64u /* bytes of a common name: the limit of X.520 */

/* The common name of the subject, "" where it has none; the caller's. ERR_BAD_KEY: no certificate, no key, or
 * they do not belong together. The key is read and forgotten. */
must_check int certificate_common_name(const void *certificate, size_t certificate_len, const void *key,
                                       size_t key_len, char **ret, struct err *e);

#endif
