/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/platform.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cloud/platform_answer.h"
#include "cloud/repository.h"

static int add_names(struct json_value list, struct cloud_names *ret);
static int add_packages(struct json_value values, struct cloud_packages *ret);
static int read_package(struct json_value v, struct cloud_package *ret);
static void package_free(struct cloud_package *p);

int cloud_list_lockboxes(struct cloud *c, struct cloud_names *ret, struct err *e)
{
    AUTO(platform_answer) struct platform_answer answer = {0};
    AUTO(cloud_names) struct cloud_names names = {0};
    if (platform_get(c, "/lockboxes", &answer, e))
        return -1;
    if (add_names(json_root(&answer.doc), &names))
        return platform_bad_answer("/lockboxes", e);
    *ret = names;
    names = (struct cloud_names){0};
    return 0;
}

int cloud_fetch_lockbox_details(struct cloud *c, struct cloud_metadata *ret, struct err *e)
{
    AUTO(platform_answer) struct platform_answer answer = {0};
    AUTO(cloud_metadata) struct cloud_metadata m = {0};
    if (platform_get(c, "/lockbox-details", &answer, e))
        return -1;
    struct json_value root = json_root(&answer.doc);
    if (json_type(root) != JSON_OBJECT || json_count(root) > METADATA_LOCKBOXES_MAX)
        return platform_bad_answer("/lockbox-details", e);
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

int cloud_get_lockbox(struct cloud *c, const char *name, struct buf *ret_role, struct err *e)
{
    AUTO(platform_answer) struct platform_answer answer = {0};
    AUTO_FREE char *path = NULL;
    if (repository_check_lockbox_name(name, e))
        return -1;
    path = mem_format("/lockboxes/%s", name); /* letters, digits, '-', '_' */
    if (platform_get(c, path, &answer, e))
        return e->http_status == 404 ? err_set(e, ERR_NO_SUCH_LOCKBOX, "the cloud has no lockbox '%s'", name)
                                     : -1;
    *ret_role = answer.body;
    answer.body = (struct buf){0};
    return 0;
}

int cloud_list_packages(struct cloud *c, struct cloud_packages *ret, struct err *e)
{
    AUTO(cloud_packages) struct cloud_packages packages = {0};
    for (int64_t total = 1; (int64_t)packages.count < total;) {
        AUTO(platform_answer) struct platform_answer answer = {0};
        struct json_value values;
        size_t before = packages.count;
        if (platform_get_page(c, "/packages?", packages.count, PLATFORM_PACKAGES_MAX, &answer, &values,
                              &total, e))
            return -1;
        if (add_packages(values, &packages))
            return platform_bad_answer("/packages", e);
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
        .id = platform_text(v, "packageId"),
        .name = platform_text(v, "name"),
        .version = platform_text(v, "version"),
        .source = platform_text(v, "packageSource"),
        .uri = platform_text(v, "uri"),
        .created_at = platform_text(v, "createdAt"),
    };
    if (!ret->id || !ret->name || !ret->version || !json_get(v, "size", &size) ||
        !json_integer(size, 0, INT64_MAX, &bytes))
        return -1;
    ret->size = (uint64_t)bytes;
    if (json_get(v, "hashes", &hashes))
        ret->sha256 = platform_text(hashes, "sha256");
    return json_get(v, "hardwareIds", &hardware_ids) ? add_names(hardware_ids, &ret->hardware_ids) : 0;
}
