/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/server_error.h"

#include <stdbool.h>

#include "base/json.h"
#include "base/out.h"

#define SHOWN_MAX 200u /* bytes of a text that a server chose */

static bool add_text(struct json_value object, const char *key, const char *before, struct buf *to);

int server_error_set(struct err *e, enum err_id id, int status, const struct buf *body)
{
    static const struct json_limits limits = {.bytes = 64u << 10, .depth = 16, .nodes = 4096};
    AUTO(json) struct json doc = {0};
    AUTO(buf) struct buf said = {0};
    struct err ignored;
    if (json_parse(&doc, body->data, body->len, &limits, &ignored) == 0) {
        struct json_value root = json_root(&doc);
        if (!add_text(root, "msg", ": ", &said) && !add_text(root, "description", ": ", &said))
            add_text(root, "error_description", ": ", &said);
        if (!add_text(root, "code", " / ", &said))
            add_text(root, "error", " / ", &said);
    }
    err_set(e, id, "the server answers %d%s", status, buf_text(&said));
    e->http_status = status;
    return -1;
}

enum err_id server_error_id(int status)
{
    switch (status) {
    case 401:
        return ERR_LOGIN_REFUSED;
    case 403:
        return ERR_NOT_ALLOWED;
    case 404:
    case 410:
        return ERR_NO_SUCH_FILE;
    case 420:
    case 429:
        return ERR_RATE_LIMITED;
    default:
        return ERR_HTTP_STATUS;
    }
}

static bool add_text(struct json_value object, const char *key, const char *before, struct buf *to)
{
    struct json_value value;
    size_t len;
    if (!json_get_typed(object, key, JSON_STRING, &value))
        return false;
    const char *text = json_string(value, &len);
    buf_add_text(to, before);
    out_escape(to, text, len < SHOWN_MAX ? len : SHOWN_MAX);
    return true;
}
