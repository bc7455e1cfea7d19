/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/canonical.h"

static void prints(const char *text, enum canonical_form form, const char *expected)
{
    AUTO(json) struct json doc = {0};
    AUTO(buf) struct buf out = {0};
    struct err e;
    assert_int_equal(json_parse(&doc, text, strlen(text), &json_role_limits, &e), 0);
    canonical_print(json_root(&doc), form, &out);
    assert_string_equal(buf_text(&out), expected);
}

static unsigned oddities(const char *text)
{
    AUTO(json) struct json doc = {0};
    struct err e;
    assert_int_equal(json_parse(&doc, text, strlen(text), &json_role_limits, &e), 0);
    return canonical_oddities(json_root(&doc));
}

static void keys_are_sorted_and_blanks_dropped(void **state)
{
    (void)state;
    prints(" { \"b\" : [ 1 , true , null ] , \"a\" : { \"z\" : \"x y\" , \"A\" : false } } ", CANONICAL_CLOUD,
           "{\"a\":{\"A\":false,\"z\":\"x y\"},\"b\":[1,true,null]}");
    prints("[]", CANONICAL_CLOUD, "[]");
    prints("{\"\":{}}", CANONICAL_DEVICE, "{\"\":{}}");
}

static void strings_have_the_shortest_escapes(void **state)
{
    static const char text[] =
        "\"\\u0022\\u005c\\/\\u0008\\u000c\\u000a\\u000d\\u0009\\u0001\\u001F\\u007f\"";
    static const char expected[] = "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"";
    (void)state;
    prints(text, CANONICAL_CLOUD, expected);
    prints(text, CANONICAL_DEVICE, expected);
    assert_int_equal(oddities(text), 0);
}

static void text_outside_ascii_is_raw_for_the_cloud_and_escaped_for_the_device(void **state)
{
    static const char text[] = "{\"Größe\":\"\\u6c34\\ud83d\\udeb0\"}";
    (void)state;
    prints(text, CANONICAL_CLOUD, "{\"Größe\":\"水🚰\"}");
    prints(text, CANONICAL_DEVICE, "{\"Gr\\u00f6\\u00dfe\":\"\\u6c34\\ud83d\\udeb0\"}");
    assert_int_equal(oddities(text), CANONICAL_NON_ASCII);
    assert_int_equal(oddities("{\"ö\":1}"), CANONICAL_NON_ASCII);
    assert_int_equal(oddities("[[\"ö\"],1e3]"), CANONICAL_NON_ASCII | CANONICAL_ODD_NUMBER);
}

/* What JsonCpp prints for them, computed with 17 significant digits. */
static void numbers_change_their_form_on_the_device(void **state)
{
    static const struct {
        const char *text, *on_device;
    } rows[] = {
        {"0", "0"},
        {"-1", "-1"},
        {"18446744073709551615", "18446744073709551615"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"1.5", "1.5"},
        {"-0", "0"},
        {"18446744073709551616", "1.8446744073709552e+19"},
        {"1e3", "1000.0"},
        {"0.1", "0.10000000000000001"},
        {"1.0", "1.0"},
        {"1e400", "1e+9999"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        prints(rows[i].text, CANONICAL_CLOUD, rows[i].text);
        prints(rows[i].text, CANONICAL_DEVICE, rows[i].on_device);
        assert_int_equal(oddities(rows[i].text),
                         strcmp(rows[i].text, rows[i].on_device) ? CANONICAL_ODD_NUMBER : 0);
    }
}

/* sha256 of {"a":1}, computed with sha256sum. */
static void the_hash_is_over_the_canonical_form(void **state)
{
    static const char expected[] = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
    (void)state;
    AUTO(json) struct json doc = {0};
    struct err e;
    uint8_t digest[HASH_SIZE];
    char hex[HASH_HEX_SIZE];
    assert_int_equal(json_parse(&doc, " { \"a\" : 1 } ", 13, &json_role_limits, &e), 0);
    canonical_hash(json_root(&doc), digest);
    hash_hex(digest, hex);
    assert_string_equal(hex, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_sorted_and_blanks_dropped),
        cmocka_unit_test(strings_have_the_shortest_escapes),
        cmocka_unit_test(text_outside_ascii_is_raw_for_the_cloud_and_escaped_for_the_device),
        cmocka_unit_test(numbers_change_their_form_on_the_device),
        cmocka_unit_test(the_hash_is_over_the_canonical_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
