/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

/* RFC 4648, 10 */
static const char *const vectors[][2] = {{"", ""},
                                         {"f", "Zg=="},
                                         {"fo", "Zm8="},
                                         {"foo", "Zm9v"},
                                         {"foob", "Zm9vYg=="},
                                         {"fooba", "Zm9vYmE="},
                                         {"foobar", "Zm9vYmFy"},
                                         {"\xff\xfb", "//s="}};

static void both_directions_agree_with_the_standard(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        AUTO(buf) struct buf text = {0}, bytes = {0};
        base64_encode(&text, vectors[i][0], strlen(vectors[i][0]));
        assert_string_equal(buf_text(&text), vectors[i][1]);
        assert_true(base64_decode(&bytes, vectors[i][1], strlen(vectors[i][1])));
        assert_string_equal(buf_text(&bytes), vectors[i][0]);
    }
}

static void what_is_no_base64_leaves_nothing(void **state)
{
    static const char *const bad[] = {
        "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm9v\n", "Zm 9", "====", "Zg==Zg==", "-_=="};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        AUTO(buf) struct buf bytes = {0};
        buf_add_text(&bytes, "kept");
        if (base64_decode(&bytes, bad[i], strlen(bad[i])))
            fail_msg("'%s' passed", bad[i]);
        assert_int_equal(bytes.len, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_agree_with_the_standard),
        cmocka_unit_test(what_is_no_base64_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
