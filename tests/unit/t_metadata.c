/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud_account.h"

#include "cloud/metadata.h"

static void expect_paths(const struct cloud_metadata *m, const char *const *paths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!cloud_metadata_find(m, paths[i]))
            fail_msg("'%s' is missing", paths[i]);
    }
    assert_int_equal(m->count, n);
}

static void every_role_of_a_lockbox_arrives(void **state)
{
    static const char *const paths[] = {
        "director/pump-7.json",     "director/offline-snapshot.json", "director/root.json",
        "director/1.root.json",     "director/2.root.json",           "director/3.root.json",
        "image-repo/1.root.json",   "image-repo/2.root.json",         "image-repo/timestamp.json",
        "image-repo/snapshot.json", "image-repo/targets.json",        "image-repo/tdx-containers.json",
    };
    struct account *a = *state;
    AUTO(cloud_metadata) struct cloud_metadata m = {0};
    struct err e;
    if (cloud_fetch_metadata(a->cloud, "pump-7", &m, &e))
        fail_msg("%s", e.message);
    expect_paths(&m, paths, COUNT_OF(paths));
    const struct buf *newest = cloud_metadata_find(&m, "director/root.json");
    const struct buf *third = cloud_metadata_find(&m, "director/3.root.json");
    assert_int_equal(newest->len, third->len);
    assert_memory_equal(newest->data, third->data, newest->len);
}

static void a_lockbox_that_the_cloud_does_not_have_is_told(void **state)
{
    struct account *a = *state;
    AUTO(cloud_metadata) struct cloud_metadata m = {0};
    struct err e;
    assert_int_equal(cloud_fetch_metadata(a->cloud, "pump-8", &m, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_LOCKBOX);
    assert_int_equal(cloud_fetch_metadata(a->cloud, "../root", &m, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_LOCKBOX);
}

static void roles_are_asked_for_in_the_order_of_the_server(void **state)
{
    struct account *a = *state;
    AUTO(cloud_metadata) struct cloud_metadata m = {0};
    struct err e;
    assert_int_equal(cloud_fetch_metadata(a->cloud, "pump-7", &m, &e), 0);
    AUTO_FREE char *command =
        mem_format(REHEARSAL " ctl %s log | grep -F '%s' | grep -oE 'admin/repo/[^\"]*' | head -3",
                   rehearsal_folder, rehearsal_agent);
    AUTO_FREE char *order = rehearsal_run(command);
    assert_string_equal(order, "admin/repo/offline-updates/pump-7.json\n"
                               "admin/repo/offline-snapshot.json\n"
                               "admin/repo/root.json\n");
}

static void what_the_server_lacks_is_left_to_the_verdict(void **state)
{
    struct account *a = *state;
    AUTO(cloud_metadata) struct cloud_metadata m = {0};
    struct err e;
    rehearsal_tell("tamper add repo/snapshot missing");
    rehearsal_tell("tamper add director/1.root missing");
    if (cloud_fetch_metadata(a->cloud, "pump-7", &m, &e))
        fail_msg("%s", e.message);
    assert_null(cloud_metadata_find(&m, "image-repo/snapshot.json"));
    assert_null(cloud_metadata_find(&m, "director/1.root.json"));
    assert_non_null(cloud_metadata_find(&m, "director/2.root.json"));
    assert_non_null(cloud_metadata_find(&m, "image-repo/2.root.json"));
}

static void roles_that_do_not_fit_are_asked_for_again_and_then_left_to_the_verdict(void **state)
{
    static const char *const roles[][2] = {{"director/lockbox:pump-7", "updates/pump-7.json"},
                                           {"repo/snapshot", "user_repo/snapshot.json"},
                                           {"repo/targets", "user_repo/targets.json"},
                                           {"repo/delegation:tdx-containers", "tdx-containers.json"}};
    struct account *a = *state;
    struct err e;
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        AUTO(cloud_metadata) struct cloud_metadata m = {0};
        rehearsal_begin();
        cloud_close(a->cloud);
        a->cloud = account_open(a, a->credentials.client_secret);
        rehearsal_tell("tamper add %s version-up", roles[i][0]);
        if (cloud_fetch_metadata(a->cloud, "pump-7", &m, &e))
            fail_msg("%s", e.message);
        rehearsal_expect(roles[i][1], METADATA_ROUNDS);
        assert_int_equal(m.count, 12);
    }
}

static void a_role_out_of_proportion_is_not_read(void **state)
{
    struct account *a = *state;
    AUTO(cloud_metadata) struct cloud_metadata m = {0};
    struct err e;
    rehearsal_tell("fault add 'offline-snapshot.json' endless");
    assert_int_equal(cloud_fetch_metadata(a->cloud, "pump-7", &m, &e), -1);
    assert_string_equal(err_name(e.id), "too-large");
}

static void all_lockboxes_come_with_the_snapshot_that_lists_them(void **state)
{
    static const char *const paths[] = {"director/offline-snapshot.json", "director/pump-7.json",
                                        "director/press-line.json", "director/valve-9.json"};
    struct account *a = *state;
    AUTO(cloud_metadata) struct cloud_metadata m = {0};
    struct err e;
    if (cloud_fetch_lockboxes(a->cloud, &m, &e))
        fail_msg("%s", e.message);
    expect_paths(&m, paths, COUNT_OF(paths));
}

static void a_delegation_cannot_take_the_place_of_another_role(void **state)
{
    struct account *a = *state;
    AUTO(cloud_metadata) struct cloud_metadata m = {0};
    struct err e;
    rehearsal_tell("delegation add timestamp --path 'x*'");
    assert_int_equal(cloud_fetch_metadata(a->cloud, "pump-7", &m, &e), -1);
    if (e.id != ERR_UNSAFE_NAME)
        fail_msg("%s", e.message);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, account_begin, account_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_role_of_a_lockbox_arrives),
        TEST(a_lockbox_that_the_cloud_does_not_have_is_told),
        TEST(roles_are_asked_for_in_the_order_of_the_server),
        TEST(what_the_server_lacks_is_left_to_the_verdict),
        TEST(roles_that_do_not_fit_are_asked_for_again_and_then_left_to_the_verdict),
        TEST(a_role_out_of_proportion_is_not_read),
        TEST(all_lockboxes_come_with_the_snapshot_that_lists_them),
        TEST(a_delegation_cannot_take_the_place_of_another_role), /* stays: last */
    };
    return cmocka_run_group_tests(tests, account_start, account_stop);
}
