/* SPDX-License-Identifier: Apache-2.0
 *
 * The vectors were made with python3-cryptography; their private keys were thrown away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "crypto/pubkey.h"

static const char message[] = "the message";

static const char rsa_2048[] = "-----BEGIN PUBLIC KEY-----\n"
                               "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAsuERcQ6TREN50igaHD+b\n"
                               "2Q32iKkcIHk62b6uZkKjmmhhKdNvRVTebZpP8FZXZpI1CjyvCgi4cXpW4ChRyo9i\n"
                               "kIAkmb5RwTtKNwbdg58rclV63Zr7+BREgrF/RKMrbKXZLul5N+fMAY2M3oyhBF5L\n"
                               "VIlrM4GWGli+ZTaHrrNyC9CPQdGUcFd+wOLgwHTz/O/sWLIJdPi7Gt+Yl4yoxXXw\n"
                               "rlFq/kYOWhuvd6ztJPm/+qkX+sIo127eSYbhwu6aXnaSc0zX44XxZu+QiJBlgf3C\n"
                               "tC3vKTLYOoS7wsEFmkALhC2oEqX6KQGYLcaaFyX1rTW9YObncq+FKoihIU1ugG2W\n"
                               "cQIDAQAB\n"
                               "-----END PUBLIC KEY-----\n";
static const char rsa_1024[] = "-----BEGIN PUBLIC KEY-----\n"
                               "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDw8I/0nMHQmIZ+gSc8F0GPMSSp\n"
                               "WI5j2N1SPq88pKyUQpWoyd+AbJmRUjLX7sG2Zg0GW28LRlXGveChPs72Ta4kd7uf\n"
                               "CQtSq07j6AzWzYwaSd4yVub/igi5ycEEl7mawCAY7tBUTt1NsaHrMfoa7xw3hVTH\n"
                               "2FteSUvmNd/dhir9FwIDAQAB\n"
                               "-----END PUBLIC KEY-----\n";
static const char p256[] = "-----BEGIN PUBLIC KEY-----\n"
                           "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7KzUUdYd0cNzlaxVXa/jOrlXs2SE\n"
                           "sJ3i6pjp1SXj4yKcgoXFatTuRaXVdMkaAdq9Un+lRb1Pu9DarnJM1gA83g==\n"
                           "-----END PUBLIC KEY-----\n";
static const char p384[] = "-----BEGIN PUBLIC KEY-----\n"
                           "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEkQzfQdGN6684x8JnW3thr0V3oThIH8p3\n"
                           "2O6P/ByZ7sIg7NfGUvGYw4S37XBjlsQENEWgeWJgh4FZMPmEQtz1paGe+Pkd9HM3\n"
                           "4xE7ak54PF90olCkmFF1T7umetxZ9hnf\n"
                           "-----END PUBLIC KEY-----\n";
static const char ed25519[] = "7686ab9db15d3c2dcf8c09d83597db5f5c0a425edfae38dd90d331e7bed2bcc3";
static const char rsa_salt_32[] =
    "eATf+C6QG3VwV4r1RTbm1F7xh8uhQgVOtvsBokQrBwOuZzDFLGQUI/lIxQU7NhJoRabHmAIzjitcYllI601b6PZk"
    "T4kPAIIbkrZ/SDRz+GmbtOhT7XX1sh3uDNHyiXw4FF6JJokOYj9GmOlHP6zsK7dCLHwrP91QaeGKIoMYP67Eq/Qf"
    "oJYpMx2KNUJ+VyJTw+DnZbPKQF81tPwUf8noMQ/h3kd/ERyM7Czsn+4TmLBjN4JGUGFjDUH2aKIR0Q6wLCX/ZgK6"
    "52HDin0NWSrvVhRAAeobffoEgxfFiDKuLxeavfLz+6T3E8Q1VYqleydRqMHoagriml4h5LUVMmezzA==";
static const char rsa_salt_0[] =
    "Dsv1RrOE/isFwRp9w1WphI+FxY1diFWZU/P3C+hTSc6seglFbty4Drr49t7qxNsfkzghvXyJM48t9N9cKbMze6Ln"
    "6TVzU/yT0WCb3RKuirTPC6XMHRML9prJkI9pyKFMBMwBJQu7iCg+lJ6ou1dWVa36ijwXGwbISbyF3Vnj817UOwBe"
    "A5cplgcfljVqJtgRjai6uLLSwtqT7A31MVoNfa7mn9k7Wtz/hsMRq0nkCbk8dU2Qn1q50fJ3oBw3NTtxyR8Dg3MK"
    "RHucjRow8qfnIe3CMzgNjZbULDJcdxnIvxyeYFe925O+XCJ2jyOqgkRPKcTUjeddnKhy4Ywedv6Dlw==";
static const char rsa_salt_max[] =
    "IXqvnG2VjjDwqiMAZLzXQ5nduey7xPGnWC813tb+9JUl/EWi0naI6IGj7Q+OWlE2BWaA/tdd9EAss/3+qy+2L3E+"
    "PXB+NlisxcY+KPa8/LBEDAXfD5oiSSYWW296sl2Mrn/VoUG+9rP6euEMcPLZ20CE5056LIRvNXWkzHQrnKdzhGgS"
    "FIIa1GcRlJbKF/FVjtzl33US03XU00t98QLhJQmQr/Yc4PnnqRwBbAKZ9K+aNgQ8ogectnpV9C15tmjIU6sxmtsv"
    "FVoFX5GjFJ0Au2n3JwvwfUnozbk6uYHSar3SL8NSUUVoPL8BQ+nERKJ6btYK1ArpphzMj88S0tYwSw==";
static const char rsa_pkcs1[] =
    "HTkZ/7dMl2CAcn5PqGRtjkEEb1LwXCUvc37s3EofD60VDzv9y4JVrVKCi47y3B+ukSn77/AVrHV6y4Dcy37Zszct"
    "ziccwh5C83uw73/sh8oGSQwVkMAyo39bi5wL3mPc7+EJ0zXkRonqQoEGtPchNv9pWoE/k3ew0c/yjrNhTd7VeayX"
    "QJc6PG5uFiiVbuN0maOG7aivAhzU7wuoq4dp7muF/UY7K03gjIwmBUKpsa4RKqpNg+oXKUlYiPKQ7potoeY5GyV5"
    "iYGDI3cCcX5tr2XPhQ4uTjepTNxSL8fOBKlmEP9VzWWPKw8X3GR5yiNLCskDYjlMInSxs2H19rNmLQ==";
static const char rsa_sha512[] =
    "dL3DyHYmFB5zvJy3eUzJBVSHsnDtwInUG9vS6gx0C6JHs2EVJhcs18210uZNTKkOYhyghALakSQbxEwCnV/m0oqa"
    "j1ae7dyGri6U0b+HEjkgvgmMBpIVs/Tm84q0KkA7Vi+2OfymP7DDYRDFerBmRsIJTzlQPugNKm9pmtMcOweLqyxi"
    "zzCGwbxNUzEkQg6lh+fHkPnx6fYB6rd6pl/qHCx91pY/pYH6NaRZe04uneyoF7x5PDKAj4U9AY309OtAMZ703uvG"
    "iutq+JBzIzvVNUuoggGekfL9Z4F9OUDyfPPhtBIxOG+FZRY60qwXXtVJjzTd/vqrG3svPmtM9hjcqA==";
static const char p256_signature[] =
    "MEUCIENlDn8Dt6z+tjgtJEbo5yccW2mBglZm/FrE8yrTm7sDAiEAzwfu5pnZGHig7Czi2aYqjDA1/9eq2eBtyDda"
    "/yoBKek=";
static const char ed25519_signature[] =
    "AVb5LyubGNgaWSNgy3UrYd7hEoeQCLQWBxJ3jQQDpuEMPnYpRs9rKlHJhpgOBvd45wa7iAlRdMcKX0k3aSTyDA==";

static struct pubkey *parsed(const char *type, const char *value)
{
    struct pubkey *key;
    struct err e;
    if (pubkey_parse(type, strlen(type), value, strlen(value), &key, &e))
        fail_msg("%s", e.message);
    return key;
}

static void is_refused(const char *type, const char *value, enum err_id id)
{
    struct pubkey *key;
    struct err e;
    assert_int_equal(pubkey_parse(type, strlen(type), value, strlen(value), &key, &e), -1);
    assert_int_equal(e.id, id);
}

static bool verifies(const char *type, const char *value, const char *text, const char *signature)
{
    struct pubkey *key = parsed(type, value);
    bool good = pubkey_verify(key, text, strlen(text), signature, strlen(signature));
    pubkey_delete(key);
    return good;
}

static void good_signatures_verify(void **state)
{
    (void)state;
    assert_true(verifies("RSA", rsa_2048, message, rsa_salt_32));
    assert_true(verifies("RSA", rsa_2048, message, rsa_salt_0));
    assert_true(verifies("RSA", rsa_2048, message, rsa_salt_max));
    assert_true(verifies("ED25519", ed25519, message, ed25519_signature));
    assert_true(verifies("ECPRIME256V1", p256, message, p256_signature));
}

static void other_text_or_another_scheme_does_not_verify(void **state)
{
    (void)state;
    assert_false(verifies("RSA", rsa_2048, "the massage", rsa_salt_32));
    assert_false(verifies("RSA", rsa_2048, message, rsa_pkcs1));
    assert_false(verifies("RSA", rsa_2048, message, rsa_sha512));
    assert_false(verifies("RSA", rsa_2048, message, ed25519_signature));
    assert_false(verifies("ED25519", ed25519, "the massage", ed25519_signature));
    assert_false(verifies("ED25519", ed25519, message, rsa_salt_32));
    assert_false(verifies("ECPRIME256V1", p256, "the massage", p256_signature));
}

static void a_flipped_bit_of_a_signature_does_not_verify(void **state)
{
    static const char *const rows[][3] = {{"RSA", rsa_2048, rsa_salt_32},
                                          {"ED25519", ed25519, ed25519_signature},
                                          {"ECPRIME256V1", p256, p256_signature}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *text = mem_strdup(rows[i][2]);
        for (size_t at = 0; text[at]; at++) {
            text[at] ^= 1;
            if (verifies(rows[i][0], rows[i][1], message, text))
                fail_msg("%s: character %zu was changed", rows[i][0], at);
            text[at] ^= 1;
        }
    }
}

static void a_signature_must_be_whole_base64(void **state)
{
    (void)state;
    AUTO_FREE char *cut = mem_strndup(ed25519_signature, strlen(ed25519_signature) - 4);
    AUTO_FREE char *long_one = mem_format("%s%0*d", ed25519_signature, 4000, 0);
    AUTO_FREE char *spaced = mem_format("%s\n", ed25519_signature);
    assert_false(verifies("ED25519", ed25519, message, ""));
    assert_false(verifies("ED25519", ed25519, message, cut));
    assert_false(verifies("ED25519", ed25519, message, long_one));
    assert_false(verifies("ED25519", ed25519, message, spaced));
}

static void keys_of_wrong_form_are_refused(void **state)
{
    (void)state;
    is_refused("ED25519", "00", ERR_BAD_KEY);
    is_refused("ED25519", rsa_2048, ERR_BAD_KEY);
    is_refused("RSA", ed25519, ERR_BAD_KEY);
    is_refused("RSA", "", ERR_BAD_KEY);
    is_refused("RSA", p256, ERR_BAD_KEY);
    is_refused("RSA", rsa_1024, ERR_BAD_KEY);
    is_refused("ECPRIME256V1", rsa_2048, ERR_BAD_KEY);
    is_refused("ECPRIME256V1", p384, ERR_BAD_KEY);
    is_refused("SPHINCS", "00", ERR_UNSUPPORTED_KEY);
    is_refused("", "", ERR_UNSUPPORTED_KEY);
}

static void a_key_tells_its_type_length_and_methods(void **state)
{
    static const struct {
        const char *type, *value, *method;
        enum pubkey_type is;
        int bits;
    } rows[] = {{"rsa", rsa_2048, "RSASSA-PSS", PUBKEY_RSA, 2048},
                {"Rsa", rsa_2048, "rsassa-pss-sha256", PUBKEY_RSA, 2048},
                {"ed25519", ed25519, "Ed25519", PUBKEY_ED25519, 256},
                {"ecprime256v1", p256, "ecdsa-sha2-nistp256", PUBKEY_ECDSA_P256, 256}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pubkey *key = parsed(rows[i].type, rows[i].value);
        assert_int_equal(pubkey_type(key), rows[i].is);
        assert_int_equal(pubkey_bits(key), rows[i].bits);
        assert_true(pubkey_knows_method(key, rows[i].method, strlen(rows[i].method)));
        assert_false(pubkey_knows_method(key, "rsassa-pkcs1v15-sha256", 22));
        assert_false(pubkey_knows_method(key, rows[i].method, strlen(rows[i].method) - 1));
        pubkey_delete(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_signatures_verify),
        cmocka_unit_test(other_text_or_another_scheme_does_not_verify),
        cmocka_unit_test(a_flipped_bit_of_a_signature_does_not_verify),
        cmocka_unit_test(a_signature_must_be_whole_base64),
        cmocka_unit_test(keys_of_wrong_form_are_refused),
        cmocka_unit_test(a_key_tells_its_type_length_and_methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
