/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of cloud/ know of each other.
 */
#ifndef AIRLOCK_CLOUD_CLOUD_INTERNAL_H
#define AIRLOCK_CLOUD_CLOUD_INTERNAL_H

#include "cloud/cloud.h"

/* A base URL and the login of its origin. */
struct door {
    char *base; /* NULL: not there */
    char *origin;
    struct http_auth auth;
    bool has_login;
};

struct cloud {
    struct http *http;
    struct token *uptane_token, *api_token;
    struct door director, repo, ostree, feed, api;
};

/* NULL where nobody logs in. */
const struct http_auth *door_auth(const struct door *d);

#endif
