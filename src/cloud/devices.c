/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/devices.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cloud/device_credentials.h"
#include "cloud/platform_answer.h"

#define PAGE_SIZE 500

void cloud_device_free(struct cloud_device *d)
{
    free(d->uuid);
    free(d->name);
    free(d->id);
    free(d->last_seen);
    *d = (struct cloud_device){0};
}

/* The UUID becomes a part of paths: nothing else is let through. */
static int read_device(struct json_value v, struct cloud_device *ret)
{
    *ret = (struct cloud_device){.uuid = platform_text(v, "deviceUuid"),
                                 .name = platform_text(v, "deviceName"),
                                 .id = platform_text(v, "deviceId"),
                                 .last_seen = platform_text(v, "lastSeen")};
    if (device_uuid_check(ret->uuid) && ret->name)
        return 0;
    cloud_device_free(ret);
    return -1;
}

static int add_devices(struct json_value values, struct cloud_devices *ret)
{
    for (size_t i = 0; i < json_count(values); i++) {
        struct cloud_device d;
        if (ret->count >= DEVICES_MAX || read_device(json_at(values, i), &d))
            return -1;
        mem_grow(&ret->list, ret->count, &ret->room, sizeof *ret->list);
        ret->list[ret->count++] = d;
    }
    return 0;
}

int cloud_list_devices(struct cloud *c, struct cloud_devices *ret, struct err *e)
{
    AUTO(cloud_devices) struct cloud_devices devices = {0};
    for (int64_t total = 1; (int64_t)devices.count < total;) {
        AUTO(platform_answer) struct platform_answer answer = {0};
        AUTO_FREE char *path =
            mem_format("/devices?sortBy=Uuid&offset=%zu&limit=%d", devices.count, PAGE_SIZE);
        struct json_value values, total_value;
        size_t before = devices.count;
        if (platform_get(c, path, &answer, e))
            return -1;
        if (!json_get_typed(json_root(&answer.doc), "values", JSON_ARRAY, &values) ||
            !json_get(json_root(&answer.doc), "total", &total_value) ||
            !json_integer(total_value, 0, DEVICES_MAX, &total) || add_devices(values, &devices))
            return platform_bad_answer("/devices", e);
        if (devices.count == before)
            break; /* devices were removed while the pages were asked for */
    }
    *ret = devices;
    devices = (struct cloud_devices){0};
    return 0;
}

void cloud_devices_free(struct cloud_devices *d)
{
    for (size_t i = 0; i < d->count; i++)
        cloud_device_free(&d->list[i]);
    free(d->list);
    *d = (struct cloud_devices){0};
}

int cloud_get_device(struct cloud *c, const char *uuid, struct cloud_device *ret, struct err *e)
{
    AUTO(platform_answer) struct platform_answer answer = {0};
    AUTO_FREE char *path = mem_format("/devices/%s", uuid);
    if (platform_get(c, path, &answer, e))
        return -1;
    return read_device(json_root(&answer.doc), ret) ? platform_bad_answer("/devices/...", e) : 0;
}

int cloud_count_assignments(struct cloud *c, const char *uuid, size_t *ret, struct err *e)
{
    AUTO(platform_answer) struct platform_answer answer = {0};
    AUTO_FREE char *path = mem_format("/devices/uptane/%s/assignment", uuid);
    if (platform_get(c, path, &answer, e))
        return -1;
    if (json_type(json_root(&answer.doc)) != JSON_ARRAY)
        return platform_bad_answer("/devices/uptane/.../assignment", e);
    *ret = json_count(json_root(&answer.doc));
    return 0;
}

int cloud_create_device(struct cloud *c, const char *id, const char *name, struct buf *ret_zip, struct err *e)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "deviceId", id);
    if (name)
        cJSON_AddStringToObject(body, "deviceName", name);
    AUTO_FREE char *json = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    return platform_post(c, "/devices", json, ret_zip, e);
}

int cloud_device_serial(struct cloud *c, const char *uuid, char **ret, struct err *e)
{
    AUTO(platform_answer) struct platform_answer answer = {0};
    AUTO_FREE char *path = mem_format("/devices/uptane/%s/components", uuid);
    if (platform_get(c, path, &answer, e))
        return -1;
    struct json_value list = json_root(&answer.doc);
    if (json_type(list) != JSON_ARRAY)
        return platform_bad_answer("/devices/uptane/.../components", e);
    *ret = NULL;
    for (size_t i = 0; i < json_count(list) && !*ret; i++) {
        struct json_value primary;
        bool is_primary = false;
        if (json_get(json_at(list, i), "primary", &primary) && json_bool(primary, &is_primary) && is_primary)
            *ret = platform_text(json_at(list, i), "id");
    }
    return 0;
}

/* ---- notes ---- */

int cloud_get_notes(struct cloud *c, const char *uuid, struct cloud_notes *ret, struct err *e)
{
    AUTO(platform_answer) struct platform_answer answer = {0};
    AUTO_FREE char *path = mem_format("/devices/notes/%s", uuid);
    if (platform_get(c, path, &answer, e))
        return -1;
    struct json_value root = json_root(&answer.doc);
    struct cloud_notes notes = {.bare = json_type(root) == JSON_STRING};
    notes.text = notes.bare ? json_string_copy(root) : platform_text(root, "notes");
    if (!notes.text)
        return platform_bad_answer("/devices/notes/...", e);
    *ret = notes;
    return 0;
}

int cloud_put_notes(struct cloud *c, const char *uuid, const struct cloud_notes *notes, struct err *e)
{
    AUTO_FREE char *path = mem_format("/devices/notes/%s", uuid);
    cJSON *text = cJSON_CreateString(notes->text);
    cJSON *body = text;
    if (!notes->bare) {
        body = cJSON_CreateObject();
        cJSON_AddItemToObject(body, "notes", text);
    }
    AUTO_FREE char *json = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    return platform_put(c, path, json, e);
}

void cloud_notes_free(struct cloud_notes *n)
{
    free(n->text);
    *n = (struct cloud_notes){0};
}
