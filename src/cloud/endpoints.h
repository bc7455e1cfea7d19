/* SPDX-License-Identifier: Apache-2.0
 *
 * Base URLs of a cloud: no white space around, no trailing '/'. What nobody named is derived: the director
 * from the image repository's origin, the platform API and its token from the real cloud's addresses.
 */
#ifndef AIRLOCK_CLOUD_ENDPOINTS_H
#define AIRLOCK_CLOUD_ENDPOINTS_H

#include "base/err.h"

#define CLOUD_API_DEFAULT "https://app.torizon.io/api/v2"
/* Toradex's own images, for accounts whose repository does not hold them */
#define CLOUD_FEED_DEFAULT "https://feeds.toradex.com/ostree"
#define CLOUD_TOKEN_DEFAULT "https://kc.torizon.io/auth/realms/ota-users/protocol/openid-connect/token"

/* What a repository on this machine is named by: CLOUD_FILE "/srv/repo" */
#define CLOUD_FILE "file://"

/* Owned strings; NULL: not known, or not there at all. */
struct cloud_endpoints {
    char *director, *repo;
    char *ostree, *feed; /* repositories: the account's and the public one; "file:///…" too */
    char *token;         /* for the client of credentials.zip */
    char *api;
    char *api_token; /* for the API client */
};

/* Replaces what `by` names, tidies every address and derives what is missing. ERR_BAD_CONFIG for an address
 * that is no URL as asked for, and for http to another machine, which would show secrets to the network. */
must_check int cloud_endpoints_settle(struct cloud_endpoints *to, const struct cloud_endpoints *by,
                                      struct err *e);
void cloud_endpoints_free(struct cloud_endpoints *endpoints);

#endif
