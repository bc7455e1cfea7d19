/* SPDX-License-Identifier: Apache-2.0 */
#include "store/memory.h"
#include "store_fixture.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PLACE "state/trust/default/memory.json"
#define SNAPSHOT(listed)                                                                                     \
    "{\"version\":7,\"sha256\":\"" HASH "\",\"signers\":[\"" HASH "\"],\"listed\":" listed "}"
#define MEMORY(snapshot)                                                                                     \
    "{\"schema\":1,\"director\":{\"origin\":\"cloud\",\"pinned_at\":\"2026-11-23T03:00:00Z\","               \
    "\"snapshot\":" snapshot "},\"repo\":{\"origin\":\"unknown\"}}"
#define WHOLE                                                                                                \
    MEMORY(SNAPSHOT("{\"a.json\":{\"version\":2,\"sha256\":\"" HASH "\"},\"b.json\":{\"version\":1}}"))

static void nothing_remembered_is_empty_and_no_error(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(memory) struct memory m = {0};
    struct err e;
    assert_return_code(memory_load(&f->store, "default", &m, &e), 0);
    assert_int_equal(m.repos[PIN_DIRECTOR].version, 0);
    assert_int_equal(m.repos[PIN_IMAGE].origin, ORIGIN_UNKNOWN);
    assert_int_equal(memory_load(&f->store, "../default", &m, &e), -1);
    assert_int_equal(e.id, ERR_BAD_CONFIG);
}

static void what_was_read_is_what_is_written(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(memory) struct memory m = {0};
    struct err e;
    put_file(f, PLACE, WHOLE);
    assert_return_code(memory_load(&f->store, "default", &m, &e), 0);
    const struct memory_repo *r = &m.repos[PIN_DIRECTOR];
    assert_int_equal(r->origin, ORIGIN_CLOUD);
    assert_int_equal(r->pinned_at, 1795402800);
    assert_int_equal(r->version, 7);
    assert_int_equal(r->signer_count, 1);
    assert_int_equal(r->count, 2);
    assert_string_equal(r->entries[0].file, "a.json");
    assert_int_equal(r->entries[0].version, 2);
    assert_true(r->entries[0].has_sha256);
    assert_false(r->entries[1].has_sha256);
    assert_return_code(memory_save(&f->store, "default", &m, &e), 0);
    assert_file(f, PLACE, WHOLE);
    assert_return_code(memory_save(&f->store, "other", &m, &e), 0);
    assert_file(f, "state/trust/other/memory.json", WHOLE);
}

static void forgetting_the_snapshot_keeps_the_origin(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(memory) struct memory m = {0};
    struct err e;
    put_file(f, PLACE, WHOLE);
    assert_return_code(memory_load(&f->store, "default", &m, &e), 0);
    memory_forget_snapshot(&m.repos[PIN_DIRECTOR]);
    assert_int_equal(m.repos[PIN_DIRECTOR].version, 0);
    assert_int_equal(m.repos[PIN_DIRECTOR].count, 0);
    assert_int_equal(m.repos[PIN_DIRECTOR].origin, ORIGIN_CLOUD);
}

static void a_damaged_memory_is_never_an_empty_one(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "{\"schema\":2}",
        "{\"schema\":1,\"schema\":1}",
        "{\"schema\":1} x",
        "{\"schema\":1,\"director\":1}",
        "{\"schema\":1,\"director\":{}}",
        "{\"schema\":1,\"director\":{\"origin\":\"heaven\"}}",
        "{\"schema\":1,\"director\":{\"origin\":\"cloud\",\"pinned_at\":5}}",
        "{\"schema\":1,\"director\":{\"origin\":\"cloud\",\"snapshot\":{}}}",
        MEMORY("{\"version\":0}"),
        MEMORY(SNAPSHOT("[]")),
        MEMORY(SNAPSHOT("{\"a.json\":{}}")),
        MEMORY(SNAPSHOT("{\"a.json\":{\"version\":1,\"sha256\":\"00\"}}")),
        MEMORY(SNAPSHOT("{\"a.json\":{\"version\":1.0}}")),
        MEMORY("{\"version\":1,\"sha256\":\"" HASH "\",\"signers\":[7],\"listed\":{}}"),
    };
    const struct store_fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        AUTO(memory) struct memory m = {0};
        struct err e;
        put_file(f, PLACE, texts[i]);
        assert_int_equal(memory_load(&f->store, "default", &m, &e), -1);
        assert_int_equal(e.id, ERR_BAD_CONFIG);
        assert_int_equal(m.repos[PIN_DIRECTOR].version, 0);
        assert_null(m.repos[PIN_DIRECTOR].entries);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(nothing_remembered_is_empty_and_no_error),
        store_test(what_was_read_is_what_is_written),
        store_test(forgetting_the_snapshot_keeps_the_origin),
        store_test(a_damaged_memory_is_never_an_empty_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
