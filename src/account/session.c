/* SPDX-License-Identifier: Apache-2.0 */
#include "account/session.h"

#include "base/mem.h"

static char *copy(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

static int open_with(const struct profile *p, const struct http_options *http, struct cloud **ret,
                     struct err *e)
{
    const struct cloud_endpoints nothing = {0};
    struct cloud_endpoints endpoints = {
        .director = copy(p->director_url),
        .repo = copy(p->repo_url),
        .ostree = copy(p->ostree_url),
        .feed = copy(p->feed_url),
        .token = copy(p->token_url),
        .api = copy(p->api_url),
        .api_token = copy(p->api_token_url),
    };
    const struct cloud_login login = {
        .endpoints = &endpoints,
        .uptane = {.id = p->client_id, .secret = p->client_secret, .scope = p->scope},
        .api = {.id = p->api_client_id, .secret = p->api_client_secret},
    };
    int rc = cloud_endpoints_settle(&endpoints, &nothing, e) || cloud_open(&login, http, ret, e) ? -1 : 0;
    cloud_endpoints_free(&endpoints);
    return rc;
}

int session_open(const struct profile *p, const char *ca_file, struct cloud **ret, struct err *e)
{
    const struct http_options http = {.ca_file = ca_file ? ca_file : p->ca_file};
    return open_with(p, &http, ret, e);
}

static int open_stored(const struct store *s, const char *profile, struct http_options *http,
                       struct cloud **ret, struct err *e)
{
    AUTO(profile) struct profile p = {0};
    if (profile_load(s, profile, &p, e))
        return -1;
    if (!http->ca_file)
        http->ca_file = p.ca_file;
    if (open_with(&p, http, ret, e) == 0)
        return 0;
    return e->id == ERR_BAD_CONFIG ? err_context(e, "profile '%s'", profile) : -1;
}

int session_open_stored(const struct store *s, const char *profile, const char *ca_file, struct cloud **ret,
                        struct err *e)
{
    struct http_options http = {.ca_file = ca_file};
    return open_stored(s, profile, &http, ret, e);
}

int session_try_stored(const struct store *s, const char *profile, const char *ca_file, unsigned timeout_ms,
                       struct cloud **ret, struct err *e)
{
    struct http_options http = {
        .ca_file = ca_file, .attempts = 1, .connect_timeout_ms = timeout_ms, .stall_timeout_ms = timeout_ms};
    return open_stored(s, profile, &http, ret, e);
}

int session_knock(const struct store *s, const char *profile, const char *ca_file, struct err *e)
{
    struct cloud *cloud;
    if (session_try_stored(s, profile, ca_file, SESSION_KNOCK_MS, &cloud, e))
        return -1;
    int rc = cloud_check_login(cloud, e);
    cloud_close(cloud);
    return rc;
}
