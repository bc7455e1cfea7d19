/* SPDX-License-Identifier: Apache-2.0 */
#include "account/login.h"

#include <stdlib.h>
#include <string.h>

#include "account/contact.h"
#include "account/session.h"
#include "base/mem.h"

/* Wipes what was there: half of these texts are secrets. */
static void set_text(char **to, const char *text)
{
    char *copy = text ? mem_strdup(text) : NULL;
    if (*to)
        explicit_bzero(*to, strlen(*to));
    free(*to);
    *to = copy;
}

/* ---- the profile ---- */

static int load_or_new(const struct store *s, const char *name, struct profile *ret, struct err *e)
{
    if (profile_load(s, name, ret, e) == 0)
        return 0;
    if (e->id != ERR_NO_PROFILE)
        return -1;
    *ret = (struct profile){.name = mem_strdup(name)};
    return 0;
}

static void take_credentials(const struct credentials *c, struct profile *p)
{
    set_text(&p->repo_url, c->endpoints.repo);
    set_text(&p->ostree_url, c->endpoints.ostree);
    set_text(&p->token_url, c->endpoints.token);
    set_text(&p->director_url, NULL); /* derived anew */
    set_text(&p->client_id, c->client_id);
    set_text(&p->client_secret, c->client_secret);
    set_text(&p->scope, c->scope);
}

/* Derives the addresses that nobody named, with the same rules for every login. */
static int settle_urls(struct profile *p, const struct cloud_endpoints *by, struct err *e)
{
    char **const from[] = {&p->director_url, &p->repo_url, &p->ostree_url,   &p->feed_url,
                           &p->token_url,    &p->api_url,  &p->api_token_url};
    struct cloud_endpoints u = {0};
    char **const to[] = {&u.director, &u.repo, &u.ostree, &u.feed, &u.token, &u.api, &u.api_token};
    for (size_t i = 0; i < COUNT_OF(from); i++)
        *to[i] = *from[i] ? mem_strdup(*from[i]) : NULL;
    int rc = cloud_endpoints_settle(&u, by, e);
    for (size_t i = 0; rc == 0 && i < COUNT_OF(from); i++)
        set_text(from[i], *to[i]);
    cloud_endpoints_free(&u);
    return rc;
}

static int take_ca_file(struct profile *p, const char *ca_file, struct err *e)
{
    if (!ca_file)
        return 0;
    AUTO_FREE char *absolute = realpath(ca_file, NULL);
    if (!absolute)
        return err_errno(e, ERR_NO_SUCH_PATH, "the CA file '%s'", ca_file);
    set_text(&p->ca_file, absolute);
    return 0;
}

/* ---- together ---- */

static int try_login(const struct store *s, const struct login_request *request, struct profile *p,
                     const struct credentials *c, struct login_result *r, struct err *e)
{
    struct cloud *cloud;
    if (session_open(p, NULL, &cloud, e))
        return -1;
    r->uptane = p->repo_url != NULL;
    r->api = p->api_client_id != NULL;
    int rc = cloud_check_login(cloud, e);
    if (rc == 0 && r->uptane)
        rc = contact_roots(s, p, cloud, c, request->trust, request->now, r, e);
    cloud_close(cloud);
    return rc;
}

int login(const struct store *s, const struct login_request *request, struct login_result *ret, struct err *e)
{
    AUTO(profile) struct profile p = {0};
    AUTO(credentials) struct credentials c = {0};
    struct login_result r = {0};
    if (load_or_new(s, request->profile, &p, e))
        return -1;
    if (request->credentials) {
        if (credentials_read(request->credentials, &c, e))
            return -1;
        take_credentials(&c, &p);
    }
    if (request->api_client_id) {
        set_text(&p.api_client_id, request->api_client_id);
        set_text(&p.api_client_secret, request->api_client_secret);
    }
    if (take_ca_file(&p, request->ca_file, e) || settle_urls(&p, &request->urls, e) ||
        try_login(s, request, &p, &c, &r, e) || profile_save(s, &p, e))
        return -1;
    *ret = r;
    return 0;
}
