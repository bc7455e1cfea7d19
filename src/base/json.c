/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

const struct json_limits json_role_limits = {.bytes = 16u << 20, .depth = 32, .nodes = 1000000};

struct json_node {
    uint32_t start, end; /* bytes of the source text */
    uint32_t first;      /* container: first of its links; escaped string: offset into unescaped */
    uint32_t count;      /* container: elements or members; escaped string: decoded length */
    uint8_t type;
    bool escaped;
    bool truth;
};

struct scanner {
    struct json *doc;
    size_t at;
    unsigned depth, max_depth;
    size_t max_nodes;
    uint32_t *stack; /* links of the containers that are still open */
    size_t stack_len, stack_room;
    struct err *e;
};

static int scan_value(struct scanner *s, uint32_t *ret_node);
static struct json_value value_of(const struct json *doc, uint32_t node);
static int compare_members(const void *a, const void *b, void *doc);

static int fault(const struct scanner *s, enum err_id id, const char *what)
{
    return err_set(s->e, id, "%s at byte %zu", what, s->at);
}

static int peek(const struct scanner *s)
{
    return s->at < s->doc->len ? s->doc->text[s->at] : -1;
}

static void skip_blanks(struct scanner *s)
{
    for (int c = peek(s); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(s))
        s->at++;
}

static uint32_t new_node(struct scanner *s, enum json_type type)
{
    struct json *doc = s->doc;
    mem_grow(&doc->nodes, doc->count, &doc->room, sizeof *doc->nodes);
    doc->nodes[doc->count] = (struct json_node){.type = (uint8_t)type, .start = (uint32_t)s->at};
    return (uint32_t)doc->count++;
}

static int scan_literal(struct scanner *s, const char *word, enum json_type type, bool truth,
                        uint32_t *ret_node)
{
    size_t len = strlen(word);
    if (s->doc->len - s->at < len || memcmp(s->doc->text + s->at, word, len) != 0)
        return fault(s, ERR_BAD_JSON, "unexpected character");
    uint32_t node = new_node(s, type);
    s->at += len;
    s->doc->nodes[node].end = (uint32_t)s->at;
    s->doc->nodes[node].truth = truth;
    *ret_node = node;
    return 0;
}

static bool skip_digits(struct scanner *s)
{
    size_t before = s->at;
    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at > before;
}

static int scan_number(struct scanner *s, uint32_t *ret_node)
{
    uint32_t node = new_node(s, JSON_NUMBER);
    if (peek(s) == '-')
        s->at++;
    if (peek(s) == '0')
        s->at++;
    else if (!skip_digits(s))
        return fault(s, ERR_BAD_JSON, "unexpected character");
    if (peek(s) == '.') {
        s->at++;
        if (!skip_digits(s))
            return fault(s, ERR_BAD_JSON, "number without digits after the point");
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        if (!skip_digits(s))
            return fault(s, ERR_BAD_JSON, "number without digits in the exponent");
    }
    s->doc->nodes[node].end = (uint32_t)s->at;
    *ret_node = node;
    return 0;
}

static void add_unescaped(struct json *doc, const void *bytes, size_t n)
{
    while (doc->unescaped_len + n > doc->unescaped_room) {
        doc->unescaped_room = doc->unescaped_room ? doc->unescaped_room * 2 : 256;
        doc->unescaped = mem_resize(doc->unescaped, doc->unescaped_room, 1);
    }
    if (n)
        memcpy(doc->unescaped + doc->unescaped_len, bytes, n);
    doc->unescaped_len += n;
}

/* Four hexadecimal digits at s->at. */
static int scan_code_unit(struct scanner *s, uint32_t *ret)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++, s->at++) {
        int c = peek(s);
        if (c >= '0' && c <= '9')
            value = value << 4 | (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            value = value << 4 | (uint32_t)((c | 32) - 'a' + 10);
        else
            return fault(s, ERR_BAD_JSON, "bad \\u escape");
    }
    *ret = value;
    return 0;
}

/* What follows "\u"; joins a pair of surrogates. */
static int scan_unicode_escape(struct scanner *s)
{
    uint32_t code, low;
    if (scan_code_unit(s, &code))
        return -1;
    if (code >= 0xd800 && code <= 0xdbff) {
        if (s->doc->len - s->at < 2 || memcmp(s->doc->text + s->at, "\\u", 2) != 0)
            return fault(s, ERR_BAD_JSON, "lone surrogate");
        s->at += 2;
        if (scan_code_unit(s, &low))
            return -1;
        if (low < 0xdc00 || low > 0xdfff)
            return fault(s, ERR_BAD_JSON, "lone surrogate");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code <= 0xdfff) {
        return fault(s, ERR_BAD_JSON, "lone surrogate");
    }
    if (code == 0)
        return fault(s, ERR_BAD_JSON, "U+0000 in a string");
    char bytes[4];
    add_unescaped(s->doc, bytes, utf8_encode(code, bytes));
    return 0;
}

static int scan_escape(struct scanner *s)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    s->at++; /* the backslash */
    int c = peek(s);
    if (c == 'u') {
        s->at++;
        return scan_unicode_escape(s);
    }
    const char *known = c > 0 ? strchr(from, c) : NULL;
    if (!known)
        return fault(s, ERR_BAD_JSON, "unknown escape");
    add_unescaped(s->doc, &to[known - from], 1);
    s->at++;
    return 0;
}

/* The rest of a string from its first escape on: everything goes to doc->unescaped. */
static int scan_escaped_rest(struct scanner *s, uint32_t node)
{
    struct json *doc = s->doc;
    size_t begin = doc->unescaped_len;
    size_t plain = doc->nodes[node].start + 1; /* start of the run that needs no decoding */
    for (;;) {
        int c = peek(s);
        if (c < 0x20)
            return fault(s, ERR_BAD_JSON, c < 0 ? "unfinished string" : "control character in a string");
        if (c != '"' && c != '\\') {
            s->at++;
            continue;
        }
        add_unescaped(doc, doc->text + plain, s->at - plain);
        if (c == '"')
            break;
        if (scan_escape(s))
            return -1;
        plain = s->at;
    }
    doc->nodes[node].escaped = true;
    doc->nodes[node].first = (uint32_t)begin;
    doc->nodes[node].count = (uint32_t)(doc->unescaped_len - begin);
    return 0;
}

static int scan_string(struct scanner *s, uint32_t *ret_node)
{
    uint32_t node = new_node(s, JSON_STRING);
    int c;
    s->at++;
    while ((c = peek(s)) >= 0x20 && c != '"' && c != '\\')
        s->at++;
    if (c < 0x20)
        return fault(s, ERR_BAD_JSON, c < 0 ? "unfinished string" : "control character in a string");
    if (c == '\\' && scan_escaped_rest(s, node))
        return -1;
    s->at++; /* the closing quote */
    s->doc->nodes[node].end = (uint32_t)s->at;
    *ret_node = node;
    return 0;
}

static void push(struct scanner *s, uint32_t node)
{
    mem_grow(&s->stack, s->stack_len, &s->stack_room, sizeof *s->stack);
    s->stack[s->stack_len++] = node;
}

/* Moves the links that lie on the stack since base to their final place and closes the container. */
static void close_container(struct scanner *s, uint32_t node, size_t base, size_t per_item)
{
    struct json *doc = s->doc;
    size_t n = s->stack_len - base;
    while (doc->link_count + n > doc->link_room) {
        doc->link_room = doc->link_room ? doc->link_room * 2 : 256;
        doc->links = mem_resize(doc->links, doc->link_room, sizeof *doc->links);
    }
    if (n)
        memcpy(doc->links + doc->link_count, s->stack + base, n * sizeof *doc->links);
    doc->nodes[node].first = (uint32_t)doc->link_count;
    doc->nodes[node].count = (uint32_t)(n / per_item);
    doc->nodes[node].end = (uint32_t)s->at;
    doc->link_count += n;
    s->stack_len = base;
}

static int enter(struct scanner *s)
{
    if (++s->depth > s->max_depth)
        return fault(s, ERR_JSON_TOO_DEEP, "nested too deep");
    s->at++;
    skip_blanks(s);
    return 0;
}

/* After an element: true in *ret_more when a comma announces another, false when the container is closed. */
static int next_item(struct scanner *s, int closing, bool *ret_more)
{
    skip_blanks(s);
    if (peek(s) == ',') {
        s->at++;
        skip_blanks(s);
        *ret_more = true;
        return 0;
    }
    if (peek(s) != closing)
        return fault(s, ERR_BAD_JSON, closing == ']' ? "',' or ']' expected" : "',' or '}' expected");
    *ret_more = false;
    return 0;
}

static int scan_array(struct scanner *s, uint32_t *ret_node)
{
    uint32_t node = new_node(s, JSON_ARRAY), element;
    size_t base = s->stack_len;
    if (enter(s))
        return -1;
    for (bool more = peek(s) != ']'; more;) {
        if (scan_value(s, &element))
            return -1;
        push(s, element);
        if (next_item(s, ']', &more))
            return -1;
    }
    s->at++;
    s->depth--;
    close_container(s, node, base, 1);
    *ret_node = node;
    return 0;
}

static int refuse_duplicates(struct scanner *s, size_t base)
{
    for (size_t i = base + 2; i < s->stack_len; i += 2)
        if (compare_members(&s->stack[i - 2], &s->stack[i], s->doc) == 0) {
            size_t start = s->doc->nodes[s->stack[i]].start, len = s->doc->nodes[s->stack[i]].end - start;
            return err_set(s->e, ERR_JSON_DUPLICATE_KEY,
                           "key %.*s stands twice in one object, again at byte %zu",
                           (int)(len < 100 ? len : 100), (const char *)s->doc->text + start, start);
        }
    return 0;
}

static int scan_object(struct scanner *s, uint32_t *ret_node)
{
    uint32_t node = new_node(s, JSON_OBJECT), key, value;
    size_t base = s->stack_len;
    if (enter(s))
        return -1;
    for (bool more = peek(s) != '}'; more;) {
        if (peek(s) != '"')
            return fault(s, ERR_BAD_JSON, "key expected");
        if (scan_string(s, &key))
            return -1;
        skip_blanks(s);
        if (peek(s) != ':')
            return fault(s, ERR_BAD_JSON, "':' expected");
        s->at++;
        skip_blanks(s);
        if (scan_value(s, &value))
            return -1;
        push(s, key);
        push(s, value);
        if (next_item(s, '}', &more))
            return -1;
    }
    s->at++;
    s->depth--;
    if (s->stack_len > base)
        qsort_r(s->stack + base, (s->stack_len - base) / 2, 2 * sizeof *s->stack, compare_members, s->doc);
    if (refuse_duplicates(s, base))
        return -1;
    close_container(s, node, base, 2);
    *ret_node = node;
    return 0;
}

static int scan_value(struct scanner *s, uint32_t *ret_node)
{
    if (s->doc->count >= s->max_nodes) /* a key is counted here as well, by the value that follows it */
        return fault(s, ERR_TOO_LARGE, "more JSON values than are read");
    switch (peek(s)) {
    case '{':
        return scan_object(s, ret_node);
    case '[':
        return scan_array(s, ret_node);
    case '"':
        return scan_string(s, ret_node);
    case 't':
        return scan_literal(s, "true", JSON_BOOL, true, ret_node);
    case 'f':
        return scan_literal(s, "false", JSON_BOOL, false, ret_node);
    case 'n':
        return scan_literal(s, "null", JSON_NULL, false, ret_node);
    case -1:
        return fault(s, ERR_BAD_JSON, "unexpected end");
    default:
        return scan_number(s, ret_node);
    }
}

static int scan_document(struct scanner *s)
{
    const struct json *doc = s->doc;
    if (doc->len >= 3 && !memcmp(doc->text, "\xef\xbb\xbf", 3))
        return fault(s, ERR_JSON_BYTE_ORDER_MARK, "byte order mark");
    if (!utf8_valid(doc->text, doc->len))
        return err_set(s->e, ERR_BAD_JSON, "not UTF-8");
    uint32_t root;
    skip_blanks(s);
    if (scan_value(s, &root))
        return -1;
    skip_blanks(s);
    if (s->at != doc->len)
        return fault(s, ERR_JSON_TRAILING_BYTES, "bytes after the value");
    return 0;
}

int json_parse(struct json *ret, const void *bytes, size_t len, const struct json_limits *limits,
               struct err *e)
{
    if (len > limits->bytes || len > UINT32_MAX)
        return err_set(e, ERR_TOO_LARGE, "%zu bytes of JSON, at most %zu are read", len, limits->bytes);
    struct json doc = {.text = bytes, .len = len};
    struct scanner s = {.doc = &doc, .max_depth = limits->depth, .max_nodes = limits->nodes, .e = e};
    if (s.max_depth > JSON_DEPTH_MAX)
        s.max_depth = JSON_DEPTH_MAX;
    int rc = scan_document(&s);
    free(s.stack);
    if (rc) {
        json_free(&doc);
        return -1;
    }
    *ret = doc;
    return 0;
}

void json_free(struct json *doc)
{
    free(doc->nodes);
    free(doc->links);
    free(doc->unescaped);
    *doc = (struct json){0};
}

static struct json_value value_of(const struct json *doc, uint32_t node)
{
    return (struct json_value){.doc = doc, .node = node};
}

static const struct json_node *node_of(struct json_value v)
{
    return &v.doc->nodes[v.node];
}

struct json_value json_root(const struct json *doc)
{
    return value_of(doc, 0);
}

enum json_type json_type(struct json_value v)
{
    return (enum json_type)node_of(v)->type;
}

size_t json_count(struct json_value v)
{
    const struct json_node *node = node_of(v);
    return node->type == JSON_ARRAY || node->type == JSON_OBJECT ? node->count : 0;
}

struct json_value json_at(struct json_value v, size_t i)
{
    const struct json_node *node = node_of(v);
    size_t link = node->type == JSON_OBJECT ? node->first + 2 * i + 1 : node->first + i;
    return value_of(v.doc, v.doc->links[link]);
}

const char *json_key_at(struct json_value object, size_t i, size_t *ret_len)
{
    return json_string(value_of(object.doc, object.doc->links[node_of(object)->first + 2 * i]), ret_len);
}

static int compare_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_members(const void *a, const void *b, void *doc)
{
    size_t a_len, b_len;
    const char *left = json_string(value_of(doc, *(const uint32_t *)a), &a_len);
    const char *right = json_string(value_of(doc, *(const uint32_t *)b), &b_len);
    return compare_text(left, a_len, right, b_len);
}

bool json_get_n(struct json_value v, const char *key, size_t key_len, struct json_value *ret)
{
    if (json_type(v) != JSON_OBJECT)
        return false;
    for (size_t low = 0, high = json_count(v); low < high;) {
        size_t middle = low + (high - low) / 2, len;
        const char *candidate = json_key_at(v, middle, &len);
        int order = compare_text(key, key_len, candidate, len);
        if (order == 0) {
            *ret = json_at(v, middle);
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

bool json_get(struct json_value v, const char *key, struct json_value *ret)
{
    return json_get_n(v, key, strlen(key), ret);
}

bool json_get_typed(struct json_value v, const char *key, enum json_type type, struct json_value *ret)
{
    struct json_value found;
    if (!json_get(v, key, &found) || json_type(found) != type)
        return false;
    *ret = found;
    return true;
}

const char *json_string(struct json_value v, size_t *ret_len)
{
    const struct json_node *node = node_of(v);
    if (node->type != JSON_STRING)
        return NULL;
    if (node->escaped) {
        *ret_len = node->count;
        return v.doc->unescaped + node->first;
    }
    *ret_len = node->end - node->start - 2;
    return (const char *)v.doc->text + node->start + 1;
}

char *json_string_copy(struct json_value v)
{
    size_t len;
    const char *text = json_string(v, &len);
    return text ? mem_strndup(text, len) : NULL;
}

bool json_string_equals(struct json_value v, const char *text)
{
    size_t len;
    const char *mine = json_string(v, &len);
    return mine && len == strlen(text) && !memcmp(mine, text, len);
}

bool json_integer(struct json_value v, int64_t min, int64_t max, int64_t *ret)
{
    const struct json_node *node = node_of(v);
    if (node->type != JSON_NUMBER)
        return false;
    const uint8_t *at = v.doc->text + node->start, *end = v.doc->text + node->end;
    bool negative = *at == '-';
    int64_t value = 0;
    for (at += negative; at < end; at++) {
        if (*at < '0' || *at > '9' || __builtin_mul_overflow(value, (int64_t)10, &value) ||
            __builtin_sub_overflow(value, (int64_t)(*at - '0'), &value)) /* counts down: INT64_MIN fits */
            return false;
    }
    if (!negative && __builtin_sub_overflow((int64_t)0, value, &value))
        return false;
    if (value < min || value > max)
        return false;
    *ret = value;
    return true;
}

bool json_bool(struct json_value v, bool *ret)
{
    if (json_type(v) != JSON_BOOL)
        return false;
    *ret = node_of(v)->truth;
    return true;
}

const uint8_t *json_raw(struct json_value v, size_t *ret_len)
{
    *ret_len = node_of(v)->end - node_of(v)->start;
    return v.doc->text + node_of(v)->start;
}

void json_add_string(struct buf *to, const char *text)
{
    if (!text) {
        buf_add_text(to, "null");
        return;
    }
    buf_add_char(to, '"');
    for (; *text; text++)
        if (*text == '\n')
            buf_add_text(to, "\\n");
        else if ((unsigned char)*text < 0x20)
            buf_addf(to, "\\u%04x", (unsigned)*text);
        else if (*text == '"' || *text == '\\')
            buf_addf(to, "\\%c", *text);
        else
            buf_add_char(to, *text);
    buf_add_char(to, '"');
}
