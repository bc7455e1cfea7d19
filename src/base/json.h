/* SPDX-License-Identifier: Apache-2.0
 *
 * The strict JSON scanner for signed roles and for everything else that arrives from outside as JSON and is
 * trusted afterwards. It keeps the exact bytes of every value (canonical JSON is made from them), refuses
 * what lenient parsers let pass (duplicate keys, comments, trailing commas, a byte order mark, bytes after
 * the value, invalid UTF-8, U+0000), and caps size, nodes and depth. cJSON serves where airlock writes JSON,
 * and for cloud answers that nobody signs.
 *
 *     AUTO(json) struct json doc = {0};
 *     if (json_parse(&doc, bytes, len, &json_role_limits, e)) …
 *     struct json_value root = json_root(&doc), version;
 *     if (json_get(root, "version", &version) && json_integer(version, 1, INT32_MAX, &n)) …
 *
 * A json_value is a small handle, valid as long as its doc; doc refers to the caller's bytes, which must
 * outlive it.
 */
#ifndef AIRLOCK_BASE_JSON_H
#define AIRLOCK_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_limits {
    size_t bytes;
    unsigned depth; /* nesting of arrays and objects; at most JSON_DEPTH_MAX */
    size_t nodes;   /* values and keys: each costs about 30 bytes of memory, and as little as 2 of text */
};

#define JSON_DEPTH_MAX                                                                                       \
    64 /* bounds the scanner's recursion: a role nests 6 deep, custom fields of packages hardly deeper */

/* 16 MiB: twice the device's own limit for image targets, so that "too large for the device" can be told from
 * "absurd". 1 000 000 nodes: 8 MiB of image targets hold some 20 000 targets of at most 20 nodes each. */
extern const struct json_limits json_role_limits;

struct json_node; /* json.c */
struct json {
    const uint8_t *text;
    size_t len;
    struct json_node *nodes;
    size_t count, room;
    uint32_t *links; /* elements of arrays; key and value of members, sorted by key */
    size_t link_count, link_room;
    char *unescaped; /* the decoded form of strings that hold escapes */
    size_t unescaped_len, unescaped_room;
};

struct json_value {
    const struct json *doc;
    uint32_t node;
};

/* Errors: ERR_TOO_LARGE, ERR_JSON_TOO_DEEP, ERR_JSON_DUPLICATE_KEY, ERR_JSON_TRAILING_BYTES,
 * ERR_JSON_BYTE_ORDER_MARK, ERR_BAD_JSON; each names the byte offset. */
must_check int json_parse(struct json *ret, const void *bytes, size_t len, const struct json_limits *limits,
                          struct err *e);
void json_free(struct json *doc);

struct json_value json_root(const struct json *doc);
enum json_type json_type(struct json_value v);

/* Elements of an array or members of an object (these in the order of their keys' bytes); 0 for anything
 * else. */
size_t json_count(struct json_value v);
struct json_value json_at(struct json_value v, size_t i);
/* The key of member i as decoded UTF-8; not NUL-terminated. */
const char *json_key_at(struct json_value object, size_t i, size_t *ret_len);

/* The member of that key; false when v is no object or has none. */
bool json_get(struct json_value v, const char *key, struct json_value *ret);
bool json_get_n(struct json_value v, const char *key, size_t key_len, struct json_value *ret);
/* The same, and false unless it is of that type. */
bool json_get_typed(struct json_value v, const char *key, enum json_type type, struct json_value *ret);

/* Decoded UTF-8, not NUL-terminated, without U+0000; NULL when v is no string. */
const char *json_string(struct json_value v, size_t *ret_len);
/* A NUL-terminated copy; NULL when v is no string. */
char *json_string_copy(struct json_value v);
bool json_string_equals(struct json_value v, const char *text);
/* An integer literal (no fraction, no exponent, no leading zero but "0" itself) within [min, max]. */
bool json_integer(struct json_value v, int64_t min, int64_t max, int64_t *ret);
bool json_bool(struct json_value v, bool *ret);
/* The exact bytes of the value in the source text. */
const uint8_t *json_raw(struct json_value v, size_t *ret_len);

struct buf;
/* Appends a UTF-8 text as a JSON string; null for NULL. */
void json_add_string(struct buf *to, const char *text);

#endif
