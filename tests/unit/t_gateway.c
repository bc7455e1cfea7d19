/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud_account.h"

#include "cloud/devices.h"
#include "cloud/gateway.h"
#include "test_certificates.h"

#define MANIFEST "{\"signed\": {}, \"signatures\": []}"

struct device {
    struct device_credentials credentials;
    struct gateway *gateway;
};

/* A device of the account, made by the API, and its way to the gateway. */
static void open_device(struct account *a, const char *id, const char *url, struct device *ret)
{
    AUTO(buf) struct buf zip = {0};
    const struct http_options options = {
        .ca_file = a->ca_file, .user_agent = rehearsal_agent, .pause_ms = 10};
    struct err e = {0};
    if (cloud_create_device(a->cloud, id, NULL, &zip, &e) ||
        device_credentials_read(zip.data, zip.len, &ret->credentials, &e) ||
        gateway_open(&ret->credentials, url, &options, &ret->gateway, &e))
        fail_msg("%s", e.message);
}

static void close_device(struct device *d)
{
    gateway_close(d->gateway);
    device_credentials_free(&d->credentials);
}

static void the_server_knows_the_device_by_its_certificate(void **state)
{
    struct device d = {0};
    AUTO(gateway_answer) struct gateway_answer answer = {0};
    struct err e = {0};
    open_device(*state, "first", NULL, &d);
    if (gateway_put_manifest(d.gateway, MANIFEST, strlen(MANIFEST), &answer, &e))
        fail_msg("%s", e.message);
    assert_int_equal(answer.status, 404);
    assert_true(answer.may_have_arrived);
    assert_non_null(strstr(buf_text(&answer.body), "device_missing_primary_ecu"));
    assert_non_null(strstr(buf_text(&answer.body), d.credentials.uuid));
    close_device(&d);
}

static void a_certificate_of_nobodys_is_refused(void **state)
{
    struct account *a = *state;
    struct device d = {0};
    AUTO(gateway_answer) struct gateway_answer answer = {0};
    struct err e = {0};
    const struct http_options options = {
        .ca_file = a->ca_file, .user_agent = rehearsal_agent, .pause_ms = 10};
    open_device(a, "second", NULL, &d);
    gateway_close(d.gateway);
    buf_clear(&d.credentials.certificate);
    buf_add_text(&d.credentials.certificate, CERTIFICATE);
    buf_clear(&d.credentials.key);
    buf_add_text(&d.credentials.key, KEY);
    if (gateway_open(&d.credentials, NULL, &options, &d.gateway, &e) ||
        gateway_put_manifest(d.gateway, MANIFEST, strlen(MANIFEST), &answer, &e))
        fail_msg("%s", e.message);
    assert_int_equal(answer.status, 400);
    close_device(&d);
}

static void what_may_have_arrived_is_not_sent_again(void **state)
{
    static const char *const faults[] = {"lost", "reset", "cut", "status code=503"};
    struct device d = {0};
    open_device(*state, "third", NULL, &d);
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        AUTO(gateway_answer) struct gateway_answer answer = {0};
        struct err e = {0};
        rehearsal_tell("fault clear");
        rehearsal_tell("fault add '^PUT dgw/' %s", faults[i]);
        int rc = gateway_put_manifest(d.gateway, MANIFEST, strlen(MANIFEST), &answer, &e);
        assert_int_equal(rc, i == 3 ? 0 : -1);
        assert_true(answer.may_have_arrived);
        rehearsal_expect("/director/manifest", (int)i + 1);
    }
    rehearsal_tell("fault clear");
    close_device(&d);
}

static void what_cannot_have_arrived_is_told(void **state)
{
    struct device d = {0};
    AUTO(gateway_answer) struct gateway_answer answer = {0};
    struct err e = {0};
    answer.may_have_arrived = true;
    open_device(*state, "fourth", "https://localhost:1", &d);
    assert_string_equal(gateway_url(d.gateway), "https://localhost:1");
    assert_int_equal(gateway_put_manifest(d.gateway, MANIFEST, strlen(MANIFEST), &answer, &e), -1);
    assert_int_equal(e.id, ERR_NETWORK);
    assert_false(answer.may_have_arrived);
    close_device(&d);
}

static void only_the_authority_in_the_archive_answers_for_the_gateway(void **state)
{
    struct account *a = *state;
    struct device d = {0};
    AUTO(gateway_answer) struct gateway_answer answer = {0};
    struct err e = {0};
    const struct http_options options = {
        .ca_file = a->ca_file, .user_agent = rehearsal_agent, .pause_ms = 10};
    open_device(a, "fifth", NULL, &d);
    gateway_close(d.gateway);
    buf_clear(&d.credentials.ca); /* then those of the profile do, and the gateway has another */
    assert_return_code(gateway_open(&d.credentials, NULL, &options, &d.gateway, &e), 0);
    assert_int_equal(gateway_put_manifest(d.gateway, MANIFEST, strlen(MANIFEST), &answer, &e), -1);
    assert_int_equal(e.id, ERR_TLS);
    assert_false(answer.may_have_arrived);
    close_device(&d);
}

static void the_servers_authority_is_not_the_gateways(void **state)
{
    struct account *a = *state;
    struct device d = {0};
    AUTO(gateway_answer) struct gateway_answer answer = {0};
    struct err e = {0};
    AUTO_FREE char *api = rehearsal_value("REHEARSAL_API_URL");
    open_device(a, "sixth", api, &d);
    assert_int_equal(gateway_put_manifest(d.gateway, MANIFEST, strlen(MANIFEST), &answer, &e), -1);
    assert_int_equal(e.id, ERR_TLS);
    close_device(&d);
}

static void nothing_goes_out_without_tls(void **state)
{
    static const char *const urls[] = {"http://localhost:1", "ftp://localhost", "localhost", ""};
    struct account *a = *state;
    struct device d = {0};
    struct gateway *g = NULL;
    struct err e = {0};
    const struct http_options options = {.ca_file = a->ca_file};
    open_device(a, "seventh", NULL, &d);
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        assert_int_equal(gateway_open(&d.credentials, urls[i], &options, &g, &e), -1);
        assert_int_equal(e.id, ERR_BAD_CONFIG);
    }
    close_device(&d);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, account_begin, account_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_server_knows_the_device_by_its_certificate),
        TEST(a_certificate_of_nobodys_is_refused),
        TEST(what_may_have_arrived_is_not_sent_again),
        TEST(what_cannot_have_arrived_is_told),
        TEST(only_the_authority_in_the_archive_answers_for_the_gateway),
        TEST(the_servers_authority_is_not_the_gateways),
        TEST(nothing_goes_out_without_tls),
    };
    return cmocka_run_group_tests(tests, account_start, account_stop);
}
