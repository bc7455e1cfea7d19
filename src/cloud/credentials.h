/* SPDX-License-Identifier: Apache-2.0
 *
 * credentials.zip, as the cloud's web page gives it out. Only the four entries named below are read. The
 * archive may hold private keys too (targets.sec, client_auth.p12, provision.json): they are skipped without
 * being unpacked.
 */
#ifndef AIRLOCK_CLOUD_CREDENTIALS_H
#define AIRLOCK_CLOUD_CREDENTIALS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "cloud/endpoints.h"

struct credentials {
    struct cloud_endpoints endpoints; /* repo, ostree and token; the rest is left to be settled */
    bool no_auth;                     /* the server asks for no login: no client below */
    char *client_id, *client_secret;
    char *scope;                          /* NULL where none */
    struct buf director_root, image_root; /* exact bytes; empty where the archive has none */
};

/* ERR_BAD_CREDENTIALS says what is missing or wrong; ERR_NO_SUCH_PATH where there is no such file. */
must_check int credentials_read(const char *path, struct credentials *ret, struct err *e);
void credentials_free(struct credentials *c); /* wipes the secret */

#endif
