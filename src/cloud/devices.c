/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/devices.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cloud/platform_answer.h"

#define PAGE_SIZE 500

/* What comes from the server becomes part of a path: a UUID and nothing else. */
static bool is_uuid(const char *text)
{
    return text && strlen(text) == 36 && strspn(text, "0123456789abcdefABCDEF-") == 36;
}

static void device_free(struct cloud_device *d)
{
    free(d->uuid);
    free(d->name);
    free(d->last_seen);
}

static int add_devices(struct json_value values, struct cloud_devices *ret)
{
    for (size_t i = 0; i < json_count(values); i++) {
        struct json_value v = json_at(values, i);
        struct cloud_device d = {.uuid = platform_text(v, "deviceUuid"),
                                 .name = platform_text(v, "deviceName"),
                                 .last_seen = platform_text(v, "lastSeen")};
        if (!is_uuid(d.uuid) || !d.name || ret->count >= DEVICES_MAX) {
            device_free(&d);
            return -1;
        }
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
        device_free(&d->list[i]);
    free(d->list);
    *d = (struct cloud_devices){0};
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
