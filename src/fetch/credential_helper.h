/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks a Docker credential helper for a login: the program docker-credential-NAME from PATH with the argument
 * "get", the registry on its stdin, JSON on its stdout. No shell sees any of it.
 */
#ifndef AIRLOCK_FETCH_CREDENTIAL_HELPER_H
#define AIRLOCK_FETCH_CREDENTIAL_HELPER_H

#include "fetch/registry_login.h"

#define CREDENTIAL_HELPER_TIMEOUT_MS 60000 /* it may ask the user to unlock a keyring */
#define CREDENTIAL_ANSWER_MAX (64u << 10)

/* *ret stays empty where the helper says that it knows no login. ERR_BAD_CONFIG for a name that is no plain
 * word, a helper that is not there, fails, does not end, or answers nonsense. */
must_check int credential_helper_get(const char *name, const char *server, struct registry_login *ret,
                                     struct err *e);

#endif
