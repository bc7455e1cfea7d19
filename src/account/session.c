/* SPDX-License-Identifier: Apache-2.0 */
#include "account/session.h"

int session_open(const struct profile *p, const char *ca_file, struct cloud **ret, struct err *e)
{
    const struct cloud_endpoints endpoints = {
        .director = p->director_url,
        .repo = p->repo_url,
        .ostree = p->ostree_url,
        .feed = p->feed_url ? p->feed_url : CLOUD_FEED_DEFAULT, /* older profiles have none */
        .token = p->token_url,
        .api = p->api_url,
        .api_token = p->api_token_url,
    };
    const struct cloud_login login = {
        .endpoints = &endpoints,
        .uptane = {.id = p->client_id, .secret = p->client_secret, .scope = p->scope},
        .api = {.id = p->api_client_id, .secret = p->api_client_secret},
    };
    const struct http_options http = {.ca_file = ca_file ? ca_file : p->ca_file};
    return cloud_open(&login, &http, ret, e);
}

int session_open_stored(const struct store *s, const char *profile, const char *ca_file, struct cloud **ret,
                        struct err *e)
{
    AUTO(profile) struct profile p = {0};
    if (profile_load(s, profile, &p, e))
        return -1;
    return session_open(&p, ca_file, ret, e);
}
