/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/gateway.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/url.h"

struct gateway {
    char *url;
    struct http_identity identity;
    struct http *http;
};

static int choose_url(struct gateway *g, const char *url, struct err *e)
{
    AUTO_FREE char *origin = NULL;
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    g->url = mem_strndup(url, len);
    if (http_origin(g->url, &origin) && url_is_https(origin))
        return 0;
    AUTO(buf) struct buf shown = {0};
    url_show(&shown, g->url);
    return err_set(e, ERR_BAD_CONFIG, "the device gateway '%s' is no https address", buf_text(&shown));
}

int gateway_open(const struct device_credentials *c, const char *url, const struct http_options *options,
                 struct gateway **ret, struct err *e)
{
    struct gateway *g = mem_zeroed(1, sizeof *g);
    struct http_options http = *options;
    g->identity = (struct http_identity){
        .certificate = c->certificate.data,
        .certificate_len = c->certificate.len,
        .key = c->key.data,
        .key_len = c->key.len,
        .ca = c->ca.data,
        .ca_len = c->ca.len,
    };
    http.identity = &g->identity;
    if (choose_url(g,
                   url          ? url
                   : c->gateway ? c->gateway
                                : GATEWAY_DEFAULT,
                   e) ||
        http_open(&http, &g->http, e)) {
        gateway_close(g);
        return -1;
    }
    *ret = g;
    return 0;
}

const char *gateway_url(const struct gateway *g)
{
    return g->url;
}

void gateway_close(struct gateway *g)
{
    if (!g)
        return;
    http_close(g->http);
    free(g->url);
    free(g);
}

int gateway_put_manifest(struct gateway *g, const void *bytes, size_t len, struct gateway_answer *ret,
                         struct err *e)
{
    AUTO(http_reply) struct http_reply reply = {0};
    AUTO_FREE char *url = mem_format("%s/director/manifest", g->url);
    const struct http_request request = {
        .method = "PUT",
        .url = url,
        .body = bytes,
        .body_len = len,
        .content_type = "application/json",
        .max_answer = GATEWAY_ANSWER_MAX,
        .once = true,
        .ret_sent = &ret->may_have_arrived,
    };
    ret->may_have_arrived = false;
    if (http_send(g->http, &request, &ret->body, &reply, e)) {
        ret->status = e->http_status;
        if (e->id == ERR_TOO_LARGE && ret->status) {
            *e = (struct err){0};
            return 0;
        }
        if (e->id == ERR_TLS && g->identity.ca_len)
            err_hint(
                e, "root.crt of the device's ZIP answers for the gateway, in place of --cacert; is this its "
                   "gateway?");
        return -1;
    }
    ret->status = reply.status;
    return 0;
}

void gateway_answer_free(struct gateway_answer *a)
{
    buf_free(&a->body);
    *a = (struct gateway_answer){0};
}
