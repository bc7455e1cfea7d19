/* SPDX-License-Identifier: Apache-2.0 */
#include "report/exchange.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "report/claim.h"
#include "report/reading.h"
#include "report/vehicle_manifest.h"
#include "usb-tools/report_file.h"
#include "usb-tools/update_logs.h"

static const struct json_limits limits = {EXCHANGE_LINE_MAX, 4, 2000000};

/* ---- out ---- */

static void add_number(cJSON *to, const char *key, int64_t number)
{
    AUTO_FREE char *digits = mem_format("%" PRId64, number);
    cJSON_AddRawToObject(to, key, digits);
}

static int add_sighting(void *ctx, const struct ledger_sighting *seen, struct err *e)
{
    cJSON *one = cJSON_CreateObject();
    (void)e;
    cJSON_AddStringToObject(one, "stick", seen->stick);
    cJSON_AddStringToObject(one, "path", seen->path);
    add_number(one, "row", seen->row);
    cJSON_AddStringToObject(one, "device", seen->device);
    add_number(one, "at", seen->at);
    cJSON_AddItemToArray(ctx, one);
    return 0;
}

static int add_line(void *ctx, int64_t time_us, const char *service, const char *message, struct err *e)
{
    cJSON *one = cJSON_CreateObject();
    (void)e;
    add_number(one, "time_us", time_us);
    cJSON_AddStringToObject(one, "service", service);
    cJSON_AddStringToObject(one, "message", message);
    cJSON_AddItemToArray(ctx, one);
    return 0;
}

int exchange_print(struct ledger *l, const struct ledger_entry *entry, struct buf *to, struct err *e)
{
    AUTO(buf) struct buf base64 = {0};
    cJSON *line = cJSON_CreateObject();
    base64_encode(&base64, entry->bytes, entry->len);
    add_number(line, "schema", 1);
    cJSON_AddStringToObject(line, "kind", reading_kind_text(entry->kind));
    cJSON_AddStringToObject(line, "bytes", buf_text(&base64));
    int rc = ledger_each_sighting(l, entry->id, add_sighting, cJSON_AddArrayToObject(line, "sightings"), e);
    if (rc == 0)
        rc = ledger_each_line(l, entry->id, add_line, cJSON_AddArrayToObject(line, "lines"), e);
    if (rc == 0) {
        AUTO_FREE char *text = cJSON_PrintUnformatted(line);
        buf_add_text(to, text);
        buf_add_char(to, '\n');
    }
    cJSON_Delete(line);
    return rc;
}

/* ---- in ---- */

static int fail(struct err *e, const char *field)
{
    return err_set(e, ERR_BAD_REPORT, "'%s' is not there or not of its form", field);
}

static int get_text(struct json_value v, const char *key, size_t max, char **ret, struct err *e)
{
    struct json_value field;
    size_t len;
    if (!json_get_typed(v, key, JSON_STRING, &field) || !json_string(field, &len) || len > max)
        return fail(e, key);
    *ret = json_string_copy(field);
    return 0;
}

static int get_number(struct json_value v, const char *key, int64_t *ret, struct err *e)
{
    struct json_value field;
    return json_get(v, key, &field) && json_integer(field, INT64_MIN, INT64_MAX, ret) ? 0 : fail(e, key);
}

static int get_kind(struct json_value v, enum entry_kind *ret, struct err *e)
{
    struct json_value field;
    if (!json_get(v, "kind", &field))
        return fail(e, "kind");
    for (enum entry_kind kind = ENTRY_MANIFEST; kind <= ENTRY_NOTE; kind++)
        if (json_string_equals(field, reading_kind_text(kind))) {
            *ret = kind;
            return 0;
        }
    return fail(e, "kind");
}

static int get_bytes(struct json_value v, struct buf *ret, struct err *e)
{
    struct json_value field;
    size_t len;
    const char *text = json_get(v, "bytes", &field) ? json_string(field, &len) : NULL;
    return text && base64_decode(ret, text, len) ? 0 : fail(e, "bytes");
}

/* Serial and counter are those in the bytes, which must be of their kind. */
static int identify(struct ledger_entry *entry, char **ret_serial, struct err *e)
{
    AUTO(vehicle_manifest) struct vehicle_manifest manifest = {0};
    AUTO(report_file) struct report_file file = {0};
    AUTO(claim) struct claim claim = {0};
    const struct ecu_keys none = {0};
    char key[2 * SIGN_PUBLIC_SIZE + 1];
    entry->counter = -1;
    if (entry->kind == ENTRY_MANIFEST) {
        if (vehicle_manifest_read(entry->bytes, entry->len, &none, &manifest, e))
            return -1;
        *ret_serial = steal_ptr(manifest.serial);
        entry->counter = manifest.counter;
        return 0;
    }
    if (entry->kind == ENTRY_HELPER) {
        if (report_file_parse(entry->bytes, entry->len, &file, e))
            return -1;
        hex_encode(file.public_key, SIGN_PUBLIC_SIZE, key);
        entry->counter = file.sequence;
    }
    if (entry->kind != ENTRY_HELPER && claim_read(entry->bytes, entry->len, &claim, e))
        return -1;
    *ret_serial = mem_strdup(entry->kind == ENTRY_HELPER ? key : "");
    return 0;
}

static int take_sightings(struct ledger *l, struct json_value list, const struct ledger_entry *entry,
                          int64_t *ret_id, bool *ret_new, struct err *e)
{
    *ret_new = false;
    if (json_count(list) == 0)
        return fail(e, "sightings");
    for (size_t i = 0; i < json_count(list); i++) {
        struct json_value one = json_at(list, i);
        AUTO_FREE char *stick = NULL;
        AUTO_FREE char *path = NULL;
        AUTO_FREE char *device = NULL;
        struct ledger_sighting seen = {0};
        bool is_new;
        if (get_text(one, "stick", UPDATE_TEXT_MAX, &stick, e) ||
            get_text(one, "path", UPDATE_TEXT_MAX, &path, e) ||
            get_text(one, "device", UPDATE_TEXT_MAX, &device, e) || get_number(one, "row", &seen.row, e) ||
            get_number(one, "at", &seen.at, e))
            return -1;
        seen.stick = stick;
        seen.path = path;
        seen.device = device;
        if (ledger_add(l, entry, &seen, ret_id, &is_new, e))
            return -1;
        *ret_new = *ret_new || is_new;
    }
    return 0;
}

static int take_lines(struct ledger *l, struct json_value list, int64_t id, struct err *e)
{
    for (size_t i = 0; i < json_count(list); i++) {
        struct json_value one = json_at(list, i);
        AUTO_FREE char *service = NULL;
        AUTO_FREE char *message = NULL;
        int64_t time_us;
        if (get_number(one, "time_us", &time_us, e) ||
            get_text(one, "service", UPDATE_TEXT_MAX, &service, e) ||
            get_text(one, "message", UPDATE_TEXT_MAX, &message, e) ||
            ledger_add_line(l, id, time_us, service, message, e))
            return -1;
    }
    return 0;
}

int exchange_take(struct ledger *l, const char *line, size_t len, bool *ret_new, struct err *e)
{
    AUTO(json) struct json doc = {0};
    AUTO(buf) struct buf bytes = {0};
    AUTO_FREE char *serial = NULL;
    struct ledger_entry entry = {0};
    struct json_value sightings, lines, root;
    int64_t id, schema;
    if (json_parse(&doc, line, len, &limits, e)) {
        e->id = ERR_BAD_REPORT;
        return -1;
    }
    root = json_root(&doc);
    if (get_number(root, "schema", &schema, e) || get_kind(root, &entry.kind, e) ||
        get_bytes(root, &bytes, e))
        return -1;
    if (schema != 1 || !json_get_typed(root, "sightings", JSON_ARRAY, &sightings) ||
        !json_get_typed(root, "lines", JSON_ARRAY, &lines))
        return err_set(e, ERR_BAD_REPORT, "it is no line of 'airlock reports export', or a newer one's");
    entry.bytes = bytes.data;
    entry.len = bytes.len;
    if (identify(&entry, &serial, e))
        return -1;
    entry.serial = serial;
    return take_sightings(l, sightings, &entry, &id, ret_new, e) || take_lines(l, lines, id, e) ? -1 : 0;
}
