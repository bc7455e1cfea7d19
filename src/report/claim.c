/* SPDX-License-Identifier: Apache-2.0 */
#include "report/claim.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

static const struct json_limits limits = {8 * 6 * CLAIM_TEXT_MAX, 2, 32};

static void add_text(cJSON *to, const char *key, const char *text)
{
    if (text)
        cJSON_AddStringToObject(to, key, text);
    else
        cJSON_AddNullToObject(to, key);
}

static void add_number(cJSON *to, const char *key, int64_t number)
{
    AUTO_FREE char *digits = mem_format("%" PRId64, number);
    cJSON_AddRawToObject(to, key, digits);
}

void claim_print(const struct claim *claim, struct buf *to)
{
    cJSON *object = cJSON_CreateObject();
    add_text(object, "device", claim->device);
    add_text(object, "lockbox", claim->lockbox);
    add_number(object, "version", claim->version);
    add_text(object, "correlation", claim->correlation);
    add_number(object, "row", claim->row);
    add_text(object, "result", claim->result);
    add_text(object, "text", claim->text);
    add_number(object, "seen_at", claim->seen_at);
    AUTO_FREE char *text = cJSON_PrintUnformatted(object);
    buf_add_text(to, text);
    cJSON_Delete(object);
}

static int fail(struct err *e, const char *field)
{
    return err_set(e, ERR_BAD_REPORT, "'%s' is not there or not of its form", field);
}

/* Text or null. */
static int get_text(struct json_value v, const char *key, char **ret, struct err *e)
{
    struct json_value field;
    size_t len;
    if (!json_get(v, key, &field))
        return fail(e, key);
    if (json_type(field) == JSON_NULL)
        return 0;
    if (!json_string(field, &len) || len > CLAIM_TEXT_MAX)
        return fail(e, key);
    *ret = json_string_copy(field);
    return 0;
}

static int get_number(struct json_value v, const char *key, int64_t min, int64_t *ret, struct err *e)
{
    struct json_value field;
    return json_get(v, key, &field) && json_integer(field, min, INT64_MAX, ret) ? 0 : fail(e, key);
}

static int read_fields(struct json_value v, struct claim *claim, struct err *e)
{
    if (get_text(v, "device", &claim->device, e) || get_text(v, "lockbox", &claim->lockbox, e) ||
        get_number(v, "version", -1, &claim->version, e) ||
        get_text(v, "correlation", &claim->correlation, e) ||
        get_number(v, "row", INT64_MIN, &claim->row, e) || get_text(v, "result", &claim->result, e) ||
        get_text(v, "text", &claim->text, e) || get_number(v, "seen_at", INT64_MIN, &claim->seen_at, e))
        return -1;
    return claim->device ? 0 : fail(e, "device");
}

int claim_read(const void *bytes, size_t len, struct claim *ret, struct err *e)
{
    AUTO(json) struct json doc = {0};
    AUTO(claim) struct claim claim = {0};
    AUTO(buf) struct buf again = {0};
    if (json_parse(&doc, bytes, len, &limits, e)) {
        e->id = ERR_BAD_REPORT;
        return -1;
    }
    if (read_fields(json_root(&doc), &claim, e))
        return -1;
    claim_print(&claim, &again);
    if (again.len != len || memcmp(again.data, bytes, len) != 0)
        return err_set(e, ERR_BAD_REPORT, "a claim is not as airlock prints it");
    *ret = claim;
    claim = (struct claim){0};
    return 0;
}

void claim_free(struct claim *claim)
{
    free(claim->device);
    free(claim->lockbox);
    free(claim->correlation);
    free(claim->result);
    free(claim->text);
    *claim = (struct claim){0};
}
