/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/sign_key.h"

static void reads(const char *typed, const char *fingerprint)
{
    char text[SIGN_FINGERPRINT_TEXT];
    assert_true(sign_read_fingerprint(typed, text));
    assert_string_equal(text, fingerprint);
}

static void refuses(const char *typed)
{
    char text[SIGN_FINGERPRINT_TEXT];
    assert_false(sign_read_fingerprint(typed, text));
}

static void a_fingerprint_is_read_back_as_it_was_written(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        uint8_t key[SIGN_PUBLIC_SIZE] = {(uint8_t)i};
        char text[SIGN_FINGERPRINT_TEXT];
        sign_fingerprint(key, text);
        reads(text, text);
    }
}

static void it_is_read_as_people_type_it(void **state)
{
    (void)state;
    static const char shown[] = "4T7ES-2YNFS-KVSAF-FFOM5-5636E-G";
    reads("4t7es-2ynfs-kvsaf-ffom5-5636e-g", shown);
    reads("4T7ES2YNFSKVSAFFFOM55636EG", shown);
    reads(" 4t7es 2ynfs kvsaf ffom5 5636e g ", shown);
}

static void a_slip_is_noticed(void **state)
{
    (void)state;
    refuses("");
    refuses("abc");
    refuses("4T7ES-2YNFS-KVSAF-FFOM5-5636E");    /* without the check character */
    refuses("4T7ES-2YNFS-KVSAF-FFOM5-5636E-GA"); /* one too many */
    refuses("4T7ES-2YNFS-KVSAF-FFOM5-5636E-H");  /* another check character */
    refuses("4T7SE-2YNFS-KVSAF-FFOM5-5636E-G");  /* two exchanged */
    refuses("4T7ES-2YNFS-KVSAF-FFOM5-5636F-G");  /* one other */
    refuses("4T7ES-2YNFS-KVSAF-FF0M5-5636E-G");  /* 0 is no digit */
    refuses("4T7ES_2YNFS_KVSAF_FFOM5_5636E_G");
    refuses("4T7ES-2YNFS-KVSAF-FFOM5-5636E-\xC3\x9C"); /* two bytes of UTF-8 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fingerprint_is_read_back_as_it_was_written),
        cmocka_unit_test(it_is_read_as_people_type_it),
        cmocka_unit_test(a_slip_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
