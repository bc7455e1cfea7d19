/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/token.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "cloud/server_error.h"

#define TOKEN_MAX 16384u        /* bytes: what servers take as a header at most */
#define LIFETIME_DEFAULT_S 60   /* where the answer has no expires_in, which RFC 6749 only recommends */
#define LIFETIME_MAX_S 31536000 /* bounds the arithmetic */
#define RENEW_AHEAD_S 30        /* a request must reach the server while its token lives */

struct token {
    struct http *http;
    char *url;
    char *id, *secret, *scope;
    char *bearer;
    int64_t renew_at_s; /* boot clock: it goes on while a laptop sleeps */
};

static int fetch(struct token *t, struct err *e);
static int ask(struct token *t, struct buf *ret_body, struct http_reply *ret_reply, struct err *e);
static void print_form(const struct token *t, struct buf *to);
static int take_answer(struct token *t, const struct http_reply *reply, const struct buf *body,
                       struct err *e);
static bool is_header_safe(const char *text, size_t len);
static void forget(char **secret);
static int64_t boot_time_s(void);

struct token *token_new(struct http *http, const char *url, const struct token_client *client)
{
    struct token *t = mem_zeroed(1, sizeof *t);
    *t = (struct token){
        .http = http,
        .url = mem_strdup(url),
        .id = mem_strdup(client->id),
        .secret = mem_strdup(client->secret),
        .scope = client->scope ? mem_strdup(client->scope) : NULL,
    };
    return t;
}

void token_delete(struct token *t)
{
    if (!t)
        return;
    forget(&t->secret);
    forget(&t->bearer);
    free(t->url);
    free(t->id);
    free(t->scope);
    free(t);
}

int token_header(void *token, bool refused, struct buf *ret_value, struct err *e)
{
    struct token *t = token;
    if (refused || !t->bearer || boot_time_s() >= t->renew_at_s) {
        if (fetch(t, e))
            return err_context(e, "login");
    }
    buf_add_text(ret_value, "Bearer ");
    buf_add_text(ret_value, t->bearer);
    return 0;
}

static int fetch(struct token *t, struct err *e)
{
    AUTO(buf) struct buf body = {0};
    AUTO(http_reply) struct http_reply reply = {0};
    int failed = ask(t, &body, &reply, e);
    bool may_be_the_scope = !failed && reply.status == 400 && t->scope;
    if (may_be_the_scope) { /* credentials.zip names scopes that not every server knows */
        free(t->scope);
        t->scope = NULL;
        http_reply_free(&reply);
        failed = ask(t, &body, &reply, e);
    }
    if (!failed)
        failed = take_answer(t, &reply, &body, e);
    if (body.data)
        explicit_bzero(body.data, body.room);
    return failed;
}

static int ask(struct token *t, struct buf *ret_body, struct http_reply *ret_reply, struct err *e)
{
    AUTO(buf) struct buf form = {0};
    print_form(t, &form);
    struct http_request request = {
        .url = t->url,
        .body = form.data,
        .body_len = form.len,
        .content_type = "application/x-www-form-urlencoded",
        .repeatable = true,
    };
    int failed = http_send(t->http, &request, ret_body, ret_reply, e);
    explicit_bzero(form.data, form.room);
    return failed;
}

static void add_field(struct buf *to, const char *name, const char *value)
{
    buf_addf(to, "&%s=", name);
    http_escape(to, value, strlen(value), false);
}

static void print_form(const struct token *t, struct buf *to)
{
    buf_reserve(to, 64 + 3 * (strlen(t->id) + strlen(t->secret))); /* so that no copy is left behind */
    buf_add_text(to, "grant_type=client_credentials");
    add_field(to, "client_id", t->id);
    add_field(to, "client_secret", t->secret);
    if (t->scope)
        add_field(to, "scope", t->scope);
}

static int take_answer(struct token *t, const struct http_reply *reply, const struct buf *body, struct err *e)
{
    static const struct json_limits limits = {.bytes = 64u << 10, .depth = 8, .nodes = 4096};
    AUTO(json) struct json doc = {0};
    struct json_value access_token, expires_in;
    size_t len;
    int64_t lifetime_s = LIFETIME_DEFAULT_S;
    if (reply->status != 200) {
        bool is_refused = reply->status == 400 || reply->status == 401 || reply->status == 403;
        return server_error_set(e, is_refused ? ERR_LOGIN_REFUSED : ERR_HTTP_STATUS, reply->status, body);
    }
    if (json_parse(&doc, body->data, body->len, &limits, e)) {
        e->id = ERR_BAD_ANSWER;
        return -1;
    }
    if (!json_get_typed(json_root(&doc), "access_token", JSON_STRING, &access_token))
        return err_set(e, ERR_BAD_ANSWER, "the answer holds no access_token");
    const char *text = json_string(access_token, &len);
    if (len == 0 || len > TOKEN_MAX || !is_header_safe(text, len))
        return err_set(e, ERR_BAD_ANSWER, "the answer's access_token cannot be used");
    if (json_get(json_root(&doc), "expires_in", &expires_in) &&
        !json_integer(expires_in, 0, LIFETIME_MAX_S, &lifetime_s))
        return err_set(e, ERR_BAD_ANSWER, "the answer's expires_in cannot be used");
    forget(&t->bearer);
    t->bearer = mem_strndup(text, len);
    t->renew_at_s =
        boot_time_s() + (lifetime_s > 2 * RENEW_AHEAD_S ? lifetime_s - RENEW_AHEAD_S : lifetime_s / 2);
    return 0;
}

/* Visible ASCII: no line end that would begin another header. */
static bool is_header_safe(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    return true;
}

static void forget(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

static int64_t boot_time_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}
