/* SPDX-License-Identifier: Apache-2.0 */
#include "store/root_mark.h"
#include "store_fixture.h"

static const char root[] = "{\"signatures\":[],\"signed\":{\"_type\":\"Root\",\"version\":3}}";

static struct root_mark read_mark(const char *text)
{
    struct root_mark m;
    struct err e;
    assert_return_code(root_mark_read(text, strlen(text), &m, &e), 0);
    return m;
}

static void white_space_changes_nothing_and_a_signature_only_the_fingerprint(void **state)
{
    (void)state;
    struct root_mark m = read_mark(root);
    struct root_mark spaced =
        read_mark("{ \"signed\" : {\"version\":3, \"_type\":\"Root\"},\n\"signatures\":[] }");
    struct root_mark signed_again =
        read_mark("{\"signatures\":[{}],\"signed\":{\"_type\":\"Root\",\"version\":3}}");
    assert_int_equal(m.version, 3);
    assert_memory_equal(m.fingerprint, spaced.fingerprint, HASH_SIZE);
    assert_memory_equal(m.content, spaced.content, HASH_SIZE);
    assert_memory_not_equal(m.fingerprint, signed_again.fingerprint, HASH_SIZE);
    assert_memory_equal(m.content, signed_again.content, HASH_SIZE);
}

static void what_has_no_version_is_no_root(void **state)
{
    static const char *const texts[] = {"",
                                        "[]",
                                        "{}",
                                        "{\"signed\":{}}",
                                        "{\"signed\":{\"version\":0}}",
                                        "{\"signed\":{\"version\":\"3\"}}",
                                        "{\"signed\":{\"version\":2147483648}}"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct root_mark m;
        struct err e;
        assert_int_equal(root_mark_read(texts[i], strlen(texts[i]), &m, &e), -1);
        assert_int_equal(err_exit_code(e.id), EXIT_REFUSED);
    }
}

static void the_text_of_a_profile_comes_back(void **state)
{
    const struct root_mark m = read_mark(root);
    struct root_mark back;
    char text[ROOT_MARK_TEXT];
    (void)state;
    root_mark_print(&m, text);
    assert_true(root_mark_parse(text, &back));
    assert_int_equal(back.version, 3);
    assert_memory_equal(back.fingerprint, m.fingerprint, HASH_SIZE);
}

static void anything_else_is_no_mark(void **state)
{
#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    static const char *const texts[] = {
        "",           "1",       "1:",         ":" HEX,   "0:" HEX, "01:" HEX,         "-1:" HEX,
        "1:" HEX "0", "1: " HEX, "1:" HEX " ", " 1:" HEX, "1" HEX,  "2147483648:" HEX, "99999999999:" HEX};
    struct root_mark m;
    (void)state;
    assert_true(root_mark_parse("2147483647:" HEX, &m));
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_false(root_mark_parse(texts[i], &m));
}

static void an_alarm_names_both_fingerprints_and_what_to_do(void **state)
{
    const struct root_mark old = read_mark(root);
    const struct root_mark new = read_mark("{\"signatures\":[],\"signed\":{\"version\":3}}");
    char hex[HASH_HEX_SIZE];
    struct err e;
    (void)state;
    assert_int_equal(root_mark_alarm(PIN_IMAGE, &old, &new, &e), -1);
    assert_int_equal(e.id, ERR_ROOT_CHANGED);
    hash_hex(old.fingerprint, hex);
    assert_non_null(strstr(e.message, hex));
    hash_hex(new.fingerprint, hex);
    assert_non_null(strstr(e.message, hex));
    assert_non_null(strstr(e.message, "image-repo/3.root.json"));
    assert_non_null(strstr(e.hint, "ask the owner"));
    assert_int_equal(root_mark_alarm_gone(PIN_DIRECTOR, &old, NULL, &e), -1);
    assert_int_equal(e.id, ERR_ROLLBACK);
    assert_non_null(strstr(e.message, "director/3.root.json"));
    assert_null(strstr(e.message, "Newest"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space_changes_nothing_and_a_signature_only_the_fingerprint),
        cmocka_unit_test(what_has_no_version_is_no_root),
        cmocka_unit_test(the_text_of_a_profile_comes_back),
        cmocka_unit_test(anything_else_is_no_mark),
        cmocka_unit_test(an_alarm_names_both_fingerprints_and_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
