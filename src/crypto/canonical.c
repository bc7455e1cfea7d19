/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/canonical.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define NUMBER_TEXT_SIZE 32 /* holds any 64-bit integer and any double of 17 digits */

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
        if (c >= 0x20 && c != '"' && c != '\\' && (c < 0x80 || form == CANONICAL_CLOUD)) {
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

static bool is_integer_literal(const char *text)
{
    return text[strspn(text, "-0123456789")] == '\0';
}

/* The number as the device's client prints it: 64-bit integers in full, everything else as a double with 17
 * significant digits that shows that it is one (JsonCpp's StreamWriter). */
static void format_for_device(const char *text, char ret[NUMBER_TEXT_SIZE])
{
    if (is_integer_literal(text)) {
        errno = 0;
        if (text[0] == '-')
            snprintf(ret, NUMBER_TEXT_SIZE, "%lld", strtoll(text, NULL, 10));
        else
            snprintf(ret, NUMBER_TEXT_SIZE, "%llu", strtoull(text, NULL, 10));
        if (errno == 0)
            return;
    }
    double value = strtod(text, NULL);
    if (isinf(value)) {
        snprintf(ret, NUMBER_TEXT_SIZE, value < 0 ? "-1e+9999" : "1e+9999");
        return;
    }
    int len = snprintf(ret, NUMBER_TEXT_SIZE, "%.17g", value);
    if (!strpbrk(ret, ".e"))
        snprintf(ret + len, NUMBER_TEXT_SIZE - (size_t)len, ".0");
}

/* Is it a short run of digits without a leading '-'? Then both forms agree, and no conversion is needed. */
static bool is_plain_number(const uint8_t *raw, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (raw[i] < '0' || raw[i] > '9')
            return false;
    return len <= 19; /* 10^19 - 1 fits 64 bits */
}

static void print_number(struct json_value v, enum canonical_form form, struct buf *to)
{
    size_t len;
    const uint8_t *raw = json_raw(v, &len);
    if (form == CANONICAL_CLOUD || is_plain_number(raw, len)) {
        buf_add(to, raw, len);
        return;
    }
    AUTO(buf) struct buf text = {0};
    char printed[NUMBER_TEXT_SIZE];
    buf_add(&text, raw, len);
    format_for_device(buf_text(&text), printed);
    buf_add_text(to, printed);
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
    case JSON_NUMBER:
        print_number(v, form, to);
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
    canonical_print(v, CANONICAL_CLOUD, &text);
    hash_of(text.data, text.len, ret_digest);
}

static bool is_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    return true;
}

static bool is_odd_number(struct json_value v)
{
    AUTO(buf) struct buf cloud = {0}, device = {0};
    size_t len;
    const uint8_t *raw = json_raw(v, &len);
    if (is_plain_number(raw, len))
        return false;
    print_number(v, CANONICAL_CLOUD, &cloud);
    print_number(v, CANONICAL_DEVICE, &device);
    return strcmp(buf_text(&cloud), buf_text(&device)) != 0;
}

unsigned canonical_oddities(struct json_value v)
{
    size_t len;
    const char *text = json_string(v, &len);
    if (text)
        return is_ascii(text, len) ? 0 : CANONICAL_NON_ASCII;
    if (json_type(v) == JSON_NUMBER)
        return is_odd_number(v) ? CANONICAL_ODD_NUMBER : 0;
    unsigned found = 0;
    for (size_t i = 0, n = json_count(v); i < n; i++) {
        if (json_type(v) == JSON_OBJECT) {
            text = json_key_at(v, i, &len);
            found |= is_ascii(text, len) ? 0 : CANONICAL_NON_ASCII;
        }
        found |= canonical_oddities(json_at(v, i));
    }
    return found;
}
