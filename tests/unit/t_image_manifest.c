/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "fetch/image_manifest.h"

#define DIGEST(c) "\"digest\":\"sha256:" c c c c c c c c c c c c c c c c "\""
#define DOCKER(x) "\"mediaType\":\"application/vnd.docker.distribution.manifest" x ".v2+json\""
#define OCI(x) "\"mediaType\":\"application/vnd.oci.image." x ".v1+json\""

static void parse(const char *text, struct image_manifest *ret)
{
    struct err e;
    if (image_manifest_parse(text, strlen(text), ret, &e))
        fail_msg("%s: %s", e.message, text);
}

static void refused(const char *text, enum err_id id)
{
    struct image_manifest m;
    struct err e = {0};
    if (image_manifest_parse(text, strlen(text), &m, &e) == 0 || e.id != id)
        fail_msg("%s: %s", err_name(e.id), text);
}

static void both_forms_of_a_manifest_are_read(void **state)
{
    static const char *const texts[] = {
        "{\"schemaVersion\":2," DOCKER("") ",\"config\":{" DIGEST(
            "aaaa") ",\"size\":7},"
                    "\"layers\":[{" DIGEST("bbbb") ",\"size\":9},{" DIGEST("bbbb") ",\"size\":9}]}",
        "{" OCI("manifest") ",\"config\":{" DIGEST(
            "aaaa") ",\"size\":7},"
                    "\"layers\":[{" DIGEST("bbbb") ",\"size\":9},{" DIGEST(
                        "cccc") ",\"size\":1,\"urls\":[]}]}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        AUTO(image_manifest) struct image_manifest m = {0};
        parse(texts[i], &m);
        assert_false(m.is_list);
        assert_int_equal(m.config.size, 7);
        assert_int_equal(m.layer_count, 2);
        assert_int_equal(m.layers[0].size, 9);
        assert_int_equal(m.layers[0].sha256[31], 0xbb);
    }
}

/* A list of these platforms, in both forms alike. */
static void list_of(const char *const *platforms, struct image_manifest *ret)
{
    AUTO(buf) struct buf text = {0};
    buf_add_text(&text, "{" OCI("index") ",\"manifests\":[");
    for (size_t i = 0; platforms[i]; i++)
        buf_addf(&text, "%s{" DIGEST("%04zu") ",\"size\":1,\"platform\":%s}", i ? "," : "", i, i, i, i, i, i,
                 i, i, i, i, i, i, i, i, i, i, platforms[i]);
    buf_add_text(&text, "]}");
    parse(buf_text(&text), ret);
}

#define ARM64 "{\"os\":\"linux\",\"architecture\":\"arm64\"}"
#define ARM64_V8 "{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}"
#define ARM_V6 "{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v6\"}"
#define ARM_V7 "{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"}"
#define WINDOWS "{\"os\":\"windows\",\"architecture\":\"amd64\",\"os.version\":\"10.0.1\"}"
#define UNKNOWN "{\"os\":\"unknown\",\"architecture\":\"unknown\"}"

static void chooses(const char *const *platforms, const char *wanted, const char *expected)
{
    AUTO(image_manifest) struct image_manifest m = {0};
    const struct image_choice *choice = NULL;
    struct err e;
    list_of(platforms, &m);
    if (image_manifest_choose(&m, wanted, &choice, &e))
        assert_string_equal(err_name(e.id), expected);
    else
        assert_string_equal(choice->platform, expected);
}

static void a_platform_is_chosen_as_the_device_does(void **state)
{
    static const char *const usual[] = {WINDOWS, ARM_V6, ARM_V7, ARM64_V8, UNKNOWN, NULL};
    static const char *const both[] = {ARM64, ARM64_V8, NULL};
    static const char *const empty[] = {NULL};
    (void)state;
    chooses(usual, "linux/arm64", "linux/arm64/v8");
    chooses(usual, "linux/arm64/v8/", "linux/arm64/v8");
    chooses(usual, "linux/arm/v7", "linux/arm/v7");
    chooses(usual, "windows", "windows/amd64/10.0.1");
    chooses(usual, "linux/arm", "platform-ambiguous");
    chooses(usual, "linux", "platform-ambiguous");
    chooses(usual, "linux/amd64", "no-such-platform");
    chooses(usual, "linux/arm/v5", "no-such-platform");
    chooses(usual, "", "no-such-platform");
    chooses(both, "linux/arm64", "platform-ambiguous");
    chooses(both, "linux/arm64/v8", "linux/arm64/v8");
    chooses(both, "linux/arm64/v9", "linux/arm64");
    chooses(empty, "linux/arm64", "no-such-platform");
}

static void what_the_device_does_not_take_is_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"mediaType\":\"application/vnd.docker.distribution.manifest.v1+json\"}",
        "{" DOCKER("") "}",
        "{" DOCKER("") ",\"config\":{" DIGEST("aaaa") ",\"size\":7}}",
        "{" DOCKER("") ",\"config\":{" DIGEST("AAAA") ",\"size\":7},\"layers\":[]}",
        "{" DOCKER("") ",\"config\":{" DIGEST("aaaa") ",\"size\":-7},\"layers\":[]}",
        "{" DOCKER("") ",\"config\":{" DIGEST("aaaa") "},\"layers\":[]}",
        "{" DOCKER("") ",\"config\":{\"digest\":\"sha512:ab\",\"size\":7},\"layers\":[]}",
        "{" DOCKER("") ",\"config\":{" DIGEST("aaaa") ",\"size\":7},\"layers\":[{" DIGEST(
            "bbbb") ",\"size\":9,\"urls\":[\"https://x\"]}]}",
        "{" DOCKER(".list") ",\"manifests\":[{" DIGEST("aaaa") ",\"size\":7}]}",
        "{" DOCKER(".list") ",\"manifests\":[{" DIGEST(
            "aaaa") ",\"size\":7,\"platform\":{\"os\":\"linux\"}}]}",
        "{" DOCKER(".list") ",\"manifests\":[{\"size\":7,\"platform\":" ARM64 "}]}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        refused(bad[i], ERR_BAD_MANIFEST);
    refused("{" DOCKER("") ",\"config\":{" DIGEST("aaaa") ",\"size\":262145},\"layers\":[]}",
            ERR_DEVICE_LIMIT);
    refused("{" DOCKER("") "," DOCKER("") "}", ERR_JSON_DUPLICATE_KEY);
}

static void diff_ids_come_from_the_config(void **state)
{
    static const char good[] =
        "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
        "\"sha256:00000000000000000000000000000000000000000000000000000000000000ff\"]}}";
    static const char *const bad[] = {
        "{}",
        "{\"rootfs\":{}}",
        "{\"rootfs\":{\"diff_ids\":{}}}",
        "{\"rootfs\":{\"diff_ids\":[1]}}",
        "{\"rootfs\":{\"diff_ids\":[\"sha256:00\"]}}",
    };
    uint8_t(*ids)[HASH_SIZE] = NULL;
    size_t count = 0;
    struct err e;
    (void)state;
    assert_int_equal(image_config_diff_ids(good, strlen(good), &ids, &count, &e), 0);
    assert_int_equal(count, 1);
    assert_int_equal(ids[0][31], 0xff);
    free(ids);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(image_config_diff_ids(bad[i], strlen(bad[i]), &ids, &count, &e), -1);
        assert_int_equal(e.id, ERR_BAD_IMAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_of_a_manifest_are_read),
        cmocka_unit_test(a_platform_is_chosen_as_the_device_does),
        cmocka_unit_test(what_the_device_does_not_take_is_refused),
        cmocka_unit_test(diff_ids_come_from_the_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
