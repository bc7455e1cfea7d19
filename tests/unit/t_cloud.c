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

static void images_are_looked_for_in_three_places_and_only_the_account_gets_the_login(void **state)
{
    struct account *a = *state;
    struct cloud_source sources[CLOUD_OSTREE_SOURCES];
    AUTO_FREE char *expected = mem_format("%s/objects/ab/cd.commit", a->credentials.endpoints.ostree);
    assert_int_equal(cloud_ostree_sources(a->cloud, "https://elsewhere/repo//", sources), 3);
    AUTO_FREE char *url = cloud_ostree_url(&sources[0], "objects/ab/cd.commit");
    assert_string_equal(url, expected);
    assert_non_null(sources[0].auth);
    assert_string_equal(sources[1].url, "https://elsewhere/repo");
    assert_null(sources[1].auth);
    assert_string_equal(sources[2].url, a->credentials.endpoints.feed);
    assert_null(sources[2].auth);
    for (size_t i = 0; i < COUNT_OF(sources); i++)
        cloud_source_free(&sources[i]);
}

static void the_accounts_repository_is_not_asked_again_without_the_login(void **state)
{
    struct account *a = *state;
    struct cloud_source sources[CLOUD_OSTREE_SOURCES];
    AUTO_FREE char *uri = mem_format("%s/", a->credentials.endpoints.ostree);
    assert_int_equal(cloud_ostree_sources(a->cloud, uri, sources), 2);
    assert_non_null(sources[0].auth);
    assert_string_equal(sources[1].url, a->credentials.endpoints.feed);
    for (size_t i = 0; i < 2; i++)
        cloud_source_free(&sources[i]);
}

static void a_target_cannot_send_us_to_a_folder_of_this_machine(void **state)
{
    struct account *a = *state;
    struct cloud_source sources[CLOUD_OSTREE_SOURCES];
    assert_int_equal(cloud_ostree_sources(a->cloud, "file:///srv/repo", sources), 2);
    for (size_t i = 0; i < 2; i++)
        cloud_source_free(&sources[i]);
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
        TEST(images_are_looked_for_in_three_places_and_only_the_account_gets_the_login),
        TEST(the_accounts_repository_is_not_asked_again_without_the_login),
        TEST(a_target_cannot_send_us_to_a_folder_of_this_machine),
    };
    return cmocka_run_group_tests(tests, account_start, account_stop);
}
