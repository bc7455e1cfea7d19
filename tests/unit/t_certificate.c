/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "crypto/certificate.h"
#include "test_certificates.h"

static void expect_refusal(const char *certificate, const char *key, const char *reason)
{
    char *name = NULL;
    struct err e = {0};
    assert_int_equal(certificate_common_name(certificate, strlen(certificate), key, strlen(key), &name, &e),
                     -1);
    assert_int_equal(e.id, ERR_BAD_KEY);
    assert_null(name);
    if (!strstr(e.message, reason))
        fail_msg("'%s' does not say '%s'", e.message, reason);
}

static void a_certificate_says_whose_it_is(void **state)
{
    (void)state;
    AUTO_FREE char *name = NULL;
    struct err e = {0};
    assert_return_code(certificate_common_name(CERTIFICATE, strlen(CERTIFICATE), KEY, strlen(KEY), &name, &e),
                       0);
    assert_string_equal(name, CERTIFIED_UUID);
}

static void a_key_of_another_is_noticed(void **state)
{
    (void)state;
    expect_refusal(CERTIFICATE, OTHER_KEY, "not that of the certificate");
}

static void what_is_neither_is_refused(void **state)
{
    (void)state;
    expect_refusal("", KEY, "not a certificate");
    expect_refusal(KEY, KEY, "not a certificate");
    expect_refusal(CERTIFICATE, "", "not a private key");
    expect_refusal(CERTIFICATE, CERTIFICATE, "not a private key");
}

static void nobody_is_asked_for_a_password(void **state)
{
    (void)state;
    expect_refusal(CERTIFICATE, LOCKED_KEY, "without a password");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_says_whose_it_is),
        cmocka_unit_test(a_key_of_another_is_noticed),
        cmocka_unit_test(what_is_neither_is_refused),
        cmocka_unit_test(nobody_is_asked_for_a_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
