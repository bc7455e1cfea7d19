/* SPDX-License-Identifier: Apache-2.0
 *
 * Logging in: the credentials are tried against the cloud, the account's roots are pinned at first contact,
 * and only then the profile is stored.
 */
#ifndef AIRLOCK_ACCOUNT_LOGIN_H
#define AIRLOCK_ACCOUNT_LOGIN_H

#include "cloud/endpoints.h"
#include "crypto/hash.h"
#include "store/pins.h"
#include "store/profile.h"

struct login_request {
    const char *profile;
    const char *credentials; /* path of credentials.zip; NULL: none */
    /* the API client; NULL: none */
    const char *api_client_id, *api_client_secret;
    const char *ca_file;         /* stored with the profile, made absolute; NULL: the system's CAs */
    struct cloud_endpoints urls; /* what replaces the addresses of credentials.zip; NULL members: nothing */
};

struct login_result {
    bool uptane, api;      /* which doors are open */
    bool first_contact;    /* roots were pinned just now */
    bool from_credentials; /* credentials.zip carried them, and the cloud serves the same */
    bool has_root[2];
    uint8_t fingerprint[2][HASH_SIZE]; /* of the pinned roots: SHA-256 of their canonical form; by enum
                                          pin_repo */
};

/* What a second login brings is added to the profile; the other door's client stays. Errors: those of
 * credentials_read() and of the cloud; ERR_ROOT_CHANGED when the cloud, the credentials and the pins do not
 * agree about a root. */
must_check int login(const struct store *s, const struct login_request *request, struct login_result *ret,
                     struct err *e);

#endif
