/* SPDX-License-Identifier: Apache-2.0
 *
 * Held against the files that tests/interop/make_reports.py made with another library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "usb-tools/report_file.h"

static const char manifest[] = "{\"signatures\":[],  \"signed\":{\"primary_ecu_serial\":\"a1b2\"}}\n";

static const char rsa_public[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwQa3GLYpM5BKWFsCMzru\n"
                                 "bcN8kpluyHIXqiDLpQrV2OrBbbQMy/XjS561DxpPw11ZHPGOVLYDud1vPQiI25W+\n"
                                 "CEPE+u81PU6u7ten3n7oZVE6Y8EYT3UVfsBiWGyCuWsftPktN440TipT5B4EczLs\n"
                                 "E2DlsW5OJYC5+8St/HGMJcxK0lxBlQa8tnY+m/Vij94g92O1KRvA6xiL20pUHPVs\n"
                                 "rM8zOGASpjewmilYIbuFzBh8GCB6O2SmzfzBmAe4TgTTbwUphrqLhEz27PeByH4H\n"
                                 "Xo4bHOAY5S32wDJFfWMrQOfElYKj6lF/ANHqB084MSKabSCq9JhfX1qqr6vTtpRK\n"
                                 "mQIDAQAB\n"
                                 "-----END PUBLIC KEY-----\n";
/* Of a form that many programs write; the rest does not matter. */
static const char private_start[] = "-----BEGIN "
                                    "RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n";

static void load(const char *name, struct buf *ret)
{
    AUTO_FREE char *path = mem_format("tests/unit/reports/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char bytes[8192];
    buf_add(ret, bytes, fread(bytes, 1, sizeof bytes, file));
    assert_int_equal(fgetc(file), EOF);
    assert_int_equal(fclose(file), 0);
}

static void key_of_the_files(struct sign_key *ret)
{
    uint8_t seed[32];
    for (unsigned i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)i;
    sign_key_from_seed(seed, ret);
}

static void parse(const char *name, struct report_file *ret)
{
    AUTO(buf) struct buf bytes = {0};
    struct err e = {0};
    load(name, &bytes);
    int rc = report_file_parse(bytes.data, bytes.len, ret, &e);
    assert_string_equal(e.message, "");
    assert_int_equal(rc, 0);
}

/* Signs what stands in the fields and reads it. */
static void expect_refusal(const struct report_file *file, const char *message)
{
    AUTO(buf) struct buf made = {0};
    AUTO(sign_key) struct sign_key key;
    struct err e = {0};
    key_of_the_files(&key);
    assert_int_equal(report_file_make(file, &key, &made, &e), -1);
    assert_string_equal(err_name(e.id), "bad-report");
    assert_non_null(strstr(e.message, message));
    assert_int_equal(made.len, 0);
}

static void a_report_is_read(void **state)
{
    (void)state;
    AUTO(report_file) struct report_file file = {0};
    AUTO(sign_key) struct sign_key key;
    parse("report.json", &file);
    key_of_the_files(&key);
    AUTO_FREE char *path = report_file_path(&file);
    assert_string_equal(path, "airlock/reports/pump-7/2.json");
    assert_int_equal(file.type, REPORT_REPORT);
    assert_int_equal(file.sequence, 2);
    assert_true(file.has_previous);
    assert_int_equal(file.previous[31], 0x5a);
    assert_string_equal(file.lockbox, "fall-release");
    assert_int_equal(file.lockbox_version, 3);
    assert_int_equal(file.outcome, OUTCOME_INSTALLED);
    assert_int_equal(file.source, SOURCE_UPDATE_LOGS);
    assert_true(file.signers_checked);
    assert_null(file.error);
    assert_int_equal(file.ecu_count, 2);
    assert_string_equal(file.ecus[0].key_type, "ED25519");
    assert_null(file.ecus[1].key_type);
    assert_memory_equal(file.public_key, key.public_key, SIGN_PUBLIC_SIZE);
}

static void a_manifest_comes_back_byte_for_byte(void **state)
{
    (void)state;
    AUTO(report_file) struct report_file file = {0};
    parse("report.json", &file);
    assert_int_equal(file.manifest.len, sizeof manifest - 1);
    assert_memory_equal(file.manifest.data, manifest, sizeof manifest - 1);
}

static void a_request_holds_the_state_as_it_stands(void **state)
{
    (void)state;
    AUTO(report_file) struct report_file file = {0};
    parse("request.json", &file);
    AUTO_FREE char *path = report_file_path(&file);
    assert_string_equal(path, "airlock/requests/pump-7.json");
    assert_int_equal(file.type, REPORT_REQUEST);
    assert_string_equal(buf_text(&file.state),
                        "{\"schema\":1,\"name\":\"pump-7\",\"ecus\":[{\"hardware_id\":\"verdin-imx8mm\","
                        "\"primary\":true}],\"stored\":{\"offline_snapshot\":{\"version\":7}}}");
}

static void what_is_read_is_made_again_as_the_other_library_made_it(void **state)
{
    (void)state;
    static const char *const names[] = {"report.json", "refused.json", "request.json"};
    AUTO(sign_key) struct sign_key key;
    key_of_the_files(&key);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO(report_file) struct report_file file = {0};
        AUTO(buf) struct buf made = {0}, expected = {0};
        struct err e = {0};
        parse(names[i], &file);
        load(names[i], &expected);
        assert_return_code(report_file_make(&file, &key, &made, &e), 0);
        assert_string_equal(buf_text(&made), buf_text(&expected));
    }
}

static void a_file_that_is_framed_otherwise_has_the_same_hash(void **state)
{
    (void)state;
    AUTO(report_file) struct report_file file = {0}, framed = {0};
    AUTO(buf) struct buf bytes = {0};
    struct err e = {0};
    parse("report.json", &file);
    load("report.json", &bytes);
    buf_add_text(&bytes, " \n");
    assert_return_code(report_file_parse(bytes.data, bytes.len, &framed, &e), 0);
    assert_memory_equal(file.sha256, framed.sha256, HASH_SIZE);
}

static void no_byte_can_be_changed(void **state)
{
    (void)state;
    AUTO(buf) struct buf bytes = {0};
    load("report.json", &bytes);
    for (size_t i = 0; i + 1 < bytes.len; i++) { /* the last is a line feed after the value */
        AUTO(report_file) struct report_file file = {0};
        struct err e = {0};
        bytes.data[i] ^= 1;
        assert_int_equal(report_file_parse(bytes.data, bytes.len, &file, &e), -1);
        assert_true(e.id == ERR_BAD_REPORT || e.id == ERR_BAD_SIGNATURE);
        assert_null(file.device);
        bytes.data[i] ^= 1;
    }
}

static void a_device_cannot_name_itself_out_of_its_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"..", "a/b", "", "/etc", "-rf", "a\nb", "CON"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO(report_file) struct report_file file = {0};
        parse("report.json", &file);
        free(file.device);
        file.device = mem_strdup(names[i]);
        expect_refusal(&file, "'device'");
    }
}

static void only_the_first_report_follows_none(void **state)
{
    (void)state;
    AUTO(report_file) struct report_file file = {0};
    parse("report.json", &file);
    file.sequence = 1;
    expect_refusal(&file, "'previous'");
    file.sequence = 2;
    file.has_previous = false;
    expect_refusal(&file, "'previous'");
    file.sequence = 0;
    expect_refusal(&file, "'sequence'");
}

static void set_rsa_key(struct report_file *file, const char *value)
{
    free(file->ecus[0].key_type);
    free(file->ecus[0].key_value);
    file->ecus[0].key_type = mem_strdup("RSA");
    file->ecus[0].key_value = mem_strdup(value);
}

static void a_private_key_does_not_ride_along_with_a_public_one(void **state)
{
    (void)state;
    AUTO(report_file) struct report_file file = {0};
    AUTO(buf) struct buf made = {0}, both = {0};
    AUTO(sign_key) struct sign_key key;
    struct err e = {0};
    key_of_the_files(&key);
    parse("report.json", &file);
    set_rsa_key(&file, rsa_public);
    assert_return_code(report_file_make(&file, &key, &made, &e), 0);
    buf_clear(&made);
    buf_addf(&both, "%s%s", rsa_public, private_start);
    set_rsa_key(&file, buf_text(&both));
    expect_refusal(&file, "'key'");
    buf_clear(&both);
    buf_addf(&both, "%s%s", private_start, rsa_public);
    set_rsa_key(&file, buf_text(&both));
    expect_refusal(&file, "'key'");
}

static void a_manifest_has_a_limit(void **state)
{
    (void)state;
    AUTO(report_file) struct report_file file = {0};
    parse("report.json", &file);
    size_t more = REPORT_MANIFEST_MAX + 1 - file.manifest.len;
    memset(buf_reserve(&file.manifest, more), 'x', more);
    file.manifest.len += more;
    expect_refusal(&file, "'manifest'");
}

static void a_request_with_a_misspelt_state_is_not_made(void **state)
{
    (void)state;
    AUTO(report_file) struct report_file file = {0};
    parse("request.json", &file);
    buf_clear(&file.state);
    buf_add_text(&file.state, "{\"schema\":1,\"nmae\":\"pump-7\"}");
    expect_refusal(&file, "'state'");
    buf_clear(&file.state);
    buf_add_text(&file.state, "{\"schema\":1},\"more\":1");
    expect_refusal(&file, "'signed'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_is_read),
        cmocka_unit_test(a_manifest_comes_back_byte_for_byte),
        cmocka_unit_test(a_request_holds_the_state_as_it_stands),
        cmocka_unit_test(what_is_read_is_made_again_as_the_other_library_made_it),
        cmocka_unit_test(a_file_that_is_framed_otherwise_has_the_same_hash),
        cmocka_unit_test(no_byte_can_be_changed),
        cmocka_unit_test(a_device_cannot_name_itself_out_of_its_folder),
        cmocka_unit_test(only_the_first_report_follows_none),
        cmocka_unit_test(a_private_key_does_not_ride_along_with_a_public_one),
        cmocka_unit_test(a_manifest_has_a_limit),
        cmocka_unit_test(a_request_with_a_misspelt_state_is_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
