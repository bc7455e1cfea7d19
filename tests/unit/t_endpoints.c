/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cloud/endpoints.h"

static void what_somebody_names_wins(void **state)
{
    (void)state;
    AUTO(cloud_endpoints) struct cloud_endpoints at = {.repo = mem_strdup("https://old/repo")};
    struct cloud_endpoints by = {.repo = " https://new:8443/repo// ", .token = "https://kc/token"};
    struct err e;
    assert_int_equal(cloud_endpoints_settle(&at, &by, &e), 0);
    assert_string_equal(at.repo, "https://new:8443/repo");
    assert_string_equal(at.director, "https://new:8443/director");
    assert_string_equal(at.token, "https://kc/token");
    assert_null(at.ostree);
    struct cloud_endpoints director = {.director = "https://d/x"};
    assert_int_equal(cloud_endpoints_settle(&at, &director, &e), 0);
    assert_string_equal(at.director, "https://d/x");
    assert_string_equal(at.repo, "https://new:8443/repo");
}

static void an_address_that_is_none_is_refused(void **state)
{
    (void)state;
    static char *const wrong[] = {"", "repo.example", "file:///repo", "https://user:pw@repo/"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        AUTO(cloud_endpoints) struct cloud_endpoints at = {0};
        struct cloud_endpoints by = {.repo = wrong[i]};
        struct err e = {0};
        assert_int_equal(cloud_endpoints_settle(&at, &by, &e), -1);
        assert_string_equal(err_name(e.id), "bad-config");
    }
}

static int settle_api(char *api, struct err *e)
{
    AUTO(cloud_endpoints) struct cloud_endpoints at = {0};
    struct cloud_endpoints by = {.api = api};
    return cloud_endpoints_settle(&at, &by, e);
}

static void http_leads_to_this_machine_only(void **state)
{
    (void)state;
    static char *const here[] = {"http://localhost:8080/api", "HTTP://LocalHost", "http://127.0.0.1:1/x",
                                 "http://127.9.8.7", "http://[::1]:8080/api"};
    static char *const elsewhere[] = {"http://api.example/x",     "http://10.0.0.1",
                                      "HTTP://128.0.0.1",         "http://127.0.0.1.example",
                                      "http://localhost.example", "http://[::2]:8080",
                                      "http://example/127.0.0.1"};
    struct err e = {0};
    for (size_t i = 0; i < COUNT_OF(here); i++)
        assert_int_equal(settle_api(here[i], &e), 0);
    for (size_t i = 0; i < COUNT_OF(elsewhere); i++) {
        assert_int_equal(settle_api(elsewhere[i], &e), -1);
        assert_int_equal(e.id, ERR_BAD_CONFIG);
        assert_non_null(strstr(e.message, "only https"));
    }
}

static void no_address_of_any_kind_may_be_plain_http(void **state)
{
    (void)state;
    static char plain[] = "http://cloud.example/";
    const struct cloud_endpoints by[] = {{.director = plain}, {.repo = plain},  {.ostree = plain},
                                         {.feed = plain},     {.token = plain}, {.api = plain},
                                         {.api_token = plain}};
    for (size_t i = 0; i < COUNT_OF(by); i++) {
        AUTO(cloud_endpoints) struct cloud_endpoints at = {0};
        struct err e = {0};
        assert_int_equal(cloud_endpoints_settle(&at, &by[i], &e), -1);
        assert_int_equal(e.id, ERR_BAD_CONFIG);
    }
    AUTO(cloud_endpoints) struct cloud_endpoints of_archive = {.token = mem_strdup(plain)};
    const struct cloud_endpoints nothing = {0};
    struct err e = {0};
    assert_int_equal(cloud_endpoints_settle(&of_archive, &nothing, &e), -1);
    assert_int_equal(e.id, ERR_BAD_CONFIG);
}

static void a_repository_may_be_a_folder_of_this_machine(void **state)
{
    (void)state;
    AUTO(cloud_endpoints) struct cloud_endpoints at = {0};
    const struct cloud_endpoints by = {.ostree = "file:///srv/repo/", .feed = "file:///srv/feed"};
    const struct cloud_endpoints relative = {.feed = "file://srv/feed"};
    struct err e;
    assert_int_equal(cloud_endpoints_settle(&at, &by, &e), 0);
    assert_string_equal(at.ostree, "file:///srv/repo");
    assert_string_equal(at.feed, "file:///srv/feed");
    assert_int_equal(cloud_endpoints_settle(&at, &relative, &e), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_somebody_names_wins),
        cmocka_unit_test(an_address_that_is_none_is_refused),
        cmocka_unit_test(http_leads_to_this_machine_only),
        cmocka_unit_test(no_address_of_any_kind_may_be_plain_http),
        cmocka_unit_test(a_repository_may_be_a_folder_of_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
