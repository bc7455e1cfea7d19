/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fetch/image_name.h"

static void a_name_is_a_registry_and_a_path(void **state)
{
    static const struct {
        const char *text, *registry, *path;
    } cases[] = {
        {"busybox", "docker.io", "library/busybox"},
        {"torizon/weston", "docker.io", "torizon/weston"},
        {"docker.io/busybox", "docker.io", "library/busybox"},
        {"index.docker.io/a/b", "docker.io", "a/b"},
        {"localhost/a", "localhost", "a"},
        {"localhost:5000/a/b__c/d-e.f", "localhost:5000", "a/b__c/d-e.f"},
        {"Registry.Example/a", "registry.example", "a"},
        {"[::1]:5000/a", "[::1]:5000", "a"},
        {"registry/a", "docker.io", "registry/a"},
        {"r:5000/a", "r:5000", "a"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(image_name) struct image_name n = {0};
        struct err e;
        if (image_name_parse(cases[i].text, strlen(cases[i].text), &n, &e))
            fail_msg("%s", e.message);
        assert_string_equal(n.registry, cases[i].registry);
        assert_string_equal(n.path, cases[i].path);
    }
}

static void what_a_url_or_a_shell_could_misread_is_no_name(void **state)
{
    static const char *const bad[] = {
        "",       "/",      "a/",       "/a",           "a//b",    "A",         "a b", "a:b",  "a@b",
        "../a",   "a/../b", "a?b",      "a%2fb",        "a/b#c",   "-a",        "a-",  ".a",   "a..b",
        "a___b",  "a\n",    "r.x:/a",   "r.x:123456/a", "r.x:p/a", "u:p@r.x/a", "r.x", "${R}", "[::1/a",
        "r.x./a", "-r.x/a", "http://a", "a\x1b[0m",     "r_x.y/a",
    };
    struct image_name n;
    struct err e;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (strcmp(bad[i], "r.x") != 0 && image_name_parse(bad[i], strlen(bad[i]), &n, &e) == 0)
            fail_msg("'%s' passed", bad[i]);
}

static void a_digest_is_exact(void **state)
{
    static const char hex[] = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    uint8_t digest[HASH_SIZE];
    (void)state;
    assert_true(image_digest_parse(hex, strlen(hex), digest));
    assert_int_equal(digest[7], 0xef);
    assert_false(image_digest_parse(hex, strlen(hex) - 1, digest));
    assert_false(image_digest_parse(hex + 7, strlen(hex) - 7, digest));
    char upper[sizeof hex];
    strcpy(upper, hex);
    upper[17] = 'A';
    assert_false(image_digest_parse(upper, strlen(upper), digest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_a_registry_and_a_path),
        cmocka_unit_test(what_a_url_or_a_shell_could_misread_is_no_name),
        cmocka_unit_test(a_digest_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
