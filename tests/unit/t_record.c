/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record.h"
#include "store_fixture.h"

#define PATH "cache/lockboxes/default/pump-7.json"

static void a_record_comes_back_as_it_was_saved(void **state)
{
    const struct store_fixture *f = *state;
    struct record_file roles[] = {{.path = "director/1.root.json", .sha256 = {1}, .size = 10},
                                  {.path = "image-repo/targets.json", .sha256 = {2}, .size = 20}};
    struct record_file target = {.path = "folder/\"quoted\" name", .sha256 = {3}, .size = 1ull << 40};
    struct record_file object = {.path = "ostree/objects/ab/cd.filez", .sha256 = {4}, .size = 5};
    const struct record r = {.lockbox = "pump-7",
                             .version = 7,
                             .fetched_at = 1700000000,
                             .roles = roles,
                             .role_count = 2,
                             .targets = &target,
                             .target_count = 1,
                             .ostree = &object,
                             .ostree_count = 1};
    AUTO(record) struct record back = {0};
    struct err e;
    assert_return_code(record_save(&f->store, "default", &r, &e), 0);
    assert_return_code(record_load(&f->store, "default", "pump-7", &back, &e), 0);
    assert_string_equal(back.lockbox, "pump-7");
    assert_int_equal(back.version, 7);
    assert_int_equal(back.fetched_at, 1700000000);
    assert_int_equal(back.role_count, 2);
    assert_string_equal(back.roles[1].path, "image-repo/targets.json");
    assert_memory_equal(back.roles[1].sha256, roles[1].sha256, HASH_SIZE);
    assert_int_equal(back.target_count, 1);
    assert_string_equal(back.targets[0].path, target.path);
    assert_int_equal(back.targets[0].size, target.size);
    assert_int_equal(back.ostree_count, 1);
    assert_string_equal(back.ostree[0].path, object.path);
}

static void container_applications_come_back_too(void **state)
{
    const struct store_fixture *f = *state;
    struct record_layer layers[] = {{.blob = {{1}, 10}, .diff_id = {2}, .size = 1ull << 40}, {.size = 0}};
    struct record_object manifests[] = {{{5}, 50}, {{6}, 60}};
    struct record_image image = {.manifest = {5},
                                 .tag = (char *)"web:digest_sha256_05",
                                 .config = {{7}, 70},
                                 .layers = layers,
                                 .layer_count = 2,
                                 .tarball = {{8}, 80}};
    char *platforms[] = {(char *)"linux/arm64"};
    struct record_app apps[] = {{.compose = {9},
                                 .manifests = manifests,
                                 .manifest_count = 2,
                                 .images = &image,
                                 .image_count = 1,
                                 .platforms = platforms,
                                 .platform_count = 1},
                                {.compose = {10}}};
    const struct record r = {.lockbox = (char *)"pump-7", .version = 7, .apps = apps, .app_count = 2};
    AUTO(record) struct record back = {0};
    struct err e;
    assert_return_code(record_save(&f->store, "default", &r, &e), 0);
    assert_return_code(record_load(&f->store, "default", "pump-7", &back, &e), 0);
    assert_int_equal(back.app_count, 2);
    const struct record_app *app = &back.apps[0];
    assert_int_equal(app->compose[0], 9);
    assert_int_equal(app->manifest_count, 2);
    assert_memory_equal(&app->manifests[1], &manifests[1], sizeof manifests[1]);
    assert_string_equal(app->platforms[0], "linux/arm64");
    assert_string_equal(app->images[0].tag, image.tag);
    assert_memory_equal(&app->images[0].config, &image.config, sizeof image.config);
    assert_memory_equal(&app->images[0].tarball, &image.tarball, sizeof image.tarball);
    assert_int_equal(app->images[0].layer_count, 2);
    assert_memory_equal(app->images[0].layers, layers, sizeof layers);
    assert_int_equal(back.apps[1].image_count, 0);
}

static void assert_not_fetched(const struct store_fixture *f)
{
    AUTO(record) struct record r = {0};
    struct err e;
    assert_int_equal(record_load(&f->store, "default", "pump-7", &r, &e), -1);
    assert_int_equal(e.id, ERR_NOT_FETCHED);
    assert_non_null(strstr(err_hint_text(&e), "airlock fetch pump-7"));
}

static void without_a_record_the_hint_says_what_to_fetch(void **state)
{
    assert_not_fetched(*state);
}

static void a_record_that_cannot_be_read_is_as_good_as_none(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "{\"schema\":2,\"lockbox\":\"pump-7\",\"version\":1,\"fetched_at\":\"2026-01-01T00:00:00Z\","
        "\"roles\":[],\"targets\":[]}",
        "{\"schema\":1,\"lockbox\":\"pump-7\",\"version\":0,\"fetched_at\":\"2026-01-01T00:00:00Z\","
        "\"roles\":[],\"targets\":[]}",
        "{\"schema\":1,\"lockbox\":\"pump-7\",\"version\":1,\"fetched_at\":\"yesterday\","
        "\"roles\":[],\"targets\":[]}",
        "{\"schema\":1,\"lockbox\":\"pump-7\",\"version\":1,\"fetched_at\":\"2026-01-01T00:00:00Z\","
        "\"roles\":[{\"path\":\"a\",\"sha256\":\"00\",\"size\":1}],\"targets\":[]}",
        "{\"schema\":1,\"lockbox\":\"pump-7\",\"version\":1,\"fetched_at\":\"2026-01-01T00:00:00Z\","
        "\"roles\":[]}",
        "{\"schema\":1,\"lockbox\":\"pump-7\",\"version\":1,\"fetched_at\":\"2026-01-01T00:00:00Z\","
        "\"roles\":[],\"targets\":[],\"ostree\":{}}",
        "{\"schema\":1,\"lockbox\":\"pump-7\",\"version\":1,\"fetched_at\":\"2026-01-01T00:00:00Z\","
        "\"roles\":[],\"targets\":[],\"ostree\":[{\"path\":\"partial/x\",\"sha256\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\",\"size\":1}]}",
        "{\"schema\":1,\"lockbox\":\"pump-7\",\"version\":1,\"fetched_at\":\"2026-01-01T00:00:00Z\","
        "\"roles\":[],\"targets\":[],\"ostree\":[{\"path\":\"ostree/objects/../../x\",\"sha256\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\",\"size\":1}]}",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        put_file(*state, PATH, texts[i]);
        assert_not_fetched(*state);
    }
}

static void a_name_that_climbs_is_no_file(void **state)
{
    const struct store_fixture *f = *state;
    const struct record r = {.lockbox = "../../escaped", .version = 1};
    AUTO(record) struct record back = {0};
    struct err e;
    assert_int_equal(record_save(&f->store, "default", &r, &e), -1);
    assert_int_equal(e.id, ERR_UNSAFE_NAME);
    assert_int_equal(record_load(&f->store, "../x", "pump-7", &back, &e), -1);
    assert_int_equal(e.id, ERR_UNSAFE_NAME);
    assert_false(there_is(f, "cache/escaped.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(a_record_comes_back_as_it_was_saved),
        store_test(container_applications_come_back_too),
        store_test(without_a_record_the_hint_says_what_to_fetch),
        store_test(a_record_that_cannot_be_read_is_as_good_as_none),
        store_test(a_name_that_climbs_is_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
