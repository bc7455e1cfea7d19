/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fetch/challenge.h"

static void same(const char *got, const char *wanted)
{
    if (!wanted)
        assert_null(got);
    else
        assert_string_equal(got, wanted);
}

static void reads(const char *header, enum challenge_kind kind, const char *realm, const char *service,
                  const char *scope)
{
    AUTO(challenge) struct challenge c = {0};
    if (!challenge_parse(header, &c))
        fail_msg("not read: %s", header);
    assert_int_equal(c.kind, kind);
    same(c.realm, realm);
    same(c.service, service);
    same(c.scope, scope);
}

static void what_registries_send_is_read(void **state)
{
    (void)state;
    reads("Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
          "scope=\"repository:library/busybox:pull\"",
          CHALLENGE_BEARER, "https://auth.docker.io/token", "registry.docker.io",
          "repository:library/busybox:pull");
    reads("Bearer realm=\"https://gitlab.example/jwt/auth\",service=\"dependency_proxy\"", CHALLENGE_BEARER,
          "https://gitlab.example/jwt/auth", "dependency_proxy", NULL);
    reads("Basic realm=\"Registry Realm\"", CHALLENGE_BASIC, "Registry Realm", NULL, NULL);
    reads("basic", CHALLENGE_BASIC, NULL, NULL, NULL);
    reads("BEARER Realm = \"a\\\"b\" , SCOPE=x", CHALLENGE_BEARER, "a\"b", NULL, "x");
}

static void of_several_the_token_is_taken(void **state)
{
    (void)state;
    reads("Basic realm=\"x\", Bearer realm=\"https://t\",service=\"s\"", CHALLENGE_BEARER, "https://t", "s",
          NULL);
    reads("Bearer realm=\"https://t\", Basic realm=\"x\"", CHALLENGE_BEARER, "https://t", NULL, NULL);
    reads("Negotiate, Basic realm=\"x\"", CHALLENGE_BASIC, "x", NULL, NULL);
    reads("Bearer service=\"s\", Basic realm=\"x\"", CHALLENGE_BASIC, "x", NULL, NULL);
}

static void nonsense_is_no_challenge(void **state)
{
    static const char *const bad[] = {"",
                                      " , ",
                                      "Negotiate",
                                      "Bearer",
                                      "Bearer service=\"s\"",
                                      "=",
                                      "Bearer realm=",
                                      "\"Basic\"",
                                      "Digest realm=\"x\"",
                                      "\\",
                                      "Bearer realm=\"open",
                                      "Bearer realm=\"a\\"};
    struct challenge c;
    (void)state;
    assert_false(challenge_parse(NULL, &c));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (challenge_parse(bad[i], &c))
            fail_msg("read: %s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_registries_send_is_read),
        cmocka_unit_test(of_several_the_token_is_taken),
        cmocka_unit_test(nonsense_is_no_challenge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
