/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "uptane/device.h"

#define SHA "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"

static void parse(const char *text, struct device *ret)
{
    struct err e;
    if (device_parse(text, strlen(text), ret, &e))
        fail_msg("%s", e.message);
}

/* The file that docs/device-state.md shows. */
static void documented_example(void **state)
{
    (void)state;
    AUTO(device) struct device d = {0};
    parse("{\"schema\": 1, \"name\": \"press 7\", \"os_version\": \"7.2.0\", \"ecus\": ["
          "{\"hardware_id\": \"verdin-imx8mm\", \"primary\": true, \"serial\": \"a1b2\", \"installed\": "
          "{\"name\": \"os-6.8.0\", \"length\": 0, \"sha256\": \"" SHA "\"}},"
          "{\"hardware_id\": \"docker-compose\", \"roots\": {\"director\": 2, \"image_repo\": 3}}],"
          "\"stored\": {\"offline_snapshot\": {\"version\": 7}, \"image_targets\": {\"version\": 9, "
          "\"sha256\": \"" SHA "\"}, \"delegations\": {\"tdx\": {\"version\": 4}}},"
          "\"package_manager\": \"ostree\", \"free_space\": 2147483648,"
          "\"source\": \"/var/rootdirs/media/UPDATE/update\"}",
          &d);
    assert_string_equal(d.name, "press 7");
    assert_int_equal(d.ecu_count, 2);
    assert_true(d.ecus[0].is_primary && d.ecus[0].has_installed && !d.ecus[0].knows_roots);
    assert_string_equal(d.ecus[0].installed.name, "os-6.8.0");
    assert_int_equal(d.ecus[1].root_versions[1], 3);
    assert_int_equal(d.stored[STORED_OFFLINE_SNAPSHOT].version, 7);
    assert_false(d.stored[STORED_IMAGE_SNAPSHOT].is_known);
    assert_true(d.stored[STORED_IMAGE_TARGETS].has_sha256);
    assert_int_equal(d.stored[STORED_IMAGE_TARGETS].sha256[1], 0xff);
    assert_int_equal(device_delegation(&d, "tdx")->version, 4);
    assert_null(device_delegation(&d, "td"));
    assert_int_equal(d.packages, PACKAGES_OSTREE);
    assert_true(d.free_space == 2147483648u);
    AUTO_FREE char *label = device_label(&d);
    assert_string_equal(label, "UPDATE");
}

static void stored_documents_are_kept_as_they_are(void **state)
{
    (void)state;
    static const char role[] = "{\"signatures\": [ ],\"signed\":{\"version\":3}}";
    AUTO(device) struct device d = {0};
    AUTO_FREE char *text = mem_format("{\"schema\":1,\"stored\":{\"image_snapshot\": %s },"
                                      "\"roots\":{\"director\":[%s]}}",
                                      role, role);
    parse(text, &d);
    memset(text, 'x', strlen(text)); /* the device has a copy of its own */
    const struct device_role *own = &d.stored[STORED_IMAGE_SNAPSHOT];
    assert_int_equal(own->version, 3);
    assert_int_equal(own->len, strlen(role));
    assert_memory_equal(own->bytes, role, own->len);
    assert_int_equal(d.roots[0].count, 1);
    assert_int_equal(d.roots[1].count, 0);
}

/* What is wrong, and a part of the message that says so. */
static const struct {
    const char *text, *says;
} bad[] = {
    {"", "unexpected end"},
    {"[]", "an object was expected"},
    {"{}", "\"schema\": 1"},
    {"{\"schema\":2}", "1, the schema"},
    {"{\"schema\":1,\"schema\":1}", "schema"},
    {"{\"schema\":1} x", "after"},
    {"{\"schema\":1,\"pending\":true}", "there is no field 'pending'"},
    {"{\"schema\":1,\"pending_install\":1}", "true or false"},
    {"{\"schema\":1,\"name\":\"\"}", "a text was expected"},
    {"{\"schema\":1,\"ecus\":{}}", "an array"},
    {"{\"schema\":1,\"ecus\":[]}", "exactly one ECU"},
    {"{\"schema\":1,\"ecus\":[{\"primary\":true}]}", "no hardware_id"},
    {"{\"schema\":1,\"ecus\":[{\"hardware_id\":\"a\"}]}", "exactly one ECU"},
    {"{\"schema\":1,\"ecus\":[{\"hardware_id\":\"a\",\"primary\":true},"
     "{\"hardware_id\":\"b\",\"primary\":true}]}",
     "exactly one ECU"},
    {"{\"schema\":1,\"ecus\":[{\"hardware_id\":\"a\",\"primary\":true,\"installed\":{\"name\":\"x\"}}]}",
     "a name, a length and a sha256"},
    {"{\"schema\":1,\"ecus\":[{\"hardware_id\":\"a\",\"primary\":true,\"roots\":{\"director\":-1}}]}",
     "'director': a whole number"},
    {"{\"schema\":1,\"stored\":{\"offline_snapshot\":{}}}", "a version"},
    {"{\"schema\":1,\"stored\":{\"offline_snapshot\":{\"version\":0}}}", "a whole number"},
    {"{\"schema\":1,\"stored\":{\"offline_snapshot\":{\"version\":2147483648}}}", "a whole number"},
    {"{\"schema\":1,\"stored\":{\"image_targets\":{\"version\":1,\"sha256\":\"c0ffee\"}}}", "64 hexadecimal"},
    {"{\"schema\":1,\"stored\":{\"image_targets\":{\"signed\":{}}}}", "a signed role with its version"},
    {"{\"schema\":1,\"stored\":{\"delegations\":[]}}", "an object with a role"},
    {"{\"schema\":1,\"roots\":{\"director\":[{\"version\":1}]}}", "the roots themselves"},
    {"{\"schema\":1,\"roots\":{\"director\":[{\"signed\":{\"version\":1}},{\"signed\":{\"version\":3}}]}}",
     "rising versions"},
    {"{\"schema\":1,\"package_manager\":\"dpkg\"}", "\"ostree\" or \"none\""},
    {"{\"schema\":1,\"free_space\":-1}", "a whole number"},
    {"{\"schema\":1,\"free_space\":1.5}", "a whole number"},
    {"{\"schema\":1,\"clock\":\"yesterday\"}", "a time such as"},
    {"{\"schema\":1,\"clock_checked_at\":\"2026-11-23T00:00:00Z\"}", "as \"clock\""},
    {"{\"schema\":1,\"media_types\":[1]}", "an array of texts"},
    {"{\"schema\":1,\"offline_snapshot_max\":0}", "a whole number"},
};

static void bad_files_are_refused_with_the_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct device d;
        struct err e;
        assert_int_equal(device_parse(bad[i].text, strlen(bad[i].text), &d, &e), -1);
        assert_int_equal(e.id, ERR_BAD_DEVICE_STATE);
        if (!strstr(e.message, bad[i].says))
            fail_msg("%s: '%s' does not say '%s'", bad[i].text, e.message, bad[i].says);
    }
}

static int64_t at(const char *text)
{
    int64_t time;
    assert_true(clock_parse(text, &time));
    return time;
}

static void its_clock(void **state)
{
    (void)state;
    int64_t now = at("2026-11-23T00:00:00Z");
    struct device none = {0};
    struct device off = {.has_clock = true,
                         .has_clock_checked = true,
                         .clock = at("1970-01-01T00:00:00Z"),
                         .clock_checked = at("2026-11-22T00:00:00Z")};
    struct device ahead = {.has_clock = true, .clock = at("2030-01-01T00:00:00Z")};
    struct device behind = {.has_clock = true, .clock = at("1970-01-01T00:00:00Z")};
    assert_int_equal(device_now(&none, now), now);
    assert_int_equal(device_now(&off, now), at("1970-01-02T00:00:00Z"));
    assert_int_equal(device_now(&ahead, now), at("2030-01-01T00:00:00Z"));
    assert_int_equal(device_now(&behind, now), now);
}

static void labels(void **state)
{
    (void)state;
    static const struct {
        const char *source, *label;
    } rows[] = {
        {"/var/rootdirs/media/STICK/update", "STICK"},
        {"/media/A B/update", "A B"},
        {"/run/media/X", "X"},
        {"/mnt/offline-updates/", NULL},
        {"/media//update", NULL},
        {"update", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *source = mem_strdup(rows[i].source);
        const struct device d = {.source = source};
        AUTO_FREE char *label = device_label(&d);
        if (rows[i].label)
            assert_string_equal(label, rows[i].label);
        else
            assert_null(label);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented_example),
        cmocka_unit_test(stored_documents_are_kept_as_they_are),
        cmocka_unit_test(bad_files_are_refused_with_the_reason),
        cmocka_unit_test(its_clock),
        cmocka_unit_test(labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
