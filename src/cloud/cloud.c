/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/cloud.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cloud/cloud_internal.h"

static int open_door(struct door *d, const char *base, struct token *token, struct err *e);
static void close_door(struct door *d);
static int check_token(struct token *t, struct err *e);

int cloud_open(const struct cloud_login *login, const struct http_options *options, struct cloud **ret,
               struct err *e)
{
    const struct cloud_endpoints *at = login->endpoints;
    struct cloud *c = mem_zeroed(1, sizeof *c);
    int failed = http_open(options, &c->http, e);
    if (!failed) {
        if (login->uptane.id)
            c->uptane_token = token_new(c->http, at->token, &login->uptane);
        if (login->api.id)
            c->api_token = token_new(c->http, at->api_token, &login->api);
        failed = open_door(&c->director, at->director, c->uptane_token, e) ||
                 open_door(&c->repo, at->repo, c->uptane_token, e) ||
                 open_door(&c->ostree, at->ostree, c->uptane_token, e) ||
                 open_door(&c->feed, at->feed, NULL, e) || open_door(&c->api, at->api, c->api_token, e);
    }
    if (failed) {
        cloud_close(c);
        return -1;
    }
    *ret = c;
    return 0;
}

void cloud_close(struct cloud *c)
{
    if (!c)
        return;
    close_door(&c->director);
    close_door(&c->repo);
    close_door(&c->ostree);
    close_door(&c->feed);
    close_door(&c->api);
    token_delete(c->uptane_token);
    token_delete(c->api_token);
    http_close(c->http);
    free(c);
}

struct http *cloud_http(struct cloud *c)
{
    return c->http;
}

bool cloud_has_api(const struct cloud *c)
{
    return c->api_token != NULL;
}

int cloud_check_login(struct cloud *c, struct err *e)
{
    return check_token(c->uptane_token, e) || check_token(c->api_token, e) ? -1 : 0;
}

void cloud_source_free(struct cloud_source *s)
{
    free(s->url);
    *s = (struct cloud_source){0};
}

void cloud_target_source(struct cloud *c, const char *target, const char *uri, struct cloud_source *ret)
{
    if (uri) {
        *ret = (struct cloud_source){.url = mem_strdup(uri)};
        return;
    }
    AUTO(buf) struct buf url = {0};
    buf_addf(&url, "%s/api/v1/user_repo/targets/", c->repo.base);
    http_escape(&url, target, strlen(target), true);
    *ret = (struct cloud_source){.url = buf_steal_text(&url), .auth = door_auth(&c->repo)};
}

size_t cloud_ostree_sources(struct cloud *c, const char *uri, struct cloud_source ret[CLOUD_OSTREE_SOURCES])
{
    size_t count = 0;
    AUTO_FREE char *origin = NULL;
    if (c->ostree.base)
        ret[count++] =
            (struct cloud_source){.url = mem_strdup(c->ostree.base), .auth = door_auth(&c->ostree)};
    if (uri && http_origin(uri, &origin)) {
        size_t len = strlen(uri);
        while (len > 0 && uri[len - 1] == '/')
            len--;
        AUTO_FREE char *base = mem_strndup(uri, len);
        bool is_the_accounts = c->ostree.base && strcmp(base, c->ostree.base) == 0;
        if (!is_the_accounts) /* which was asked with the login already */
            ret[count++] = (struct cloud_source){.url = steal_ptr(base)};
    }
    if (c->feed.base)
        ret[count++] = (struct cloud_source){.url = mem_strdup(c->feed.base)};
    return count;
}

char *cloud_ostree_url(const struct cloud_source *repository, const char *path)
{
    AUTO(buf) struct buf url = {0};
    buf_addf(&url, "%s/", repository->url);
    http_escape(&url, path, strlen(path), true);
    return buf_steal_text(&url);
}

const struct http_auth *door_auth(const struct door *d)
{
    return d->has_login ? &d->auth : NULL;
}

static int open_door(struct door *d, const char *base, struct token *token, struct err *e)
{
    if (!base)
        return 0;
    d->base = mem_strdup(base);
    if (strncmp(base, CLOUD_FILE, strlen(CLOUD_FILE)) == 0)
        return 0;
    if (!http_origin(base, &d->origin))
        return err_set(e, ERR_BAD_CONFIG, "'%s' is no http or https address", base);
    d->has_login = token != NULL;
    d->auth = (struct http_auth){.origin = d->origin, .header = token_header, .ctx = token};
    return 0;
}

static void close_door(struct door *d)
{
    free(d->base);
    free(d->origin);
}

static int check_token(struct token *t, struct err *e)
{
    AUTO(buf) struct buf value = {0};
    if (!t)
        return 0;
    int failed = token_header(t, false, &value, e);
    if (value.data)
        explicit_bzero(value.data, value.room);
    return failed;
}
