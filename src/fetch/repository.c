/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/repository.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"
#include "fetch/image_manifest.h"
#include "net/url.h"

#define TOKEN_MAX 32768u /* bytes: GitLab's and Amazon's are some thousand */

static int ask(struct repository *r, const char *url, struct buf *ret, struct http_reply *reply,
               struct err *e);
static int take_challenge(struct repository *r, const char *header, struct err *e);
static int login_header(void *repository, bool refused, struct buf *ret_value, struct err *e);
static int set_status(const struct repository *r, int status, struct err *e);

static void wipe(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

void repository_delete(struct repository *r)
{
    challenge_free(&r->challenge);
    wipe(&r->bearer);
    free(r->path);
    free(r->origin);
    free(r);
}

char *repository_blob(const struct repository *r, const uint8_t digest[HASH_SIZE])
{
    char hex[HASH_HEX_SIZE];
    hash_hex(digest, hex);
    return mem_format("%s/v2/%s/blobs/sha256:%s", r->registry->base, r->path, hex);
}

const struct http_auth *repository_auth(const struct repository *r)
{
    return r->auth.origin ? &r->auth : NULL;
}

struct http *repository_http(const struct repository *r)
{
    return r->registry->http;
}

bool repository_was_asked(const struct repository *r)
{
    return r->was_asked;
}

const char *repository_registry(const struct repository *r)
{
    return r->registry->host;
}

int repository_manifest(struct repository *r, const uint8_t digest[HASH_SIZE], struct buf *ret, struct err *e)
{
    char hex[HASH_HEX_SIZE];
    uint8_t arrived[HASH_SIZE];
    AUTO(buf) struct buf body = {0};
    AUTO(http_reply) struct http_reply reply = {0};
    hash_hex(digest, hex);
    AUTO_FREE char *url = mem_format("%s/v2/%s/manifests/sha256:%s", r->registry->base, r->path, hex);
    int rc = ask(r, url, &body, &reply, e);
    if (rc == 0 && reply.status == 401 && !r->auth.origin) {
        AUTO_FREE char *challenge = steal_ptr(reply.challenge);
        http_reply_free(&reply);
        rc = take_challenge(r, challenge, e) || ask(r, url, &body, &reply, e);
    }
    if (rc == 0 && reply.status != 200)
        rc = set_status(r, reply.status, e);
    hash_of(body.data, body.len, arrived);
    if (rc == 0 && memcmp(arrived, digest, HASH_SIZE) != 0)
        rc = err_set(e, ERR_WRONG_HASH, "the registry sends a manifest of another digest");
    if (rc)
        return err_context(e, "manifest sha256:%s of '%s'", hex, r->path);
    r->was_asked = true;
    *ret = body;
    body = (struct buf){0};
    return 0;
}

static int ask(struct repository *r, const char *url, struct buf *ret, struct http_reply *reply,
               struct err *e)
{
    static const char *const headers[] = {"Accept: " IMAGE_MEDIA_TYPES, NULL};
    const struct http_request request = {
        .url = url, .auth = repository_auth(r), .headers = headers, .max_answer = IMAGE_JSON_MAX};
    if (http_send(r->registry->http, &request, ret, reply, e) == 0)
        return 0;
    if (e->id == ERR_TOO_LARGE)
        return err_set(e, ERR_DEVICE_LIMIT, "it has more than the %u bytes that the device reads",
                       IMAGE_JSON_MAX);
    return e->id == ERR_LOGIN_REFUSED ? set_status(r, 401, e) : -1;
}

/* ---- refusals ---- */

static int refuse_login(const struct repository *r, const char *what, struct err *e)
{
    const struct registry_login *l = &r->registry->login;
    if (l->user)
        err_set(e, ERR_LOGIN_REFUSED, "the registry '%s' %s, as user '%s'", r->registry->host, what, l->user);
    else
        err_set(e, ERR_LOGIN_REFUSED, "the registry '%s' %s, without a login", r->registry->host, what);
    return err_hint(e, "give a login with --login %s, or docker login %s; or is the image's name wrong?",
                    r->registry->host, r->registry->host);
}

static int set_status(const struct repository *r, int status, struct err *e)
{
    const char *host = r->registry->host;
    if (status == 401)
        refuse_login(r, "does not give the image", e);
    else if (status == 403)
        err_set(e, ERR_NOT_ALLOWED, "the registry '%s' does not allow it", host);
    else if (status == 404)
        err_set(e, ERR_NO_SUCH_FILE, "the registry '%s' does not have it", host);
    else
        err_set(e, ERR_HTTP_STATUS, "the registry '%s' answers %d", host, status);
    e->http_status = status;
    return -1;
}

/* ---- logging in ---- */

/* Looked for when a registry asks for it, and not before: a helper may have to wake a person. */
static int find_login(struct repository *r, struct err *e)
{
    struct registry *registry = r->registry;
    const struct registry_options *o = r->options;
    if (registry->looked_for_login)
        return 0;
    registry->looked_for_login = true;
    for (size_t i = 0; i < o->login_count; i++)
        if (registry_is_same(o->logins[i].registry, registry->host)) {
            registry->login = (struct registry_login){
                .registry = mem_strdup(registry->host),
                .user = mem_strdup(o->logins[i].user),
                .secret = mem_strdup(o->logins[i].secret),
            };
            return 0;
        }
    return registry_login_of_docker(o->docker_folder, registry->host, &registry->login, e);
}

/* A password that came over TLS, or from this machine, does not go on in the clear. */
static bool may_ask_realm(const struct repository *r)
{
    return url_is_https(r->challenge.realm) || !url_is_https(r->registry->base);
}

static int take_challenge(struct repository *r, const char *header, struct err *e)
{
    const char *host = r->registry->host;
    if (!challenge_parse(header, &r->challenge))
        return err_set(e, ERR_LOGIN_REFUSED, "the registry '%s' asks for a login of an unknown kind", host);
    if (!http_origin(r->registry->base, &r->origin))
        return err_set(e, ERR_BAD_URL, "'%s' is no address of a registry", host);
    if (r->challenge.kind == CHALLENGE_BEARER && !may_ask_realm(r))
        return err_set(e, ERR_BAD_URL, "the registry '%s' sends logins to a server without TLS", host);
    if (find_login(r, e))
        return -1;
    if (r->challenge.kind == CHALLENGE_BASIC && !r->registry->login.user)
        return refuse_login(r, "asks for a login", e);
    r->auth = (struct http_auth){.origin = r->origin, .header = login_header, .ctx = r};
    return 0;
}

static void add_basic(const struct registry_login *l, struct buf *to)
{
    AUTO(buf) struct buf plain = {0};
    buf_addf(&plain, "%s:%s", l->user, l->secret);
    buf_add_text(to, "Basic ");
    base64_encode(to, plain.data, plain.len);
    explicit_bzero(plain.data, plain.room);
}

/* ---- tokens ---- */

static void add_field(struct buf *to, const char *name, const char *value)
{
    buf_addf(to, "%s%s=", to->len ? "&" : "", name);
    http_escape(to, value, strlen(value), false);
}

/* service and scope; without a scope of the registry's own, the right to read this repository. */
static void add_question(const struct repository *r, struct buf *to)
{
    AUTO_FREE char *scope =
        r->challenge.scope ? mem_strdup(r->challenge.scope) : mem_format("repository:%s:pull", r->path);
    if (r->challenge.service)
        add_field(to, "service", r->challenge.service);
    add_field(to, "scope", scope);
}

static int basic_header(void *repository, bool refused, struct buf *ret_value, struct err *e)
{
    const struct repository *r = repository;
    if (refused)
        return refuse_login(r, "refuses the login", e);
    add_basic(&r->registry->login, ret_value);
    return 0;
}

/* GET with or without a password (Docker's token specification). */
static int ask_by_get(struct repository *r, struct buf *ret, struct http_reply *reply, struct err *e)
{
    AUTO(buf) struct buf query = {0};
    AUTO_FREE char *origin = NULL;
    add_question(r, &query);
    AUTO_FREE char *url = mem_format("%s%c%s", r->challenge.realm,
                                     strchr(r->challenge.realm, '?') ? '&' : '?', buf_text(&query));
    if (!http_origin(url, &origin))
        return err_set(e, ERR_BAD_URL, "the registry '%s' names a token server that is no address",
                       r->registry->host);
    const struct http_auth auth = {.origin = origin, .header = basic_header, .ctx = r};
    const struct http_request request = {.url = url, .auth = r->registry->login.user ? &auth : NULL};
    return http_send(r->registry->http, &request, ret, reply, e);
}

/* POST with the refresh token that Docker keeps as "identitytoken" (Docker's OAuth2 token specification). */
static int ask_by_post(struct repository *r, struct buf *ret, struct http_reply *reply, struct err *e)
{
    AUTO(buf) struct buf form = {0};
    buf_reserve(&form, 1024 + 3 * strlen(r->registry->login.secret)); /* so that no copy is left behind */
    add_question(r, &form);
    add_field(&form, "grant_type", "refresh_token");
    add_field(&form, "client_id", "airlock");
    add_field(&form, "refresh_token", r->registry->login.secret);
    const struct http_request request = {
        .url = r->challenge.realm,
        .body = form.data,
        .body_len = form.len,
        .content_type = "application/x-www-form-urlencoded",
        .repeatable = true,
    };
    int rc = http_send(r->registry->http, &request, ret, reply, e);
    explicit_bzero(form.data, form.room);
    return rc;
}

/* Visible ASCII: no line end that would begin another header. */
static bool is_header_safe(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return len > 0 && len <= TOKEN_MAX;
}

static int read_token(struct repository *r, const struct buf *body, struct err *e)
{
    static const struct json_limits limits = {.bytes = 64u << 10, .depth = 8, .nodes = 4096};
    AUTO(json) struct json doc = {0};
    struct json_value token;
    size_t len = 0;
    if (json_parse(&doc, body->data, body->len, &limits, e) ||
        (!json_get_typed(json_root(&doc), "token", JSON_STRING, &token) &&
         !json_get_typed(json_root(&doc), "access_token", JSON_STRING, &token)))
        return err_set(e, ERR_BAD_ANSWER, "the answer holds no token");
    const char *text = json_string(token, &len);
    if (!is_header_safe(text, len))
        return err_set(e, ERR_BAD_ANSWER, "the answer's token cannot be used");
    wipe(&r->bearer);
    r->bearer = mem_strndup(text, len);
    return 0;
}

static int fetch_token(struct repository *r, struct err *e)
{
    AUTO(buf) struct buf body = {0};
    AUTO(http_reply) struct http_reply reply = {0};
    int rc = r->registry->login.is_token ? ask_by_post(r, &body, &reply, e) : ask_by_get(r, &body, &reply, e);
    if (rc == 0 && (reply.status == 400 || reply.status == 401 || reply.status == 403))
        rc = refuse_login(r, "refuses the login", e);
    else if (rc == 0 && reply.status != 200)
        rc = err_set(e, ERR_HTTP_STATUS, "the registry's token server answers %d", reply.status);
    if (rc == 0)
        rc = read_token(r, &body, e);
    if (body.data)
        explicit_bzero(body.data, body.room);
    return rc ? err_context(e, "login to '%s'", r->registry->host) : 0;
}

/* http_auth.header */
static int login_header(void *repository, bool refused, struct buf *ret_value, struct err *e)
{
    struct repository *r = repository;
    if (r->challenge.kind == CHALLENGE_BASIC)
        return basic_header(r, refused, ret_value, e);
    if ((refused || !r->bearer) && fetch_token(r, e))
        return -1;
    buf_add_text(ret_value, "Bearer ");
    buf_add_text(ret_value, r->bearer);
    return 0;
}
