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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_somebody_names_wins),
        cmocka_unit_test(an_address_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
