/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

#include "base/mem.h"
#include "cloud/device_credentials.h"
#include "cloud/zip_entries.h"
#include "test_certificates.h"

#define OTHER_UUID "11111111-2222-3333-4444-555555555555"
#define INFO(uuid) "{\"deviceUuid\": \"" uuid "\", \"deviceId\": \"x\"}"

struct entry {
    const char *name, *content;
};

static const struct entry whole[] = {
    {"client.pem", CERTIFICATE},
    {"pkey.pem", KEY},
    {"root.crt", "an authority"},
    {"gateway.url", "https://dgw.example:8443\n"},
    {"info.json", INFO("0C8F4B7E-7A0C-4D59-9C55-1F2E3D4C5B6A")},
};

/* The entries of `whole`, one of them with other content, or left out (content NULL). */
static void zip(struct buf *ret, const char *name, const char *content)
{
    size_t used;
    struct archive *a = archive_write_new();
    buf_reserve(ret, ZIP_MAX);
    archive_write_set_format_zip(a);
    assert_int_equal(archive_write_open_memory(a, ret->data, ZIP_MAX, &used), ARCHIVE_OK);
    for (size_t i = 0; i < COUNT_OF(whole); i++) {
        const char *text = name && !strcmp(name, whole[i].name) ? content : whole[i].content;
        if (!text)
            continue;
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, whole[i].name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_size(entry, (la_int64_t)strlen(text));
        assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, text, strlen(text)), strlen(text));
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
    ret->len = used;
}

static int read_with(const char *name, const char *content, struct device_credentials *ret, struct err *e)
{
    AUTO(buf) struct buf bytes = {0};
    zip(&bytes, name, content);
    return device_credentials_read(bytes.data, bytes.len, ret, e);
}

static void expect_refusal(const char *name, const char *content, const char *reason)
{
    struct device_credentials c = {0};
    struct err e = {0};
    assert_int_equal(read_with(name, content, &c, &e), -1);
    assert_int_equal(e.id, ERR_BAD_CREDENTIALS);
    if (!strstr(e.message, reason))
        fail_msg("'%s' does not say '%s'", e.message, reason);
}

static void what_a_device_was_given_is_read(void **state)
{
    (void)state;
    AUTO(device_credentials) struct device_credentials c = {0};
    struct err e = {0};
    if (read_with(NULL, NULL, &c, &e))
        fail_msg("%s", e.message);
    assert_string_equal(c.uuid, CERTIFIED_UUID);
    assert_string_equal(buf_text(&c.certificate), CERTIFICATE);
    assert_string_equal(buf_text(&c.key), KEY);
    assert_string_equal(buf_text(&c.ca), "an authority");
    assert_string_equal(c.gateway, "https://dgw.example:8443");
}

static void the_certificate_names_the_device_where_nothing_else_does(void **state)
{
    (void)state;
    AUTO(device_credentials) struct device_credentials c = {0};
    struct err e = {0};
    assert_return_code(read_with("info.json", NULL, &c, &e), 0);
    assert_string_equal(c.uuid, CERTIFIED_UUID);
}

static void a_certificate_without_a_uuid_leaves_it_to_info_json(void **state)
{
    (void)state;
    AUTO(device_credentials) struct device_credentials c = {0};
    struct err e = {0};
    assert_return_code(read_with("client.pem", NAMELESS, &c, &e), 0);
    assert_string_equal(c.uuid, CERTIFIED_UUID);
}

static void what_the_gateway_is_not_told_by_stays_empty(void **state)
{
    (void)state;
    AUTO(device_credentials) struct device_credentials a = {0};
    AUTO(device_credentials) struct device_credentials b = {0};
    struct err e = {0};
    assert_return_code(read_with("root.crt", NULL, &a, &e), 0);
    assert_int_equal(a.ca.len, 0);
    assert_return_code(read_with("gateway.url", NULL, &b, &e), 0);
    assert_null(b.gateway);
}

static void two_devices_in_one_archive_are_refused(void **state)
{
    (void)state;
    expect_refusal("info.json", INFO(OTHER_UUID), "another device than the certificate");
}

static void half_a_key_pair_is_refused(void **state)
{
    (void)state;
    expect_refusal("client.pem", NULL, "no client.pem");
    expect_refusal("pkey.pem", NULL, "no pkey.pem");
    expect_refusal("pkey.pem", OTHER_KEY, "not that of the certificate");
    expect_refusal("pkey.pem", LOCKED_KEY, "without a password");
}

static void an_info_json_that_names_nobody_is_refused(void **state)
{
    (void)state;
    expect_refusal("info.json", "{", "info.json");
    expect_refusal("info.json", "{}", "no 'deviceUuid'");
    expect_refusal("info.json", "{\"deviceUuid\": 1}", "no 'deviceUuid'");
    expect_refusal("info.json", INFO("../../notes/0c8f4b7e-7a0c-4d59-9c5"), "no 'deviceUuid'");
}

static void what_is_no_zip_is_refused(void **state)
{
    (void)state;
    struct device_credentials c = {0};
    struct err e = {0};
    assert_int_equal(device_credentials_read("not a ZIP", 9, &c, &e), -1);
    assert_int_equal(e.id, ERR_BAD_CREDENTIALS);
    assert_int_equal(device_credentials_read("", 0, &c, &e), -1);
    assert_int_equal(e.id, ERR_BAD_CREDENTIALS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_device_was_given_is_read),
        cmocka_unit_test(the_certificate_names_the_device_where_nothing_else_does),
        cmocka_unit_test(a_certificate_without_a_uuid_leaves_it_to_info_json),
        cmocka_unit_test(what_the_gateway_is_not_told_by_stays_empty),
        cmocka_unit_test(two_devices_in_one_archive_are_refused),
        cmocka_unit_test(half_a_key_pair_is_refused),
        cmocka_unit_test(an_info_json_that_names_nobody_is_refused),
        cmocka_unit_test(what_is_no_zip_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
