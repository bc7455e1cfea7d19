/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud_account.h"

#include "cloud/platform.h"

static void lockboxes_are_listed_expired_and_empty_ones_too(void **state)
{
    struct account *a = *state;
    AUTO(cloud_names) struct cloud_names names = {0};
    struct err e;
    if (cloud_list_lockboxes(a->cloud, &names, &e))
        fail_msg("%s", e.message);
    assert_int_equal(names.count, 3);
    assert_string_equal(names.names[0], "pump-7");
    assert_string_equal(names.names[1], "press-line");
    assert_string_equal(names.names[2], "valve-9");
}

static void details_are_the_exact_bytes_of_the_signed_roles(void **state)
{
    struct account *a = *state;
    AUTO(cloud_metadata) struct cloud_metadata details = {0};
    AUTO(cloud_metadata) struct cloud_metadata signed_roles = {0};
    struct err e;
    if (cloud_fetch_lockbox_details(a->cloud, &details, &e) ||
        cloud_fetch_lockboxes(a->cloud, &signed_roles, &e))
        fail_msg("%s", e.message);
    assert_int_equal(details.count, 3);
    for (size_t i = 0; i < details.count; i++) {
        const struct buf *bytes = cloud_metadata_find(&signed_roles, details.files[i].path);
        assert_non_null(bytes);
        assert_int_equal(details.files[i].bytes.len, bytes->len);
        assert_memory_equal(details.files[i].bytes.data, bytes->data, bytes->len);
    }
}

static void one_lockbox_is_given_as_it_was_signed(void **state)
{
    struct account *a = *state;
    AUTO(cloud_metadata) struct cloud_metadata details = {0};
    AUTO(buf) struct buf role = {0};
    AUTO(buf) struct buf none = {0};
    struct err e;
    if (cloud_get_lockbox(a->cloud, "pump-7", &role, &e) ||
        cloud_fetch_lockbox_details(a->cloud, &details, &e))
        fail_msg("%s", e.message);
    const struct buf *same = cloud_metadata_find(&details, "director/pump-7.json");
    assert_int_equal(role.len, same->len);
    assert_memory_equal(role.data, same->data, same->len);
    assert_int_equal(cloud_get_lockbox(a->cloud, "nothing", &none, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_LOCKBOX);
    assert_int_equal(cloud_get_lockbox(a->cloud, "../devices", &none, &e), -1);
    assert_int_equal(none.len, 0);
}

static void packages_are_listed_with_what_they_are_for(void **state)
{
    struct account *a = *state;
    AUTO(cloud_packages) struct cloud_packages packages = {0};
    struct err e;
    if (cloud_list_packages(a->cloud, &packages, &e))
        fail_msg("%s", e.message);
    assert_int_equal(packages.count, 4);
    const struct cloud_package *firmware = &packages.list[2];
    assert_string_equal(firmware->id, "pump-controller-2.4.1");
    assert_string_equal(firmware->name, "pump-controller");
    assert_string_equal(firmware->version, "2.4.1");
    assert_int_equal(firmware->size, 384 << 10);
    assert_int_equal(strlen(firmware->sha256), 64);
    assert_string_equal(firmware->source, "targets.json");
    assert_int_equal(firmware->hardware_ids.count, 1);
    assert_string_equal(firmware->hardware_ids.names[0], "pump-controller-mcu");
    assert_null(firmware->uri);
    assert_string_equal(packages.list[3].source, "tdx-containers.json");
}

static void a_refusal_says_what_the_server_said(void **state)
{
    struct account *a = *state;
    AUTO(cloud_names) struct cloud_names names = {0};
    struct err e = {0};
    rehearsal_tell("fault add '^GET api/' status code=409 --times 1");
    assert_int_equal(cloud_list_lockboxes(a->cloud, &names, &e), -1);
    assert_string_equal(err_name(e.id), "http-status");
    assert_int_equal(e.http_status, 409);
    assert_non_null(strstr(e.message, "a fault on demand"));
}

static void a_limited_account_is_asked_again_when_it_may_be(void **state)
{
    struct account *a = *state;
    AUTO(cloud_names) struct cloud_names names = {0};
    struct err e;
    rehearsal_tell("fault add '^GET api/' status code=420 retry-after=1 --times 1");
    if (cloud_list_lockboxes(a->cloud, &names, &e))
        fail_msg("%s", e.message);
    assert_int_equal(names.count, 3);
    rehearsal_expect("\"status\": 420", 1);
}

static void an_answer_that_is_no_json_is_refused(void **state)
{
    struct account *a = *state;
    AUTO(cloud_names) struct cloud_names names = {0};
    struct err e = {0};
    rehearsal_tell("fault add '^GET api/' flip at=0 --times 1");
    assert_int_equal(cloud_list_lockboxes(a->cloud, &names, &e), -1);
    assert_string_equal(err_name(e.id), "bad-answer");
}

static void without_an_api_client_there_is_no_platform(void **state)
{
    struct account *a = *state;
    struct cloud_login login = {.endpoints = &a->credentials.endpoints};
    struct http_options options = {.ca_file = a->ca_file};
    AUTO(cloud_names) struct cloud_names names = {0};
    struct cloud *cloud;
    struct err e = {0};
    assert_int_equal(cloud_open(&login, &options, &cloud, &e), 0);
    assert_int_equal(cloud_list_lockboxes(cloud, &names, &e), -1);
    assert_string_equal(err_name(e.id), "no-profile");
    assert_false(cloud_has_api(cloud));
    cloud_close(cloud);
}

/* Straight to the control socket: a thousand processes would take minutes. */
static void add_packages(unsigned n)
{
    AUTO_FREE char *command =
        mem_format("cd %s && python3 -c 'import json, socket\n"
                   "for i in range(%u):\n"
                   "    s = socket.socket(socket.AF_UNIX); s.connect(\"control.sock\")\n"
                   "    s.sendall(json.dumps(dict(verb=\"package-add\", name=\"many\", version=str(i), "
                   "hwid=[\"h\"], target=None,\n"
                   "              file=None, random=1, commit=None, role=\"targets\", uri=None, "
                   "target_format=None)).encode() + b\"\\n\")\n"
                   "    assert json.loads(s.makefile().read())[\"ok\"]'",
                   rehearsal_folder, n);
    free(rehearsal_run(command));
}

static void long_lists_come_in_pages(void **state)
{
    struct account *a = *state;
    AUTO(cloud_packages) struct cloud_packages packages = {0};
    struct err e;
    add_packages(520);
    if (cloud_list_packages(a->cloud, &packages, &e))
        fail_msg("%s", e.message);
    assert_int_equal(packages.count, 524);
    rehearsal_expect("/packages", 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, account_begin, account_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lockboxes_are_listed_expired_and_empty_ones_too),
        TEST(details_are_the_exact_bytes_of_the_signed_roles),
        TEST(one_lockbox_is_given_as_it_was_signed),
        TEST(packages_are_listed_with_what_they_are_for),
        TEST(a_refusal_says_what_the_server_said),
        TEST(a_limited_account_is_asked_again_when_it_may_be),
        TEST(an_answer_that_is_no_json_is_refused),
        TEST(without_an_api_client_there_is_no_platform),
        TEST(long_lists_come_in_pages),
    };
    return cmocka_run_group_tests(tests, account_start, account_stop);
}
