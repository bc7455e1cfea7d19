/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/report_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/name.h"
#include "crypto/pubkey.h"
#include "uptane/device.h"

/* Stands before the signed bytes, so that no signature of this key over anything else counts here. */
static const char context[] = "airlock device file 1\n";

/* Depth and nodes: those of a device state and the few around it. */
static const struct json_limits limits = {REPORT_FILE_MAX, 42, 2001000};

static const char *const types[] = {"report", "request"};
static const char *const outcomes[] = {"installed", "failed", "refused", "nothing", "unknown"};
static const char *const sources[] = {"update-logs", "client", "journal", "helper"};

#define COMMON_FIELDS 6
#define REPORT_FIELDS 8
#define REQUEST_FIELDS 1

static int read_envelope(struct json_value root, struct report_file *ret, struct json_value *ret_signed,
                         struct err *e);
static int read_signed(struct json_value v, struct report_file *ret, struct err *e);
static void print_signed(const struct report_file *file, struct buf *to);
static void sign_message(struct buf *to, const void *bytes, size_t len);

int report_file_parse(const void *bytes, size_t len, struct report_file *ret, struct err *e)
{
    AUTO(json) struct json doc = {0};
    AUTO(report_file) struct report_file file = {0};
    struct json_value what;
    if (json_parse(&doc, bytes, len, &limits, e)) {
        e->id = ERR_BAD_REPORT;
        return -1;
    }
    if (read_envelope(json_root(&doc), &file, &what, e) || read_signed(what, &file, e))
        return -1;
    *ret = file;
    file = (struct report_file){0};
    return 0;
}

int report_file_make(const struct report_file *file, const struct sign_key *key, struct buf *to,
                     struct err *e)
{
    AUTO(buf) struct buf what = {0}, message = {0}, whole = {0};
    AUTO(report_file) struct report_file again = {0};
    uint8_t signature[SIGN_SIZE];
    char key_text[2 * SIGN_PUBLIC_SIZE + 1], signature_text[2 * SIGN_SIZE + 1];
    print_signed(file, &what);
    sign_message(&message, what.data, what.len);
    sign_make(key, message.data, message.len, signature);
    hex_encode(key->public_key, SIGN_PUBLIC_SIZE, key_text);
    hex_encode(signature, SIGN_SIZE, signature_text);
    buf_addf(&whole, "{\"schema\":1,\"key\":\"%s\",\"signature\":\"%s\",\"signed\":", key_text,
             signature_text);
    buf_add(&whole, what.data, what.len);
    buf_add_text(&whole, "}\n");
    if (report_file_parse(whole.data, whole.len, &again, e))
        return -1;
    buf_add(to, whole.data, whole.len);
    return 0;
}

void report_file_free(struct report_file *file)
{
    for (size_t i = 0; i < file->ecu_count; i++) {
        free(file->ecus[i].serial);
        free(file->ecus[i].hardware_id);
        free(file->ecus[i].key_type);
        free(file->ecus[i].key_value);
    }
    free(file->ecus);
    free(file->device);
    free(file->helper);
    free(file->lockbox);
    free(file->error);
    free(file->message);
    buf_free(&file->manifest);
    buf_free(&file->state);
    *file = (struct report_file){0};
}

char *report_file_path(const struct report_file *file)
{
    if (file->type == REPORT_REQUEST)
        return mem_format("airlock/requests/%s.json", file->device);
    return mem_format("airlock/reports/%s/%" PRId64 ".json", file->device, file->sequence);
}

static void sign_message(struct buf *to, const void *bytes, size_t len)
{
    buf_add_text(to, context);
    buf_add(to, bytes, len);
}

/* ---- reading ---- */

static int fail(struct err *e, const char *field, const char *expected)
{
    return err_set(e, ERR_BAD_REPORT, "'%s' is not %s", field, expected);
}

/* Every field must be there, so that an object of as many members has no others. */
static int check_fields(struct json_value v, size_t count, const char *what, struct err *e)
{
    if (json_type(v) != JSON_OBJECT)
        return fail(e, what, "an object");
    if (json_count(v) != count)
        return err_set(e, ERR_BAD_REPORT, "'%s' has %zu fields instead of %zu", what, json_count(v), count);
    return 0;
}

static int get_field(struct json_value v, const char *key, struct json_value *ret, struct err *e)
{
    return json_get(v, key, ret) ? 0 : err_set(e, ERR_BAD_REPORT, "'%s' is missing", key);
}

static bool is_null(struct json_value v)
{
    return json_type(v) == JSON_NULL;
}

static int get_hex(struct json_value v, const char *key, uint8_t *ret, size_t n, struct err *e)
{
    struct json_value field;
    size_t len;
    if (get_field(v, key, &field, e))
        return -1;
    const char *text = json_string(field, &len);
    return text && hex_decode(text, len, ret, n) ? 0 : fail(e, key, "as many hexadecimal digits as it needs");
}

static int get_text(struct json_value v, const char *key, size_t max, char **ret, struct err *e)
{
    struct json_value field;
    size_t len;
    if (get_field(v, key, &field, e))
        return -1;
    if (!json_string(field, &len) || len > max)
        return fail(e, key, "a text of a length that is read");
    *ret = json_string_copy(field);
    return 0;
}

/* The same, or NULL for null. */
static int get_text_or_null(struct json_value v, const char *key, size_t max, char **ret, struct err *e)
{
    struct json_value field;
    if (get_field(v, key, &field, e))
        return -1;
    return is_null(field) ? 0 : get_text(v, key, max, ret, e);
}

static int get_number(struct json_value v, const char *key, int64_t min, int64_t max, int64_t *ret,
                      struct err *e)
{
    struct json_value field;
    if (get_field(v, key, &field, e))
        return -1;
    return json_integer(field, min, max, ret) ? 0 : fail(e, key, "a whole number in its range");
}

/* The place in `words` of the text. */
static int get_word(struct json_value v, const char *key, const char *const *words, size_t count, size_t *ret,
                    struct err *e)
{
    struct json_value field;
    if (get_field(v, key, &field, e))
        return -1;
    for (size_t i = 0; i < count; i++)
        if (json_string_equals(field, words[i])) {
            *ret = i;
            return 0;
        }
    return fail(e, key, "one of its words");
}

static int read_envelope(struct json_value root, struct report_file *ret, struct json_value *ret_signed,
                         struct err *e)
{
    AUTO(buf) struct buf message = {0};
    uint8_t signature[SIGN_SIZE];
    int64_t schema;
    size_t len;
    if (get_number(root, "schema", 1, 1, &schema, e) || check_fields(root, 4, "file", e) ||
        get_hex(root, "key", ret->public_key, SIGN_PUBLIC_SIZE, e) ||
        get_hex(root, "signature", signature, SIGN_SIZE, e) || get_field(root, "signed", ret_signed, e))
        return -1;
    const uint8_t *bytes = json_raw(*ret_signed, &len);
    hash_of(bytes, len, ret->sha256);
    sign_message(&message, bytes, len);
    if (sign_check(ret->public_key, message.data, message.len, signature))
        return 0;
    err_set(e, ERR_BAD_SIGNATURE, "the signature of the device does not match");
    return err_hint(e, "the file was changed after the device signed it: bring it from the device again");
}

static int read_device(struct json_value v, struct report_file *ret, struct err *e)
{
    struct err unsafe;
    if (get_text(v, "device", REPORT_DEVICE_MAX, &ret->device, e))
        return -1;
    if (strchr(ret->device, '/') || name_check_text(ret->device, &unsafe))
        return fail(e, "device", "a name that can be part of a path");
    return 0;
}

static int read_time(struct json_value v, struct report_file *ret, struct err *e)
{
    struct json_value field;
    size_t len;
    if (get_field(v, "made_at", &field, e))
        return -1;
    const char *text = json_string(field, &len);
    return text && clock_parse_role(text, len, &ret->made_at) ? 0 : fail(e, "made_at", "a time");
}

static int read_previous(struct json_value v, struct report_file *ret, struct err *e)
{
    struct json_value field;
    if (get_field(v, "previous", &field, e))
        return -1;
    ret->has_previous = !is_null(field);
    if (ret->type == REPORT_REPORT && ret->has_previous != (ret->sequence > 1))
        return fail(e, "previous", "null in the first report, and only there");
    return ret->has_previous ? get_hex(v, "previous", ret->previous, HASH_SIZE, e) : 0;
}

static int read_lockbox(struct json_value v, struct report_file *ret, struct err *e)
{
    struct json_value field;
    struct err unsafe;
    if (get_field(v, "lockbox", &field, e))
        return -1;
    if (is_null(field))
        return 0;
    if (check_fields(field, 2, "lockbox", e) || get_text(field, "name", NAME_PART_MAX, &ret->lockbox, e) ||
        get_number(field, "version", 1, INT32_MAX, &ret->lockbox_version, e))
        return -1;
    return name_check_role(ret->lockbox, &unsafe) ? fail(e, "lockbox", "named as a lockbox can be") : 0;
}

static int read_manifest(struct json_value v, struct report_file *ret, struct err *e)
{
    struct json_value field;
    size_t len;
    if (get_field(v, "manifest", &field, e))
        return -1;
    ret->has_manifest = !is_null(field);
    if (!ret->has_manifest)
        return 0;
    const char *text = json_string(field, &len);
    if (!text || len > (REPORT_MANIFEST_MAX + 2) / 3 * 4 || !base64_decode(&ret->manifest, text, len) ||
        ret->manifest.len > REPORT_MANIFEST_MAX)
        return fail(e, "manifest", "base64 of at most a mebibyte");
    return 0;
}

/* OpenSSL looks for the block that it wants and leaves the rest of a text alone, which could be a private key
 * that its owner did not mean to give away. */
static bool has_more_than_key(const char *pem)
{
    static const char begin[] = "-----BEGIN PUBLIC KEY-----", end[] = "-----END PUBLIC KEY-----";
    if (strncmp(pem, begin, strlen(begin)) != 0)
        return true;
    const char *rest = strstr(pem, end);
    return !rest || strspn(rest + strlen(end), "\r\n") != strlen(rest + strlen(end));
}

static int read_key(struct json_value v, struct report_ecu *ret, struct err *e)
{
    struct json_value field;
    struct pubkey *key;
    struct err unusable;
    if (get_field(v, "key", &field, e))
        return -1;
    if (is_null(field))
        return 0;
    if (check_fields(field, 2, "key", e) || get_text(field, "keytype", 32, &ret->key_type, e) ||
        get_text(field, "public", REPORT_TEXT_MAX, &ret->key_value, e))
        return -1;
    if (pubkey_parse(ret->key_type, strlen(ret->key_type), ret->key_value, strlen(ret->key_value), &key,
                     &unusable))
        return fail(e, "key", "a public key of a kind that roles are signed with");
    bool is_pem = pubkey_type(key) != PUBKEY_ED25519;
    pubkey_delete(key);
    return is_pem && has_more_than_key(ret->key_value) ? fail(e, "key", "a public key alone") : 0;
}

static int read_ecus(struct json_value v, struct report_file *ret, struct err *e)
{
    struct json_value list;
    if (get_field(v, "ecus", &list, e))
        return -1;
    size_t count = json_count(list);
    if (json_type(list) != JSON_ARRAY || count > REPORT_ECUS_MAX)
        return fail(e, "ecus", "an array of at most 64 elements");
    ret->ecus = mem_zeroed(count, sizeof *ret->ecus);
    ret->ecu_count = count;
    for (size_t i = 0; i < count; i++) {
        struct json_value ecu = json_at(list, i);
        struct report_ecu *to = &ret->ecus[i];
        if (check_fields(ecu, 3, "ecus", e) || get_text(ecu, "serial", NAME_PART_MAX, &to->serial, e) ||
            get_text(ecu, "hardware_id", NAME_PART_MAX, &to->hardware_id, e) || read_key(ecu, to, e))
            return -1;
    }
    return 0;
}

static int read_report(struct json_value v, struct report_file *ret, struct err *e)
{
    struct json_value checked;
    size_t outcome = 0, source = 0;
    if (read_lockbox(v, ret, e) || get_word(v, "outcome", outcomes, COUNT_OF(outcomes), &outcome, e) ||
        get_word(v, "source", sources, COUNT_OF(sources), &source, e) ||
        get_field(v, "signers_checked", &checked, e))
        return -1;
    if (!json_bool(checked, &ret->signers_checked))
        return fail(e, "signers_checked", "true or false");
    ret->outcome = (enum report_outcome)outcome;
    ret->source = (enum report_source)source;
    if (get_text_or_null(v, "error", NAME_PART_MAX, &ret->error, e) ||
        get_text(v, "message", REPORT_TEXT_MAX, &ret->message, e) || read_manifest(v, ret, e))
        return -1;
    return read_ecus(v, ret, e);
}

static int read_request(struct json_value v, struct report_file *ret, struct err *e)
{
    AUTO(device) struct device device = {0};
    struct json_value state;
    size_t len;
    if (get_field(v, "state", &state, e))
        return -1;
    const uint8_t *bytes = json_raw(state, &len);
    if (device_parse(bytes, len, &device, e)) {
        e->id = ERR_BAD_REPORT;
        return err_context(e, "'state'");
    }
    buf_add(&ret->state, bytes, len);
    return 0;
}

static int read_signed(struct json_value v, struct report_file *ret, struct err *e)
{
    size_t type = 0; /* else GCC does not see that get_word() has set it */
    if (get_word(v, "type", types, COUNT_OF(types), &type, e))
        return -1;
    ret->type = (enum report_type)type;
    bool is_report = ret->type == REPORT_REPORT;
    if (check_fields(v, COMMON_FIELDS + (is_report ? REPORT_FIELDS : REQUEST_FIELDS), "signed", e) ||
        read_device(v, ret, e) || get_text(v, "helper", NAME_PART_MAX, &ret->helper, e) ||
        get_number(v, "sequence", 1, INT64_MAX, &ret->sequence, e) || read_time(v, ret, e) ||
        read_previous(v, ret, e))
        return -1;
    return is_report ? read_report(v, ret, e) : read_request(v, ret, e);
}

/* ---- making ---- */

static void print_field(const char *key, const char *text, struct buf *to)
{
    buf_addf(to, ",\"%s\":", key);
    json_add_string(to, text);
}

static void print_ecu(const struct report_ecu *ecu, struct buf *to)
{
    buf_add_text(to, "{\"serial\":");
    json_add_string(to, ecu->serial);
    print_field("hardware_id", ecu->hardware_id, to);
    buf_add_text(to, ",\"key\":");
    if (ecu->key_type) {
        buf_add_text(to, "{\"keytype\":");
        json_add_string(to, ecu->key_type);
        print_field("public", ecu->key_value, to);
        buf_add_char(to, '}');
    } else {
        buf_add_text(to, "null");
    }
    buf_add_char(to, '}');
}

static void print_report(const struct report_file *file, struct buf *to)
{
    buf_add_text(to, ",\"lockbox\":");
    if (file->lockbox) {
        buf_add_text(to, "{\"name\":");
        json_add_string(to, file->lockbox);
        buf_addf(to, ",\"version\":%" PRId64 "}", file->lockbox_version);
    } else {
        buf_add_text(to, "null");
    }
    print_field("outcome", outcomes[file->outcome], to);
    print_field("source", sources[file->source], to);
    buf_addf(to, ",\"signers_checked\":%s", file->signers_checked ? "true" : "false");
    print_field("error", file->error, to);
    print_field("message", file->message ? file->message : "", to);
    buf_add_text(to, ",\"manifest\":");
    if (file->has_manifest) {
        buf_add_char(to, '"');
        base64_encode(to, file->manifest.data, file->manifest.len);
        buf_add_char(to, '"');
    } else {
        buf_add_text(to, "null");
    }
    buf_add_text(to, ",\"ecus\":[");
    for (size_t i = 0; i < file->ecu_count; i++) {
        buf_add_text(to, i ? "," : "");
        print_ecu(&file->ecus[i], to);
    }
    buf_add_char(to, ']');
}

static void print_signed(const struct report_file *file, struct buf *to)
{
    char made_at[CLOCK_TEXT_SIZE], previous[HASH_HEX_SIZE];
    clock_format(file->made_at, made_at);
    hash_hex(file->previous, previous);
    buf_addf(to, "{\"type\":\"%s\"", types[file->type]);
    print_field("device", file->device, to);
    print_field("helper", file->helper, to);
    buf_addf(to, ",\"sequence\":%" PRId64, file->sequence);
    print_field("made_at", made_at, to);
    print_field("previous", file->has_previous ? previous : NULL, to);
    if (file->type == REPORT_REPORT) {
        print_report(file, to);
    } else {
        buf_add_text(to, ",\"state\":");
        buf_add(to, file->state.data, file->state.len);
    }
    buf_add_char(to, '}');
}
