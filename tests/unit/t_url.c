/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/http.h"
#include "net/url.h"

static void expect_origin(const char *url, const char *expected)
{
    AUTO_FREE char *origin = NULL;
    if (!http_origin(url, &origin))
        fail_msg("no origin: %s", url);
    assert_string_equal(origin, expected);
}

static void an_origin_is_scheme_host_and_port_in_one_spelling(void **state)
{
    (void)state;
    expect_origin("https://app.torizon.io/api/v2", "https://app.torizon.io");
    expect_origin("HTTPS://App.Torizon.IO:443", "https://app.torizon.io");
    expect_origin("http://localhost:80/x?y#z", "http://localhost");
    expect_origin("https://localhost:8443/", "https://localhost:8443");
    expect_origin("http://[::1]:443/", "http://[::1]:443");
}

static void what_is_no_plain_http_address_has_no_origin(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "",
        "file:///etc/passwd",
        "ftp://host/",
        "/relative",
        "host/path",
        "https://",
        "https://user:password@host/",
        "https://good.example@evil.example/",
    };
    char *origin = NULL;
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        if (http_origin(urls[i], &origin))
            fail_msg("'%s' has the origin %s", urls[i], origin);
    }
}

static void another_port_or_scheme_is_another_origin(void **state)
{
    (void)state;
    assert_true(url_same_origin("https://a/x", "https://A:443/y"));
    assert_false(url_same_origin("https://a/x", "https://a:8443/x"));
    assert_false(url_same_origin("https://a/x", "http://a/x"));
    assert_false(url_same_origin("https://a/x", "https://a.evil/x"));
    assert_false(url_same_origin("nonsense", "nonsense"));
}

static void people_see_neither_query_nor_user(void **state)
{
    (void)state;
    static const struct {
        const char *url, *shown;
    } cases[] = {
        {"https://store/bucket/key?X-Amz-Signature=secret", "https://store/bucket/key"},
        {"https://user:secret@store/key#secret", "https://store/key"},
        {"https://store/a@b", "https://store/a@b"},
        {"https://store?secret=https://user@x/", "https://store"},
        {"https://store/\x1b[2J", "https://store/\\x1b[2J"},
        {"nonsense?secret://x", "nonsense"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(buf) struct buf shown = {0};
        url_show(&shown, cases[i].url);
        assert_string_equal(buf_text(&shown), cases[i].shown);
    }
}

static void names_are_escaped_as_one_segment_or_as_a_path(void **state)
{
    (void)state;
    static const char name[] = "boot loader/v1.0~%\xc3\xa9?#&+";
    AUTO(buf) struct buf segment = {0};
    AUTO(buf) struct buf path = {0};
    http_escape(&segment, name, strlen(name), false);
    http_escape(&path, name, strlen(name), true);
    assert_string_equal(buf_text(&segment), "boot%20loader%2Fv1.0~%25%C3%A9%3F%23%26%2B");
    assert_string_equal(buf_text(&path), "boot%20loader/v1.0~%25%C3%A9%3F%23%26%2B");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_is_scheme_host_and_port_in_one_spelling),
        cmocka_unit_test(what_is_no_plain_http_address_has_no_origin),
        cmocka_unit_test(another_port_or_scheme_is_another_origin),
        cmocka_unit_test(people_see_neither_query_nor_user),
        cmocka_unit_test(names_are_escaped_as_one_segment_or_as_a_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
