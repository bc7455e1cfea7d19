/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/devices.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/mem.h"
#include "cloud/device_credentials.h"
#include "cloud/platform_answer.h"

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

/* ---- pages ---- */

/* Where a server gives 50 a page, all of them. */
#define PAGES_MAX (DEVICES_MAX / 50)

static int compare_texts(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Is it in none of the pages before? A server that ignores the offset gives the same page for ever. */
static bool is_new(void **seen, const char *id)
{
    const char **node = tsearch(id, seen, compare_texts);
    return node && *node == id;
}

static void forget_id(void *id)
{
    (void)id; /* the list's */
}

static void forget_ids(void **seen)
{
    tdestroy(*seen, forget_id);
}

/* Has a page brought nothing though there is more, or have there been too many? Where devices were removed
 * meanwhile, the total says so. */
static bool is_stuck(size_t before, size_t count, int64_t total, size_t pages)
{
    return (int64_t)count < total && (count == before || pages >= PAGES_MAX);
}

static int add_devices(struct json_value values, void **seen, struct cloud_devices *ret)
{
    for (size_t i = 0; i < json_count(values); i++) {
        struct cloud_device d;
        if (ret->count >= DEVICES_MAX || read_device(json_at(values, i), &d))
            return -1;
        mem_grow(&ret->list, ret->count, &ret->room, sizeof *ret->list);
        ret->list[ret->count++] = d;
        if (!is_new(seen, d.uuid))
            return -1;
    }
    return 0;
}

/* `path` ends where offset and limit follow. */
static int list_devices(struct cloud *c, const char *path, struct cloud_devices *ret, struct err *e)
{
    AUTO(cloud_devices) struct cloud_devices devices = {0};
    __attribute__((cleanup(forget_ids))) void *seen = NULL;
    int64_t total = 1;
    for (size_t pages = 1; (int64_t)devices.count < total; pages++) {
        AUTO(platform_answer) struct platform_answer answer = {0};
        struct json_value values;
        size_t before = devices.count;
        if (platform_get_page(c, path, devices.count, DEVICES_MAX, &answer, &values, &total, e))
            return -1;
        if (add_devices(values, &seen, &devices) || is_stuck(before, devices.count, total, pages))
            return platform_bad_answer("/devices", e);
    }
    *ret = devices;
    devices = (struct cloud_devices){0};
    return 0;
}

int cloud_list_devices(struct cloud *c, struct cloud_devices *ret, struct err *e)
{
    return list_devices(c, "/devices?sortBy=Uuid&", ret, e);
}

int cloud_list_devices_with(struct cloud *c, const struct cloud_names *hardware_ids,
                            struct cloud_devices *ret, struct err *e)
{
    AUTO(buf) struct buf path = {0};
    buf_add_text(&path, "/devices?sortBy=Uuid&");
    for (size_t i = 0; i < hardware_ids->count; i++) {
        buf_add_text(&path, "hardwareIds=");
        http_escape(&path, hardware_ids->names[i], strlen(hardware_ids->names[i]), false);
        buf_add_text(&path, "&");
    }
    return list_devices(c, buf_text(&path), ret, e);
}

int cloud_list_fleet_devices(struct cloud *c, const char *fleet, struct cloud_devices *ret, struct err *e)
{
    AUTO_FREE char *path = mem_format("/fleets/%s/devices?", fleet);
    return list_devices(c, path, ret, e);
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
    AUTO(cloud_device) struct cloud_device device = {0};
    if (read_device(json_root(&answer.doc), &device) || strcasecmp(device.uuid, uuid) != 0)
        return platform_bad_answer("/devices/...", e);
    *ret = device;
    device = (struct cloud_device){0};
    return 0;
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

/* ---- fleets ---- */

static int add_fleets(struct json_value values, void **seen, struct cloud_fleets *ret)
{
    for (size_t i = 0; i < json_count(values); i++) {
        const struct cloud_fleet fleet = {.id = platform_text(json_at(values, i), "id"),
                                          .name = platform_text(json_at(values, i), "name")};
        mem_grow(&ret->list, ret->count, &ret->room, sizeof *ret->list);
        ret->list[ret->count++] = fleet;
        if (!device_uuid_check(fleet.id) || !fleet.name || !is_new(seen, fleet.id))
            return -1;
    }
    return 0;
}

int cloud_list_fleets(struct cloud *c, struct cloud_fleets *ret, struct err *e)
{
    AUTO(cloud_fleets) struct cloud_fleets fleets = {0};
    __attribute__((cleanup(forget_ids))) void *seen = NULL;
    int64_t total = 1;
    for (size_t pages = 1; (int64_t)fleets.count < total; pages++) {
        AUTO(platform_answer) struct platform_answer answer = {0};
        struct json_value values;
        size_t before = fleets.count;
        if (platform_get_page(c, "/fleets?", fleets.count, FLEETS_MAX, &answer, &values, &total, e))
            return -1;
        if (add_fleets(values, &seen, &fleets) || is_stuck(before, fleets.count, total, pages))
            return platform_bad_answer("/fleets", e);
    }
    *ret = fleets;
    fleets = (struct cloud_fleets){0};
    return 0;
}

void cloud_fleets_free(struct cloud_fleets *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->list[i].id);
        free(f->list[i].name);
    }
    free(f->list);
    *f = (struct cloud_fleets){0};
}

/* ---- components ---- */

/* What the ECU runs is not known before its first manifest. */
static void read_image(struct json_value v, struct cloud_component *ret)
{
    struct json_value image, hash, sha256;
    size_t len;
    if (!json_get_typed(v, "image", JSON_OBJECT, &image) ||
        !json_get_typed(image, "hash", JSON_OBJECT, &hash) ||
        !json_get_typed(hash, "sha256", JSON_STRING, &sha256))
        return;
    const char *hex = json_string(sha256, &len);
    ret->has_sha256 = hex_decode(hex, len, ret->sha256, HASH_SIZE);
}

static int add_component(struct json_value v, struct cloud_components *ret)
{
    struct cloud_component one = {.serial = platform_text(v, "id"),
                                  .hardware_id = platform_text(v, "hardwareId")};
    struct json_value primary;
    one.is_primary =
        json_get(v, "primary", &primary) && json_bool(primary, &one.is_primary) && one.is_primary;
    read_image(v, &one);
    mem_grow(&ret->list, ret->count, &ret->room, sizeof *ret->list);
    ret->list[ret->count++] = one;
    return one.serial && one.hardware_id ? 0 : -1;
}

int cloud_list_components(struct cloud *c, const char *uuid, struct cloud_components *ret, struct err *e)
{
    AUTO(platform_answer) struct platform_answer answer = {0};
    AUTO(cloud_components) struct cloud_components components = {0};
    AUTO_FREE char *path = mem_format("/devices/uptane/%s/components", uuid);
    if (platform_get(c, path, &answer, e))
        return -1;
    struct json_value list = json_root(&answer.doc);
    if (json_type(list) != JSON_ARRAY)
        return platform_bad_answer("/devices/uptane/.../components", e);
    for (size_t i = 0; i < json_count(list); i++)
        if (add_component(json_at(list, i), &components))
            return platform_bad_answer("/devices/uptane/.../components", e);
    *ret = components;
    components = (struct cloud_components){0};
    return 0;
}

void cloud_components_free(struct cloud_components *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->list[i].serial);
        free(c->list[i].hardware_id);
    }
    free(c->list);
    *c = (struct cloud_components){0};
}

int cloud_device_serial(struct cloud *c, const char *uuid, char **ret, struct err *e)
{
    AUTO(cloud_components) struct cloud_components components = {0};
    if (cloud_list_components(c, uuid, &components, e))
        return -1;
    *ret = NULL;
    for (size_t i = 0; i < components.count && !*ret; i++)
        if (components.list[i].is_primary)
            *ret = steal_ptr(components.list[i].serial);
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
