/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"

static const struct json_limits small = {.bytes = 64, .depth = 3, .nodes = 6};

static void is_refused(const char *text, size_t len, enum err_id id)
{
    struct json doc;
    struct err e;
    if (json_parse(&doc, text, len, &json_role_limits, &e) == 0) {
        json_free(&doc);
        fail_msg("accepted: %s", text);
    }
    if (e.id != id)
        fail_msg("%s: %s instead of %s", text, err_name(e.id), err_name(id));
    assert_true(strlen(e.message) > 0);
}

static struct json parsed(const char *text)
{
    struct json doc = {0};
    struct err e;
    if (json_parse(&doc, text, strlen(text), &json_role_limits, &e))
        fail_msg("%s: %s", text, e.message);
    return doc;
}

static void what_is_no_json_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "nul",
        "tru",
        "True",
        "NaN",
        "Infinity",
        "+1",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\t\"",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[",
        "]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{1:2}",
        "{a:1}",
        "{'a':1}",
        "// x\n1",
        "/* x */ 1",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\u0000\"",
        "[1}",
        "{\"a\":1]",
        "\"a",
        "{\"a\":1",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        is_refused(texts[i], strlen(texts[i]), ERR_BAD_JSON);
    is_refused("\"\xff\"", 3, ERR_BAD_JSON);
    is_refused("\"\xc0\xaf\"", 4, ERR_BAD_JSON);
    is_refused("1\0", 2, ERR_JSON_TRAILING_BYTES);
}

static void each_leniency_of_other_parsers_has_its_own_error(void **state)
{
    (void)state;
    is_refused("\xef\xbb\xbf{}", 5, ERR_JSON_BYTE_ORDER_MARK);
    is_refused("{} {}", 5, ERR_JSON_TRAILING_BYTES);
    is_refused("01", 2, ERR_JSON_TRAILING_BYTES);
    is_refused("0x10", 4, ERR_JSON_TRAILING_BYTES);
    is_refused("{\"a\":1,\"b\":2,\"a\":3}", 19, ERR_JSON_DUPLICATE_KEY);
    is_refused("{\"a\":1,\"\\u0061\":3}", 18, ERR_JSON_DUPLICATE_KEY);
}

static void size_and_depth_are_capped(void **state)
{
    (void)state;
    struct json doc = {0};
    struct err e;
    char text[65];
    memset(text, ' ', sizeof text);
    text[0] = '1';
    assert_int_equal(json_parse(&doc, text, 64, &small, &e), 0);
    json_free(&doc);
    assert_int_equal(json_parse(&doc, text, 65, &small, &e), -1);
    assert_int_equal(e.id, ERR_TOO_LARGE);
    assert_int_equal(json_parse(&doc, "[[[]]]", 6, &small, &e), 0);
    json_free(&doc);
    assert_int_equal(json_parse(&doc, "[[[[]]]]", 8, &small, &e), -1);
    assert_int_equal(e.id, ERR_JSON_TOO_DEEP);
    assert_int_equal(json_parse(&doc, "{\"a\":[{\"b\":{}}]}", 16, &small, &e), -1);
    assert_int_equal(e.id, ERR_JSON_TOO_DEEP);
}

static void values_and_keys_together_are_capped(void **state)
{
    (void)state;
    struct json doc = {0};
    struct err e;
    assert_int_equal(json_parse(&doc, "[1,1,1,1,1]", 11, &small, &e), 0);
    json_free(&doc);
    assert_int_equal(json_parse(&doc, "[1,1,1,1,1,1]", 13, &small, &e), -1);
    assert_int_equal(e.id, ERR_TOO_LARGE);
    assert_int_equal(json_parse(&doc, "[{\"a\":1,\"b\":{}}]", 16, &small, &e), 0);
    json_free(&doc);
    assert_int_equal(json_parse(&doc, "[{\"a\":1,\"b\":[0]}]", 17, &small, &e), -1);
    assert_int_equal(e.id, ERR_TOO_LARGE);
    AUTO(buf) struct buf many = {0};
    buf_add(&many, "[0", 2);
    for (size_t i = 1; i < json_role_limits.nodes; i++)
        buf_add(&many, ",0", 2);
    buf_add(&many, "]", 1);
    is_refused((const char *)many.data, many.len, ERR_TOO_LARGE);
}

static void members_are_found_by_their_decoded_key(void **state)
{
    (void)state;
    AUTO(json) struct json doc = parsed("{\"z\":1,\"\\u00e9\":2,\"\":3,\"ab\":4,\"a\":5,\"B\":{\"a\":6}}");
    struct json_value root = json_root(&doc), v;
    static const struct {
        const char *key;
        int64_t value;
    } members[] = {{"z", 1}, {"é", 2}, {"", 3}, {"ab", 4}, {"a", 5}};
    assert_int_equal(json_count(root), 6);
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        int64_t n;
        assert_true(json_get(root, members[i].key, &v));
        assert_true(json_integer(v, INT64_MIN, INT64_MAX, &n));
        assert_int_equal(n, members[i].value);
    }
    assert_false(json_get(root, "b", &v));
    assert_false(json_get(root, "abc", &v));
    assert_true(json_get_n(root, "abc", 2, &v));
    assert_true(json_get_typed(root, "B", JSON_OBJECT, &v));
    assert_false(json_get_typed(root, "B", JSON_ARRAY, &v));
    assert_false(json_get(json_at(root, 0), "a", &v));
}

static void members_stand_in_the_order_of_their_bytes(void **state)
{
    (void)state;
    AUTO(json) struct json doc = parsed("{\"b\":0,\"a\":0,\"é\":0,\"A\":0,\"aa\":0,\"\":0}");
    static const char *const order[] = {"", "A", "a", "aa", "b", "é"};
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        size_t len;
        const char *key = json_key_at(json_root(&doc), i, &len);
        assert_int_equal(len, strlen(order[i]));
        assert_memory_equal(key, order[i], len);
    }
}

static void strings_are_decoded(void **state)
{
    (void)state;
    AUTO(json)
    struct json doc =
        parsed("[\"plain\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"x\\u00e9\\ud83d\\udeb0y\",\"\\n\",\"\"]");
    static const char *const texts[] = {"plain", "\"\\/\b\f\n\r\t", "xé🚰y", "\n", ""};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct json_value v = json_at(json_root(&doc), i);
        AUTO_FREE char *copy = json_string_copy(v);
        assert_string_equal(copy, texts[i]);
        assert_true(json_string_equals(v, texts[i]));
        assert_false(json_string_equals(v, "other"));
    }
    assert_null(json_string_copy(json_root(&doc)));
}

static void integers_are_exact_or_refused(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999999999", false, 0},
        {"1.0", false, 0},
        {"1e2", false, 0},
        {"\"1\"", false, 0},
        {"true", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(json) struct json doc = parsed(rows[i].text);
        int64_t n = 42;
        assert_int_equal(json_integer(json_root(&doc), INT64_MIN, INT64_MAX, &n), rows[i].good);
        assert_true(n == (rows[i].good ? rows[i].value : 42));
    }
    AUTO(json) struct json doc = parsed("5");
    int64_t n;
    assert_false(json_integer(json_root(&doc), 6, 9, &n));
    assert_false(json_integer(json_root(&doc), 1, 4, &n));
    assert_true(json_integer(json_root(&doc), 5, 5, &n));
}

static void the_bytes_of_a_value_are_kept(void **state)
{
    (void)state;
    AUTO(json) struct json doc = parsed(" { \"a\" : [ 1 , \"\\u0041\" ] , \"b\":true } ");
    struct json_value v;
    size_t len;
    bool truth;
    assert_true(json_get(json_root(&doc), "a", &v));
    const uint8_t *raw = json_raw(v, &len);
    assert_int_equal(len, strlen("[ 1 , \"\\u0041\" ]"));
    assert_memory_equal(raw, "[ 1 , \"\\u0041\" ]", len);
    assert_true(json_get(json_root(&doc), "b", &v));
    assert_true(json_bool(v, &truth) && truth);
    assert_false(json_bool(json_root(&doc), &truth));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(each_leniency_of_other_parsers_has_its_own_error),
        cmocka_unit_test(size_and_depth_are_capped),
        cmocka_unit_test(values_and_keys_together_are_capped),
        cmocka_unit_test(members_are_found_by_their_decoded_key),
        cmocka_unit_test(members_stand_in_the_order_of_their_bytes),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(integers_are_exact_or_refused),
        cmocka_unit_test(the_bytes_of_a_value_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
