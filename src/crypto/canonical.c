/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/canonical.h"

#include <string.h>

#include "base/utf8.h"

static void print_escape(uint32_t c, struct buf *to)
{
    static const char from[] = "\"\\\b\f\n\r\t", name[] = "\"\\bfnrt";
    const char *known = c < 0x80 ? memchr(from, (int)c, sizeof from - 1) : NULL;
    if (known) {
        buf_add_char(to, '\\');
        buf_add_char(to, name[known - from]);
    } else if (c >= 0x10000) {
        buf_addf(to, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
    } else {
        buf_addf(to, "\\u%04x", c);
    }
}

static void print_string(const char *text, size_t len, enum canonical_form form, struct buf *to)
{
    buf_add_char(to, '"');
    size_t plain = 0; /* bytes before text that are copied as they are */
    while (plain < len) {
        uint32_t c;
        size_t n = utf8_decode(text + plain, len - plain, &c);
        if (c >= 0x20 && c != '"' && c != '\\' && (c < 0x80 || form == CANONICAL_UTF8)) {
            plain += n;
            continue;
        }
        buf_add(to, text, plain);
        print_escape(c, to);
        text += plain + n;
        len -= plain + n;
        plain = 0;
    }
    buf_add(to, text, plain);
    buf_add_char(to, '"');
}

static void print_object(struct json_value v, enum canonical_form form, struct buf *to)
{
    buf_add_char(to, '{');
    for (size_t i = 0, n = json_count(v); i < n; i++) {
        size_t len;
        const char *key = json_key_at(v, i, &len);
        if (i)
            buf_add_char(to, ',');
        print_string(key, len, form, to);
        buf_add_char(to, ':');
        canonical_print(json_at(v, i), form, to);
    }
    buf_add_char(to, '}');
}

static void print_array(struct json_value v, enum canonical_form form, struct buf *to)
{
    buf_add_char(to, '[');
    for (size_t i = 0, n = json_count(v); i < n; i++) {
        if (i)
            buf_add_char(to, ',');
        canonical_print(json_at(v, i), form, to);
    }
    buf_add_char(to, ']');
}

void canonical_print(struct json_value v, enum canonical_form form, struct buf *to)
{
    size_t len;
    switch (json_type(v)) {
    case JSON_OBJECT:
        print_object(v, form, to);
        break;
    case JSON_ARRAY:
        print_array(v, form, to);
        break;
    case JSON_STRING: {
        const char *text = json_string(v, &len);
        print_string(text, len, form, to);
        break;
    }
    default: {
        const uint8_t *raw = json_raw(v, &len);
        buf_add(to, raw, len);
    }
    }
}

void canonical_hash(struct json_value v, uint8_t ret_digest[HASH_SIZE])
{
    AUTO(buf) struct buf text = {0};
    canonical_print(v, CANONICAL_UTF8, &text);
    hash_of(text.data, text.len, ret_digest);
}

bool canonical_is_ascii(struct json_value v)
{
    AUTO(buf) struct buf text = {0};
    canonical_print(v, CANONICAL_UTF8, &text);
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= 0x80)
            return false;
    return true;
}
