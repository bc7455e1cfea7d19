/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/platform_answer.h"

#include <string.h>

#include "base/mem.h"
#include "cloud/platform.h"
#include "cloud/server_error.h"

#define PAGE_SIZE 500

static int send(struct cloud *c, const char *path, struct http_request *request, struct buf *ret_body,
                struct err *e)
{
    AUTO(http_reply) struct http_reply reply = {0};
    if (!cloud_has_api(c)) {
        err_set(e, ERR_NO_PROFILE, "there is no API client");
        return err_hint(e, "airlock login --api-client");
    }
    AUTO_FREE char *url = mem_format("%s%s", c->api.base, path);
    request->url = url;
    request->auth = door_auth(&c->api);
    request->max_answer = PLATFORM_ANSWER_MAX;
    if (http_send(c->http, request, ret_body, &reply, e))
        return -1;
    if (reply.status / 100 == 2)
        return 0;
    server_error_set(e, server_error_id(reply.status), reply.status, ret_body);
    return err_context(e, "platform API");
}

int platform_get(struct cloud *c, const char *path, struct platform_answer *ret, struct err *e)
{
    static const struct json_limits limits = {
        .bytes = PLATFORM_ANSWER_MAX, .depth = JSON_DEPTH_MAX, .nodes = PLATFORM_NODES_MAX};
    struct http_request request = {0};
    if (send(c, path, &request, &ret->body, e))
        return -1;
    if (json_parse(&ret->doc, ret->body.data, ret->body.len, &limits, e)) {
        e->id = ERR_BAD_ANSWER;
        return err_context(e, "platform API");
    }
    return 0;
}

int platform_get_page(struct cloud *c, const char *path, size_t offset, size_t max,
                      struct platform_answer *ret, struct json_value *ret_values, int64_t *ret_total,
                      struct err *e)
{
    AUTO_FREE char *page = mem_format("%soffset=%zu&limit=%d", path, offset, PAGE_SIZE);
    struct json_value total;
    if (platform_get(c, page, ret, e))
        return -1;
    if (json_get_typed(json_root(&ret->doc), "values", JSON_ARRAY, ret_values) &&
        json_get(json_root(&ret->doc), "total", &total) && json_integer(total, 0, (int64_t)max, ret_total))
        return 0;
    AUTO_FREE char *shown = mem_strndup(path, strcspn(path, "?"));
    return platform_bad_answer(shown, e);
}

int platform_put(struct cloud *c, const char *path, const char *json, struct err *e)
{
    AUTO(buf) struct buf ignored = {0};
    struct http_request request = {
        .method = "PUT", .body = json, .body_len = strlen(json), .content_type = "application/json"};
    return send(c, path, &request, &ignored, e);
}

int platform_post(struct cloud *c, const char *path, const char *json, struct buf *ret_body, struct err *e)
{
    struct http_request request = {
        .body = json, .body_len = strlen(json), .content_type = "application/json", .once = true};
    return send(c, path, &request, ret_body, e);
}

int platform_bad_answer(const char *path, struct err *e)
{
    return err_set(e, ERR_BAD_ANSWER, "platform API: the answer to '%s' has another form than documented",
                   path);
}

char *platform_text(struct json_value object, const char *key)
{
    struct json_value value;
    return json_get_typed(object, key, JSON_STRING, &value) ? json_string_copy(value) : NULL;
}

void platform_answer_free(struct platform_answer *a)
{
    json_free(&a->doc);
    buf_free(&a->body);
}
