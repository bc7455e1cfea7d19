/* SPDX-License-Identifier: Apache-2.0 */
#include "rehearsal.h"

#include "cloud/credentials.h"
#include "cloud/metadata.h"

struct account {
    struct credentials credentials;
    char *ca_file;
    struct cloud *cloud;
};

static int start(void **state)
{
    struct err e;
    rehearsal_start("--seed demo");
    struct account *a = mem_zeroed(1, sizeof *a);
    AUTO_FREE char *archive = rehearsal_value("REHEARSAL_CREDENTIALS");
    a->ca_file = rehearsal_value("REHEARSAL_CA");
    struct cloud_endpoints none = {0};
    if (credentials_read(archive, &a->credentials, &e) ||
        cloud_endpoints_settle(&a->credentials.endpoints, &none, &e))
        fail_msg("%s", e.message);
    struct cloud_login login = {
        .endpoints = &a->credentials.endpoints,
        .uptane = {a->credentials.client_id, a->credentials.client_secret, a->credentials.scope},
    };
    struct http_options options = {.ca_file = a->ca_file, .pause_ms = 10};
    if (cloud_open(&login, &options, &a->cloud, &e))
        fail_msg("%s", e.message);
    *state = a;
    return 0;
}

static int stop(void **state)
{
    struct account *a = *state;
    cloud_close(a->cloud);
    credentials_free(&a->credentials);
    free(a->ca_file);
    free(a);
    rehearsal_stop();
    return 0;
}

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

static void a_lockbox_that_the_cloud_does_not_have_is_named(void **state)
{
    struct account *a = *state;
    AUTO(cloud_metadata) struct cloud_metadata m = {0};
    struct err e;
    assert_int_equal(cloud_fetch_metadata(a->cloud, "pump-8", &m, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_LOCKBOX);
    assert_non_null(strstr(e.message, "pump-8"));
    assert_int_equal(cloud_fetch_metadata(a->cloud, "../root", &m, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_LOCKBOX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_role_of_a_lockbox_arrives),
        cmocka_unit_test(a_lockbox_that_the_cloud_does_not_have_is_named),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
