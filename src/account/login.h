/* SPDX-License-Identifier: Apache-2.0
 *
 * Logging in: the credentials are tried against the cloud, the account's roots are pinned at first contact,
 * and only then the profile is stored.
 */
#ifndef AIRLOCK_ACCOUNT_LOGIN_H
#define AIRLOCK_ACCOUNT_LOGIN_H

#include "cloud/endpoints.h"
#include "crypto/hash.h"
#include "store/memory.h"
#include "store/profile.h"

struct login_request {
    const char *profile;
    const char *credentials; /* path of credentials.zip; NULL: none */
    /* the API client; NULL: none */
    const char *api_client_id, *api_client_secret;
    const char *ca_file;         /* stored with the profile, made absolute; NULL: the system's CAs */
    struct cloud_endpoints urls; /* what replaces the addresses of credentials.zip; NULL members: nothing */
    const struct pins *trust;    /* roots that a person gives: the cloud must serve them; NULL: none */
    int64_t now;
};

struct login_result {
    bool uptane, api;          /* which doors are open */
    bool pinned[2];            /* just now; this and the rest by enum pin_repo */
    enum pin_origin origin[2]; /* of the pinned roots */
    bool has_root[2];
    uint8_t fingerprint[2][HASH_SIZE]; /* SHA-256 of their canonical form */
};

/* What a second login brings is added to the profile; the other door's client stays. Errors: those of
 * credentials_read() and of the cloud; those of contact_roots(), after which nothing is changed. */
must_check int login(const struct store *s, const struct login_request *request, struct login_result *ret,
                     struct err *e);

#endif
