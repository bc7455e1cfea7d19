/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/platform.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cloud/cloud_internal.h"
#include "cloud/repository.h"
#include "cloud/server_error.h"

#define PAGE_SIZE 500

/* An answer and its parsed form, which points into it. */
struct platform_answer {
    struct buf body;
    struct json doc;
};

static void platform_answer_free(struct platform_answer *a);
static int get(struct cloud *c, const char *path, struct platform_answer *ret, struct err *e);
static int bad_answer(const char *path, struct err *e);
static int add_names(struct json_value list, struct cloud_names *ret);
static int add_packages(struct json_value values, struct cloud_packages *ret);
static int read_package(struct json_value v, struct cloud_package *ret);
static void package_free(struct cloud_package *p);
static char *text_of(struct json_value object, const char *key);

int cloud_list_lockboxes(struct cloud *c, struct cloud_names *ret, struct err *e)
{
    AUTO(platform_answer) struct platform_answer answer = {0};
    AUTO(cloud_names) struct cloud_names names = {0};
    if (get(c, "/lockboxes", &answer, e))
        return -1;
    if (add_names(json_root(&answer.doc), &names))
        return bad_answer("/lockboxes", e);
    *ret = names;
    names = (struct cloud_names){0};
    return 0;
}

int cloud_fetch_lockbox_details(struct cloud *c, struct cloud_metadata *ret, struct err *e)
{
    AUTO(platform_answer) struct platform_answer answer = {0};
    AUTO(cloud_metadata) struct cloud_metadata m = {0};
    if (get(c, "/lockbox-details", &answer, e))
        return -1;
    struct json_value root = json_root(&answer.doc);
    if (json_type(root) != JSON_OBJECT || json_count(root) > METADATA_LOCKBOXES_MAX)
        return bad_answer("/lockbox-details", e);
    for (size_t i = 0; i < json_count(root); i++) {
        size_t name_len, len;
        const char *key = json_key_at(root, i, &name_len);
        AUTO_FREE char *name = mem_strndup(key, name_len);
        if (repository_check_lockbox_name(name, e))
            return -1;
        struct buf role = {0};
        const uint8_t *bytes = json_raw(json_at(root, i), &len);
        buf_add(&role, bytes, len);
        cloud_metadata_put(&m, mem_format("director/%s.json", name), &role);
    }
    *ret = m;
    m = (struct cloud_metadata){0};
    return 0;
}

int cloud_list_packages(struct cloud *c, struct cloud_packages *ret, struct err *e)
{
    AUTO(cloud_packages) struct cloud_packages packages = {0};
    for (int64_t total = 1; (int64_t)packages.count < total;) {
        AUTO(platform_answer) struct platform_answer answer = {0};
        AUTO_FREE char *path = mem_format("/packages?offset=%zu&limit=%d", packages.count, PAGE_SIZE);
        struct json_value values, total_value;
        size_t before = packages.count;
        if (get(c, path, &answer, e))
            return -1;
        if (!json_get_typed(json_root(&answer.doc), "values", JSON_ARRAY, &values) ||
            !json_get(json_root(&answer.doc), "total", &total_value) ||
            !json_integer(total_value, 0, PLATFORM_PACKAGES_MAX, &total) || add_packages(values, &packages))
            return bad_answer("/packages", e);
        if (packages.count == before)
            break; /* packages were removed while the pages were asked for */
    }
    *ret = packages;
    packages = (struct cloud_packages){0};
    return 0;
}

void cloud_names_free(struct cloud_names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->names[i]);
    free(n->names);
    *n = (struct cloud_names){0};
}

void cloud_packages_free(struct cloud_packages *p)
{
    for (size_t i = 0; i < p->count; i++)
        package_free(&p->list[i]);
    free(p->list);
    *p = (struct cloud_packages){0};
}

static void package_free(struct cloud_package *p)
{
    free(p->id);
    free(p->name);
    free(p->version);
    free(p->sha256);
    free(p->source);
    free(p->uri);
    free(p->created_at);
    cloud_names_free(&p->hardware_ids);
}

/* ---- one request ---- */

static int get(struct cloud *c, const char *path, struct platform_answer *ret, struct err *e)
{
    static const struct json_limits limits = {
        .bytes = PLATFORM_ANSWER_MAX, .depth = JSON_DEPTH_MAX, .nodes = PLATFORM_NODES_MAX};
    AUTO(http_reply) struct http_reply reply = {0};
    if (!cloud_has_api(c)) {
        err_set(e, ERR_NO_PROFILE, "there is no API client");
        return err_hint(e, "airlock login --api-client");
    }
    AUTO_FREE char *url = mem_format("%s%s", c->api.base, path);
    struct http_request request = {.url = url, .auth = door_auth(&c->api), .max_answer = PLATFORM_ANSWER_MAX};
    if (http_send(c->http, &request, &ret->body, &reply, e))
        return -1;
    if (reply.status != 200) {
        server_error_set(e, server_error_id(reply.status), reply.status, &ret->body);
        return err_context(e, "platform API");
    }
    if (json_parse(&ret->doc, ret->body.data, ret->body.len, &limits, e)) {
        e->id = ERR_BAD_ANSWER;
        return err_context(e, "platform API");
    }
    return 0;
}

static int bad_answer(const char *path, struct err *e)
{
    return err_set(e, ERR_BAD_ANSWER, "platform API: the answer to '%s' has another form than documented",
                   path);
}

static void platform_answer_free(struct platform_answer *a)
{
    json_free(&a->doc);
    buf_free(&a->body);
}

/* ---- reading ---- */

static int add_names(struct json_value list, struct cloud_names *ret)
{
    if (json_type(list) != JSON_ARRAY)
        return -1;
    for (size_t i = 0; i < json_count(list); i++) {
        char *name = json_string_copy(json_at(list, i));
        if (!name)
            return -1;
        mem_grow(&ret->names, ret->count, &ret->room, sizeof *ret->names);
        ret->names[ret->count++] = name;
    }
    return 0;
}

static int add_packages(struct json_value values, struct cloud_packages *ret)
{
    for (size_t i = 0; i < json_count(values); i++) {
        struct cloud_package package = {0};
        if (ret->count >= PLATFORM_PACKAGES_MAX || read_package(json_at(values, i), &package)) {
            package_free(&package);
            return -1;
        }
        mem_grow(&ret->list, ret->count, &ret->room, sizeof *ret->list);
        ret->list[ret->count++] = package;
    }
    return 0;
}

static int read_package(struct json_value v, struct cloud_package *ret)
{
    struct json_value size, hashes, hardware_ids;
    int64_t bytes;
    *ret = (struct cloud_package){
        .id = text_of(v, "packageId"),
        .name = text_of(v, "name"),
        .version = text_of(v, "version"),
        .source = text_of(v, "packageSource"),
        .uri = text_of(v, "uri"),
        .created_at = text_of(v, "createdAt"),
    };
    if (!ret->id || !ret->name || !ret->version || !json_get(v, "size", &size) ||
        !json_integer(size, 0, INT64_MAX, &bytes))
        return -1;
    ret->size = (uint64_t)bytes;
    if (json_get(v, "hashes", &hashes))
        ret->sha256 = text_of(hashes, "sha256");
    return json_get(v, "hardwareIds", &hardware_ids) ? add_names(hardware_ids, &ret->hardware_ids) : 0;
}

/* NULL where there is no such member or it is no string. */
static char *text_of(struct json_value object, const char *key)
{
    struct json_value value;
    return json_get_typed(object, key, JSON_STRING, &value) ? json_string_copy(value) : NULL;
}
