/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/target.h"

#include <string.h>

#include "base/hex.h"
#include "base/mem.h"

static int read_hash(struct json_value hashes, const char *kind, uint8_t *ret, size_t size, bool *ret_has,
                     struct err *e)
{
    struct json_value value;
    size_t len;
    if (!json_get(hashes, kind, &value))
        return 0;
    const char *text = json_string(value, &len);
    if (!text || !hex_decode(text, len, ret, size))
        return err_set(e, ERR_BAD_ROLE, "its %s is not %zu hexadecimal digits", kind, 2 * size);
    *ret_has = true;
    return 0;
}

static int read_hardware(struct target *target, struct err *e)
{
    if (!json_get(target->custom, "hardwareIds", &target->hardware) ||
        json_type(target->hardware) == JSON_NULL)
        return 0;
    if (json_type(target->hardware) != JSON_ARRAY)
        return err_set(e, ERR_BAD_ROLE, "its hardwareIds are no array");
    for (size_t i = 0, n = json_count(target->hardware); i < n; i++)
        if (json_type(json_at(target->hardware, i)) != JSON_STRING)
            return err_set(e, ERR_BAD_ROLE, "one of its hardwareIds is no text");
    target->has_hardware = true;
    return 0;
}

static int read_custom(struct json_value v, struct target *target, struct err *e)
{
    struct json_value field;
    if (!json_get(v, "custom", &target->custom) || json_type(target->custom) == JSON_NULL)
        return 0;
    if (json_type(target->custom) != JSON_OBJECT)
        return err_set(e, ERR_BAD_ROLE, "its custom is no object");
    target->has_custom = true;
    if (json_get(target->custom, "targetFormat", &field) && json_type(field) != JSON_NULL) {
        size_t len;
        const char *text = json_string(field, &len);
        if (!text)
            return err_set(e, ERR_BAD_ROLE, "its targetFormat is no text");
        if (len)
            target->format = json_string_equals(field, "OSTREE") ? FORMAT_OSTREE : FORMAT_FILE;
    }
    target->names_ecus = json_get(target->custom, "ecuIdentifiers", &field) && json_count(field) > 0;
    return read_hardware(target, e);
}

int target_parse(struct json_value v, struct target *ret, struct err *e)
{
    struct target target = {0};
    struct json_value length, hashes;
    int64_t n;
    if (!json_get(v, "length", &length) || !json_integer(length, 0, INT64_MAX, &n))
        return err_set(e, ERR_BAD_ROLE, "its length is not a whole number");
    target.length = (uint64_t)n;
    if (!json_get_typed(v, "hashes", JSON_OBJECT, &hashes))
        return err_set(e, ERR_BAD_ROLE, "it has no hashes");
    if (read_hash(hashes, "sha256", target.sha256, HASH_SIZE, &target.has_sha256, e) ||
        read_hash(hashes, "sha512", target.sha512, HASH_512_SIZE, &target.has_sha512, e) ||
        read_custom(v, &target, e))
        return -1;
    *ret = target;
    return 0;
}

char *target_custom_text(const struct target *target, const char *field)
{
    struct json_value value;
    size_t len;
    const char *text = NULL;
    if (target->has_custom && json_get(target->custom, field, &value))
        text = json_string(value, &len);
    return text && len ? mem_strndup(text, len) : NULL;
}

const char *target_difference(const struct target *a, const struct target *b)
{
    if (a->length != b->length)
        return "length";
    bool both_256 = a->has_sha256 && b->has_sha256, both_512 = a->has_sha512 && b->has_sha512;
    if (both_256 ? memcmp(a->sha256, b->sha256, HASH_SIZE) != 0 : !both_512)
        return "sha256";
    if (both_512 && memcmp(a->sha512, b->sha512, HASH_512_SIZE) != 0)
        return "sha512";
    return NULL;
}

bool hardware_counts(const struct hardware *hardware, const char *id, size_t len)
{
    if (hardware->count == 0)
        return true;
    for (size_t i = 0; i < hardware->count; i++)
        if (strlen(hardware->ids[i]) == len && !memcmp(hardware->ids[i], id, len))
            return true;
    return false;
}

static size_t hardware_count(const struct target *target)
{
    return target->has_hardware ? json_count(target->hardware) : 0;
}

static bool names_hardware(const struct target *target, const char *id, size_t len)
{
    for (size_t i = 0, n = hardware_count(target); i < n; i++) {
        size_t other_len;
        const char *other = json_string(json_at(target->hardware, i), &other_len);
        if (len == other_len && !memcmp(other, id, len))
            return true;
    }
    return false;
}

bool target_is_wanted(const struct target *target, const struct hardware *hardware)
{
    for (size_t i = 0, n = hardware_count(target); i < n; i++) {
        size_t len;
        const char *id = json_string(json_at(target->hardware, i), &len);
        if (hardware_counts(hardware, id, len))
            return true;
    }
    return false;
}

bool target_covers(const struct target *image, const struct target *lockbox, const struct hardware *hardware)
{
    for (size_t i = 0, n = hardware_count(lockbox); i < n; i++) {
        size_t len;
        const char *id = json_string(json_at(lockbox->hardware, i), &len);
        if (hardware_counts(hardware, id, len) && !names_hardware(image, id, len))
            return false;
    }
    return true;
}
