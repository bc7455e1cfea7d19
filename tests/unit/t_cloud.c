/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud_account.h"

static void both_doors_are_tried_at_login(void **state)
{
    struct account *a = *state;
    struct err e;
    if (cloud_check_login(a->cloud, &e))
        fail_msg("%s", e.message);
    rehearsal_expect("\"method\": \"POST\".*\"origin\": \"token\".*\"status\": 200", 2);
    assert_true(cloud_has_api(a->cloud));
}

static void a_wrong_secret_is_refused_with_the_servers_reason(void **state)
{
    struct account *a = *state;
    struct cloud *cloud = account_open(a, "wrong-secret");
    struct err e = {0};
    assert_int_equal(cloud_check_login(cloud, &e), -1);
    cloud_close(cloud);
    assert_string_equal(err_name(e.id), "login-refused");
    assert_non_null(strstr(e.message, "Invalid client credentials"));
    assert_null(strstr(e.message, "wrong-secret"));
}

static void a_token_is_renewed_before_it_expires(void **state)
{
    struct account *a = *state;
    struct cloud *cloud = account_open(a, a->credentials.client_secret);
    struct err e;
    rehearsal_tell("set token-lifetime 4");
    assert_int_equal(cloud_check_login(cloud, &e), 0);
    assert_int_equal(cloud_check_login(cloud, &e), 0);
    rehearsal_expect("\"origin\": \"token\"", 2); /* one for each door */
    sleep(3);
    assert_int_equal(cloud_check_login(cloud, &e), 0);
    rehearsal_expect("\"origin\": \"token\"", 4);
    rehearsal_tell("set token-lifetime 300");
    cloud_close(cloud);
}

static void a_scope_that_the_server_does_not_know_is_left_out(void **state)
{
    struct account *a = *state;
    struct err e;
    assert_string_equal(a->credentials.scope, "none");
    rehearsal_tell("fault add 'POST token/' status code=400 --times 1");
    if (cloud_check_login(a->cloud, &e))
        fail_msg("%s", e.message);
    rehearsal_expect("\"origin\": \"token\".*\"status\": 400", 1);
    rehearsal_expect("\"origin\": \"token\".*\"status\": 200", 2);
}

static void tokens_that_make_no_sense_are_refused(void **state)
{
    struct account *a = *state;
    struct cloud *cloud = account_open(a, a->credentials.client_secret);
    struct err e = {0};
    rehearsal_tell("fault add 'POST token/' flip at=0");
    assert_int_equal(cloud_check_login(cloud, &e), -1);
    assert_string_equal(err_name(e.id), "bad-answer");
    cloud_close(cloud);
}

static void targets_come_from_the_repository_or_from_their_own_address(void **state)
{
    struct account *a = *state;
    AUTO(cloud_source) struct cloud_source own = {0};
    AUTO(cloud_source) struct cloud_source foreign = {0};
    AUTO_FREE char *expected =
        mem_format("%s/api/v1/user_repo/targets/boot/a%%20b-1", a->credentials.endpoints.repo);
    cloud_target_source(a->cloud, "boot/a b-1", NULL, &own);
    assert_string_equal(own.url, expected);
    assert_non_null(own.auth);
    cloud_target_source(a->cloud, "boot/a b-1", "https://elsewhere/x?y", &foreign);
    assert_string_equal(foreign.url, "https://elsewhere/x?y");
    assert_null(foreign.auth);
}

static void ostree_files_come_from_the_accounts_repository(void **state)
{
    struct account *a = *state;
    AUTO(cloud_source) struct cloud_source source = {0};
    AUTO_FREE char *expected = mem_format("%s/objects/ab/cd.commit", a->credentials.endpoints.ostree);
    struct err e;
    assert_int_equal(cloud_ostree_source(a->cloud, "objects/ab/cd.commit", &source, &e), 0);
    assert_string_equal(source.url, expected);
    assert_non_null(source.auth);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, account_begin, account_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_doors_are_tried_at_login),
        TEST(a_wrong_secret_is_refused_with_the_servers_reason),
        TEST(a_token_is_renewed_before_it_expires),
        TEST(a_scope_that_the_server_does_not_know_is_left_out),
        TEST(tokens_that_make_no_sense_are_refused),
        TEST(targets_come_from_the_repository_or_from_their_own_address),
        TEST(ostree_files_come_from_the_accounts_repository),
    };
    return cmocka_run_group_tests(tests, account_start, account_stop);
}
