/* SPDX-License-Identifier: Apache-2.0 */
#include "account/login.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "account/session.h"
#include "base/json.h"
#include "base/mem.h"
#include "cloud/credentials.h"
#include "cloud/repository.h"
#include "crypto/canonical.h"

static void set_text(char **to, const char *text)
{
    char *copy = text ? mem_strdup(text) : NULL;
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

/* ---- the roots ---- */

struct root {
    int64_t version;
    uint8_t digest[HASH_SIZE];
};

static int read_root(const struct buf *bytes, struct root *ret, struct err *e)
{
    AUTO(json) struct json doc = {0};
    struct json_value signed_part, version;
    if (json_parse(&doc, bytes->data, bytes->len, &json_role_limits, e))
        return -1;
    if (!json_get_typed(json_root(&doc), "signed", JSON_OBJECT, &signed_part) ||
        !json_get(signed_part, "version", &version) || !json_integer(version, 1, INT32_MAX, &ret->version))
        return err_set(e, ERR_BAD_ROLE, "no root with a version");
    canonical_hash(json_root(&doc), ret->digest);
    return 0;
}

static int fetch_root(struct cloud *cloud, enum repository repo, int64_t version, struct buf *ret,
                      struct err *e)
{
    AUTO_FREE char *file = mem_format("%" PRId64 ".root.json", version);
    struct role_request request = {.repository = repo, .file = file};
    if (repository_fetch(cloud, &request, 1, PIN_BYTES_MAX, e))
        return -1;
    if (request.ret_is_missing)
        return err_set(e, ERR_MISSING_ROLE, "the cloud does not serve %s", file);
    *ret = request.ret_bytes;
    return 0;
}

/* The cloud must serve the very root that is trusted (of a trusted one's version; version 1 where none is).
 */
static int compare_with_cloud(struct cloud *cloud, enum repository repo, const struct buf *trusted,
                              struct buf *ret_served, struct root *ret, struct err *e)
{
    struct root known = {.version = 1};
    if (trusted->len && read_root(trusted, &known, e))
        return err_context(e, "the trusted root");
    if (fetch_root(cloud, repo, known.version, ret_served, e) || read_root(ret_served, ret, e))
        return -1;
    if (trusted->len && memcmp(known.digest, ret->digest, HASH_SIZE) != 0)
        return err_set(e, ERR_ROOT_CHANGED,
                       "the cloud serves another root version %" PRId64 " than the trusted one",
                       known.version);
    return 0;
}

/* What was pinned before and what the credentials carry must both be the cloud's; where nothing was pinned,
 * the credentials' root is from now on, else the cloud's first. */
static int settle_root(struct cloud *cloud, enum pin_repo repo, const struct buf *carried, struct buf *pin,
                       struct login_result *r, struct err *e)
{
    enum repository where = repo == PIN_DIRECTOR ? REPOSITORY_DIRECTOR : REPOSITORY_IMAGE;
    AUTO(buf) struct buf served = {0};
    AUTO(buf) struct buf again = {0};
    struct root first, other;
    if (compare_with_cloud(cloud, where, pin->len ? pin : carried, &served, &first, e) ||
        (pin->len && carried->len && compare_with_cloud(cloud, where, carried, &again, &other, e)))
        return -1;
    memcpy(r->fingerprint[repo], first.digest, HASH_SIZE);
    r->has_root[repo] = true;
    if (!pin->len)
        buf_add(pin, served.data, served.len);
    return 0;
}

static int pin_roots(const struct store *s, const char *profile, struct cloud *cloud,
                     const struct credentials *c, struct login_result *r, struct err *e)
{
    AUTO(pins) struct pins pins = {0};
    const struct buf *carried[] = {[PIN_DIRECTOR] = &c->director_root, [PIN_IMAGE] = &c->image_root};
    static const char *const names[] = {[PIN_DIRECTOR] = "director", [PIN_IMAGE] = "image repository"};
    if (pins_load(s, profile, &pins, e))
        return -1;
    for (size_t repo = 0; repo < COUNT_OF(carried); repo++) {
        bool pinned = pins.first[repo].len != 0;
        r->first_contact = r->first_contact || !pinned;
        r->from_credentials = r->from_credentials || carried[repo]->len;
        if (settle_root(cloud, (enum pin_repo)repo, carried[repo], &pins.first[repo], r, e))
            return err_context(e, "%s", names[repo]);
    }
    return pins_save(s, profile, &pins, e);
}

/* ---- together ---- */

static int try_login(const struct store *s, const struct profile *p, const struct credentials *c,
                     struct login_result *r, struct err *e)
{
    struct cloud *cloud;
    if (session_open(p, NULL, &cloud, e))
        return -1;
    r->uptane = p->repo_url != NULL;
    r->api = p->api_client_id != NULL;
    int rc = cloud_check_login(cloud, e);
    if (rc == 0 && r->uptane)
        rc = pin_roots(s, p->name, cloud, c, r, e);
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
        try_login(s, &p, &c, &r, e) || profile_save(s, &p, e))
        return -1;
    *ret = r;
    return 0;
}
