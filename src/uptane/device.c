/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/device.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"

#define CLIENT_SNAPSHOT_MAX (64u << 10) /* the client of October 2024; later ones read 1 MiB */

static const struct json_limits limits = {DEVICE_STATE_MAX, 40, 2000000};

/* One member of an object, and who reads it. */
struct field {
    const char *name;
    int (*read)(struct json_value v, void *to, struct err *e);
};

static int fail(struct err *e, const char *expected)
{
    return err_set(e, ERR_BAD_DEVICE_STATE, "%s was expected", expected);
}

/* Every member of the object goes to the field of its name. */
static int read_fields(struct json_value v, const struct field *fields, void *to, struct err *e)
{
    if (json_type(v) != JSON_OBJECT)
        return fail(e, "an object");
    for (size_t i = 0, n = json_count(v); i < n; i++) {
        size_t len;
        const char *key = json_key_at(v, i, &len);
        const struct field *field = fields;
        while (field->name && (strlen(field->name) != len || memcmp(field->name, key, len) != 0))
            field++;
        AUTO_FREE char *name = mem_strndup(key, len < 64 ? len : 64);
        if (!field->name)
            return err_set(e, ERR_BAD_DEVICE_STATE, "there is no field '%s'", name);
        if (field->read(json_at(v, i), to, e))
            return err_context(e, "'%s'", name);
    }
    return 0;
}

static int check_list(struct json_value v, size_t max, struct err *e)
{
    if (json_type(v) != JSON_ARRAY)
        return fail(e, "an array");
    if (json_count(v) > max)
        return err_set(e, ERR_BAD_DEVICE_STATE, "%zu elements, at most %zu are read", json_count(v), max);
    return 0;
}

static int read_text(struct json_value v, char **ret, struct err *e)
{
    size_t len;
    if (!json_string(v, &len) || len == 0)
        return fail(e, "a text");
    free(*ret);
    *ret = json_string_copy(v);
    return 0;
}

static int read_texts(struct json_value v, struct json_value *ret, bool *ret_knows, struct err *e)
{
    size_t len;
    if (check_list(v, DEVICE_LIST_MAX, e))
        return -1;
    for (size_t i = 0, n = json_count(v); i < n; i++)
        if (!json_string(json_at(v, i), &len))
            return fail(e, "an array of texts");
    *ret = v;
    *ret_knows = true;
    return 0;
}

static int read_bool(struct json_value v, bool *ret, struct err *e)
{
    return json_bool(v, ret) ? 0 : fail(e, "true or false");
}

static int read_number(struct json_value v, int64_t min, int64_t max, int64_t *ret, struct err *e)
{
    return json_integer(v, min, max, ret) ? 0 : fail(e, "a whole number in its range");
}

static int read_bytes(struct json_value v, uint64_t *ret, struct err *e)
{
    int64_t n;
    if (read_number(v, 0, INT64_MAX, &n, e))
        return -1;
    *ret = (uint64_t)n;
    return 0;
}

static int read_time(struct json_value v, int64_t *ret, bool *ret_has, struct err *e)
{
    AUTO_FREE char *text = json_string_copy(v);
    if (!text || !clock_parse(text, ret))
        return fail(e, "a time such as \"2026-11-23T08:00:00Z\"");
    *ret_has = true;
    return 0;
}

static int read_sha256(struct json_value v, uint8_t ret[HASH_SIZE], struct err *e)
{
    size_t len;
    const char *text = json_string(v, &len);
    return text && hex_decode(text, len, ret, HASH_SIZE) ? 0 : fail(e, "64 hexadecimal digits");
}

/* ---- ECUs ---- */

static int package_name(struct json_value v, void *to, struct err *e)
{
    return read_text(v, &((struct device_package *)to)->name, e);
}

static int package_length(struct json_value v, void *to, struct err *e)
{
    return read_bytes(v, &((struct device_package *)to)->length, e);
}

static int package_sha256(struct json_value v, void *to, struct err *e)
{
    return read_sha256(v, ((struct device_package *)to)->sha256, e);
}

static int package_hardware(struct json_value v, void *to, struct err *e)
{
    struct device_package *package = to;
    return read_texts(v, &package->hardware, &package->knows_hardware, e);
}

static int ecu_installed(struct json_value v, void *to, struct err *e)
{
    static const struct field fields[] = {{"name", package_name},
                                          {"length", package_length},
                                          {"sha256", package_sha256},
                                          {"hardware_ids", package_hardware},
                                          {0}};
    struct device_ecu *ecu = to;
    struct json_value field;
    ecu->knows_installed = true;
    if (json_type(v) == JSON_NULL)
        return 0;
    if (read_fields(v, fields, &ecu->installed, e))
        return -1;
    if (!ecu->installed.name || !json_get(v, "length", &field) || !json_get(v, "sha256", &field))
        return fail(e, "a name, a length and a sha256");
    ecu->has_installed = true;
    return 0;
}

static int ecu_root_director(struct json_value v, void *to, struct err *e)
{
    return read_number(v, 0, INT32_MAX, &((struct device_ecu *)to)->root_versions[0], e);
}

static int ecu_root_image_repo(struct json_value v, void *to, struct err *e)
{
    return read_number(v, 0, INT32_MAX, &((struct device_ecu *)to)->root_versions[1], e);
}

static int ecu_roots(struct json_value v, void *to, struct err *e)
{
    static const struct field fields[] = {
        {"director", ecu_root_director}, {"image_repo", ecu_root_image_repo}, {0}};
    ((struct device_ecu *)to)->knows_roots = true;
    return read_fields(v, fields, to, e);
}

static int ecu_hardware(struct json_value v, void *to, struct err *e)
{
    return read_text(v, &((struct device_ecu *)to)->hardware_id, e);
}

static int ecu_primary(struct json_value v, void *to, struct err *e)
{
    return read_bool(v, &((struct device_ecu *)to)->is_primary, e);
}

static int ecu_serial(struct json_value v, void *to, struct err *e)
{
    size_t len;
    (void)to;
    return json_string(v, &len) ? 0 : fail(e, "a text"); /* for people: offline, hardware ids decide */
}

static int read_ecus(struct json_value v, void *to, struct err *e)
{
    static const struct field fields[] = {{"hardware_id", ecu_hardware}, {"primary", ecu_primary},
                                          {"serial", ecu_serial},        {"installed", ecu_installed},
                                          {"roots", ecu_roots},          {0}};
    struct device *d = to;
    size_t primaries = 0;
    if (check_list(v, DEVICE_ECUS_MAX, e))
        return -1;
    d->ecus = mem_zeroed(json_count(v), sizeof *d->ecus);
    for (size_t i = 0, n = json_count(v); i < n; i++) {
        struct device_ecu *ecu = &d->ecus[d->ecu_count++];
        if (read_fields(json_at(v, i), fields, ecu, e))
            return err_context(e, "ECU %zu", i + 1);
        if (!ecu->hardware_id)
            return err_set(e, ERR_BAD_DEVICE_STATE, "ECU %zu has no hardware_id", i + 1);
        primaries += ecu->is_primary;
    }
    if (primaries != 1)
        return fail(e, "exactly one ECU with \"primary\": true");
    d->knows_ecus = true;
    return 0;
}

/* ---- what the client has stored ---- */

static int role_version(struct json_value v, void *to, struct err *e)
{
    return read_number(v, 1, INT32_MAX, &((struct device_role *)to)->version, e);
}

static int role_sha256(struct json_value v, void *to, struct err *e)
{
    struct device_role *role = to;
    role->has_sha256 = true;
    return read_sha256(v, role->sha256, e);
}

/* The whole document, or {"version": n, "sha256": "…"}. */
static int read_role(struct json_value v, struct device_role *role, struct err *e)
{
    static const struct field fields[] = {{"version", role_version}, {"sha256", role_sha256}, {0}};
    struct json_value body, version;
    if (!json_get(v, "signed", &body)) {
        if (read_fields(v, fields, role, e))
            return -1;
    } else {
        if (!json_get(body, "version", &version) || !json_integer(version, 1, INT32_MAX, &role->version))
            return fail(e, "a signed role with its version");
        role->bytes = json_raw(v, &role->len);
    }
    role->is_known = role->version != 0;
    return role->is_known ? 0 : fail(e, "a version");
}

/* The same, or null for none. */
static int read_stored_role(struct json_value v, struct device_role *role, struct err *e)
{
    role->is_said = true;
    return json_type(v) == JSON_NULL ? 0 : read_role(v, role, e);
}

static int stored_offline_snapshot(struct json_value v, void *to, struct err *e)
{
    return read_stored_role(v, &((struct device *)to)->stored[STORED_OFFLINE_SNAPSHOT], e);
}

static int stored_image_snapshot(struct json_value v, void *to, struct err *e)
{
    return read_stored_role(v, &((struct device *)to)->stored[STORED_IMAGE_SNAPSHOT], e);
}

static int stored_image_targets(struct json_value v, void *to, struct err *e)
{
    return read_stored_role(v, &((struct device *)to)->stored[STORED_IMAGE_TARGETS], e);
}

static int stored_delegations(struct json_value v, void *to, struct err *e)
{
    struct device_roles *roles = &((struct device *)to)->delegations;
    if (json_type(v) != JSON_OBJECT || json_count(v) > DEVICE_LIST_MAX)
        return fail(e, "an object with a role for each delegation");
    ((struct device *)to)->knows_delegations = true;
    roles->list = mem_zeroed(json_count(v), sizeof *roles->list);
    for (size_t i = 0, n = json_count(v); i < n; i++) {
        size_t len;
        const char *name = json_key_at(v, i, &len);
        struct device_role *role = &roles->list[roles->count++];
        role->name = mem_strndup(name, len);
        if (read_role(json_at(v, i), role, e))
            return err_context(e, "'%.64s'", role->name);
    }
    return 0;
}

static int read_stored(struct json_value v, void *to, struct err *e)
{
    static const struct field fields[] = {{"offline_snapshot", stored_offline_snapshot},
                                          {"image_snapshot", stored_image_snapshot},
                                          {"image_targets", stored_image_targets},
                                          {"delegations", stored_delegations},
                                          {0}};
    ((struct device *)to)->knows_stored = true;
    return read_fields(v, fields, to, e);
}

static int read_chain(struct json_value v, struct device_roles *roots, struct err *e)
{
    if (check_list(v, DEVICE_LIST_MAX, e))
        return -1;
    roots->list = mem_zeroed(json_count(v), sizeof *roots->list);
    for (size_t i = 0, n = json_count(v); i < n; i++) {
        struct device_role *root = &roots->list[roots->count++];
        if (read_role(json_at(v, i), root, e))
            return err_context(e, "root %zu", i + 1);
        if (!root->bytes)
            return fail(e, "the roots themselves");
        if (i > 0 && root->version != root[-1].version + 1)
            return fail(e, "roots in rising versions, none missing between,");
    }
    return 0;
}

static int roots_director(struct json_value v, void *to, struct err *e)
{
    return read_chain(v, &((struct device *)to)->roots[0], e);
}

static int roots_image_repo(struct json_value v, void *to, struct err *e)
{
    return read_chain(v, &((struct device *)to)->roots[1], e);
}

static int read_roots(struct json_value v, void *to, struct err *e)
{
    static const struct field fields[] = {
        {"director", roots_director}, {"image_repo", roots_image_repo}, {0}};
    return read_fields(v, fields, to, e);
}

/* ---- the device itself ---- */

static int read_schema(struct json_value v, void *to, struct err *e)
{
    int64_t schema;
    (void)to;
    return json_integer(v, 1, 1, &schema) ? 0 : fail(e, "1, the schema that this version reads,");
}

static int read_name(struct json_value v, void *to, struct err *e)
{
    return read_text(v, &((struct device *)to)->name, e);
}

static int read_os_version(struct json_value v, void *to, struct err *e)
{
    return read_text(v, &((struct device *)to)->os_version, e);
}

static int read_platform(struct json_value v, void *to, struct err *e)
{
    return read_text(v, &((struct device *)to)->platform, e);
}

static int read_source(struct json_value v, void *to, struct err *e)
{
    return read_text(v, &((struct device *)to)->source, e);
}

static int read_pending(struct json_value v, void *to, struct err *e)
{
    ((struct device *)to)->knows_pending = true;
    return read_bool(v, &((struct device *)to)->pending_install, e);
}

static int read_offline_updates(struct json_value v, void *to, struct err *e)
{
    bool on = true;
    if (read_bool(v, &on, e))
        return -1;
    ((struct device *)to)->ignores_media = !on;
    ((struct device *)to)->knows_media = true;
    return 0;
}

static int read_packages(struct json_value v, void *to, struct err *e)
{
    struct device *d = to;
    d->packages = json_string_equals(v, "ostree") ? PACKAGES_OSTREE : PACKAGES_NONE;
    return d->packages == PACKAGES_OSTREE || json_string_equals(v, "none")
               ? 0
               : fail(e, "\"ostree\" or \"none\"");
}

static int read_free_space(struct json_value v, void *to, struct err *e)
{
    struct device *d = to;
    d->has_free_space = true;
    return read_bytes(v, &d->free_space, e);
}

static int read_clock(struct json_value v, void *to, struct err *e)
{
    struct device *d = to;
    return read_time(v, &d->clock, &d->has_clock, e);
}

static int read_clock_checked(struct json_value v, void *to, struct err *e)
{
    struct device *d = to;
    return read_time(v, &d->clock_checked, &d->has_clock_checked, e);
}

static int read_snapshot_max(struct json_value v, void *to, struct err *e)
{
    int64_t n;
    if (read_number(v, 1, DEVICE_STATE_MAX, &n, e))
        return -1;
    ((struct device *)to)->offline_snapshot_max = (size_t)n;
    return 0;
}

static int read_media_types(struct json_value v, void *to, struct err *e)
{
    struct device *d = to;
    return read_texts(v, &d->media_types, &d->knows_media_types, e);
}

static int read_device(struct device *d, struct err *e)
{
    static const struct field fields[] = {{"schema", read_schema},
                                          {"name", read_name},
                                          {"os_version", read_os_version},
                                          {"platform", read_platform},
                                          {"ecus", read_ecus},
                                          {"roots", read_roots},
                                          {"stored", read_stored},
                                          {"pending_install", read_pending},
                                          {"package_manager", read_packages},
                                          {"free_space", read_free_space},
                                          {"clock", read_clock},
                                          {"clock_checked_at", read_clock_checked},
                                          {"offline_updates", read_offline_updates},
                                          {"source", read_source},
                                          {"offline_snapshot_max", read_snapshot_max},
                                          {"media_types", read_media_types},
                                          {0}};
    struct json_value schema;
    d->offline_snapshot_max = CLIENT_SNAPSHOT_MAX;
    if (read_fields(json_root(&d->doc), fields, d, e))
        return -1;
    if (!json_get(json_root(&d->doc), "schema", &schema))
        return fail(e, "\"schema\": 1");
    if (d->has_clock_checked && !d->has_clock)
        return fail(e, "with clock_checked_at what the clock showed then, as \"clock\",");
    return 0;
}

int device_parse(const void *bytes, size_t len, struct device *ret, struct err *e)
{
    *ret = (struct device){0};
    buf_add(&ret->text, bytes, len);
    if (json_parse(&ret->doc, ret->text.data, len, &limits, e) || read_device(ret, e)) {
        e->id = ERR_BAD_DEVICE_STATE;
        device_free(ret);
        return -1;
    }
    return 0;
}

static void free_roles(struct device_roles *roles)
{
    for (size_t i = 0; i < roles->count; i++)
        free(roles->list[i].name);
    free(roles->list);
}

void device_free(struct device *device)
{
    for (size_t i = 0; i < device->ecu_count; i++) {
        free(device->ecus[i].hardware_id);
        free(device->ecus[i].installed.name);
    }
    free(device->ecus);
    for (size_t repo = 0; repo < COUNT_OF(device->roots); repo++)
        free_roles(&device->roots[repo]);
    free_roles(&device->delegations);
    free(device->name);
    free(device->os_version);
    free(device->platform);
    free(device->source);
    json_free(&device->doc);
    buf_free(&device->text);
    *device = (struct device){0};
}

int64_t device_now(const struct device *device, int64_t now)
{
    if (device->has_clock_checked)
        return now + (device->clock - device->clock_checked);
    return device->has_clock && device->clock > now ? device->clock : now;
}

const struct device_role *device_delegation(const struct device *device, const char *name)
{
    for (size_t i = 0; i < device->delegations.count; i++)
        if (!strcmp(device->delegations.list[i].name, name))
            return &device->delegations.list[i];
    return NULL;
}

char *device_label(const struct device *device)
{
    static const char *const mounts[] = {"/var/rootdirs/media/", "/media/", "/run/media/"};
    for (size_t i = 0; device->source && i < COUNT_OF(mounts); i++) {
        size_t len = strlen(mounts[i]);
        if (strncmp(device->source, mounts[i], len) != 0)
            continue;
        const char *label = device->source + len;
        size_t label_len = strcspn(label, "/");
        return label_len ? mem_strndup(label, label_len) : NULL;
    }
    return NULL;
}
