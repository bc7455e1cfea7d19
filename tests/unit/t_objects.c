/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

static const char text[] = "a signed role";

static void put_text(const struct store_fixture *f, uint8_t ret_sha256[HASH_SIZE])
{
    struct err e;
    assert_return_code(store_put(&f->store, text, strlen(text), ret_sha256, &e), 0);
}

static void an_object_is_named_by_its_hash_and_comes_back(void **state)
{
    const struct store_fixture *f = *state;
    uint8_t sha256[HASH_SIZE], expected[HASH_SIZE];
    char path[STORE_PATH_SIZE];
    AUTO(buf) struct buf content = {0};
    struct err e;
    put_text(f, sha256);
    hash_of(text, strlen(text), expected);
    assert_memory_equal(sha256, expected, HASH_SIZE);
    assert_true(store_has(&f->store, sha256, strlen(text)));
    assert_return_code(store_get(&f->store, sha256, 100, &content, &e), 0);
    assert_string_equal(buf_text(&content), text);
    store_object_path(sha256, path);
    AUTO_FREE char *full = mem_format("cache/%s", path);
    assert_file(f, full, text);
}

static void an_object_of_another_size_is_not_had(void **state)
{
    const struct store_fixture *f = *state;
    uint8_t sha256[HASH_SIZE];
    put_text(f, sha256);
    assert_false(store_has(&f->store, sha256, strlen(text) - 1));
    sha256[0] ^= 1;
    assert_false(store_has(&f->store, sha256, strlen(text)));
}

static void an_object_larger_than_asked_for_is_not_read(void **state)
{
    const struct store_fixture *f = *state;
    uint8_t sha256[HASH_SIZE];
    AUTO(buf) struct buf content = {0};
    struct err e;
    put_text(f, sha256);
    assert_int_equal(store_get(&f->store, sha256, strlen(text) - 1, &content, &e), -1);
    assert_int_equal(e.id, ERR_TOO_LARGE);
    assert_true(store_has(&f->store, sha256, strlen(text)));
}

static void an_object_that_the_disk_changed_is_refused_and_removed(void **state)
{
    const struct store_fixture *f = *state;
    uint8_t sha256[HASH_SIZE];
    char path[STORE_PATH_SIZE];
    AUTO(buf) struct buf content = {0};
    struct err e;
    put_text(f, sha256);
    store_object_path(sha256, path);
    AUTO_FREE char *full = mem_format("cache/%s", path);
    put_file(f, full, "a forged role");
    assert_int_equal(store_get(&f->store, sha256, 100, &content, &e), -1);
    assert_int_equal(e.id, ERR_WRONG_HASH);
    assert_int_equal(content.len, 0);
    assert_false(there_is(f, full));
    put_text(f, sha256);
    assert_file(f, full, text);
}

static void a_link_in_place_of_an_object_is_not_followed(void **state)
{
    const struct store_fixture *f = *state;
    uint8_t sha256[HASH_SIZE];
    char path[STORE_PATH_SIZE];
    struct err e;
    put_text(f, sha256);
    store_object_path(sha256, path);
    AUTO_FREE char *full = mem_format("cache/%s", path);
    put_file(f, "elsewhere", text);
    assert_return_code(unlinkat(f->fd, full, 0), 0);
    assert_return_code(symlinkat("../../../elsewhere", f->fd, full), 0);
    assert_false(store_has(&f->store, sha256, strlen(text)));
    assert_return_code(store_drop(&f->store, sha256, &e), 0);
    assert_file(f, "elsewhere", text);
}

static void the_folders_are_private(void **state)
{
    const struct store_fixture *f = *state;
    static const char *const folders[] = {"cache", "state", "config"};
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        struct stat st;
        assert_return_code(fstatat(f->fd, folders[i], &st, 0), 0);
        assert_int_equal(st.st_mode & 0777, 0700);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(an_object_is_named_by_its_hash_and_comes_back),
        store_test(an_object_of_another_size_is_not_had),
        store_test(an_object_larger_than_asked_for_is_not_read),
        store_test(an_object_that_the_disk_changed_is_refused_and_removed),
        store_test(a_link_in_place_of_an_object_is_not_followed),
        store_test(the_folders_are_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
