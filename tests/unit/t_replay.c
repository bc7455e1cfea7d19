/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define FAR "\"expires\":\"2099-01-01T00:00:00Z\""

/* Signatures are the verdict's business: there are none here. What counts of a key is its value. */
static char *make_root(int64_t threshold, const char *keys)
{
    struct buf table = {0}, ids = {0};
    for (const char *k = keys; *k; k++) {
        AUTO_FREE char *value = mem_format("%064x", (unsigned)*k);
        buf_addf(&table, "%s\"id-%c\":{\"keytype\":\"ED25519\",\"keyval\":{\"public\":\"%s\"}}",
                 k == keys ? "" : ",", *k, value);
        buf_addf(&ids, "%s\"id-%c\"", k == keys ? "" : ",", *k);
    }
    char *text = mem_format("{\"signatures\":[],\"signed\":{\"_type\":\"Root\",\"version\":1," FAR
                            ",\"keys\":{%s},\"roles\":{\"root\":{\"keyids\":[%s],\"threshold\":1},"
                            "\"offline-snapshot\":{\"keyids\":[%s],\"threshold\":%d}}}}",
                            buf_text(&table), buf_text(&ids), buf_text(&ids), (int)threshold);
    buf_free(&table);
    buf_free(&ids);
    return text;
}

struct served {
    int64_t threshold;
    const char *keys; /* one letter each */
    int version;
    const char *meta;
};

static int advance(struct memory_repo *r, struct served s, struct err *e)
{
    AUTO_FREE char *root = make_root(s.threshold, s.keys);
    AUTO_FREE char *snapshot =
        mem_format("{\"signatures\":[],\"signed\":{\"_type\":\"Offline-Snapshot\",\"version\":%d," FAR
                   ",\"meta\":{%s}}}",
                   s.version, s.meta);
    struct verdict_file files[] = {
        {"director/1.root.json", (uint8_t *)root, strlen(root)},
        {"director/offline-snapshot.json", (uint8_t *)snapshot, strlen(snapshot)},
    };
    const struct roles roles = {.files = files, .count = COUNT_OF(files)};
    const struct verdict v = {.newest_root = {0, -1}};
    return replay_advance(r, PIN_DIRECTOR, &roles, &v, e);
}

#define A(version) "\"a.json\":{\"version\":" #version "}"
#define HASHED(version, digit)                                                                               \
    "\"a.json\":{\"version\":" #version ",\"hashes\":{\"sha256\":\"" digit digit digit digit "\"}}"
#define ONES "1111111111111111"
#define TWOS "2222222222222222"

static void accepts(struct memory_repo *r, struct served s)
{
    struct err e;
    if (advance(r, s, &e))
        fail_msg("%s", e.message);
    assert_int_equal(r->version, s.version);
}

static void refuses(struct memory_repo *r, struct served s, const char *says)
{
    struct err e;
    int64_t before = r->version;
    size_t count = r->count;
    assert_int_equal(advance(r, s, &e), -1);
    assert_int_equal(e.id, ERR_ROLLBACK);
    assert_non_null(strstr(e.message, says));
    assert_int_equal(r->version, before);
    assert_int_equal(r->count, count);
}

static void versions_go_up_only(void **state)
{
    struct memory m = {0};
    struct memory_repo *r = &m.repos[PIN_DIRECTOR];
    (void)state;
    accepts(r, (struct served){1, "k", 5, A(3)});
    accepts(r, (struct served){1, "k", 5, A(3)});
    refuses(r, (struct served){1, "k", 4, A(3)}, "offline-snapshot.json: version 4 is served, version 5");
    refuses(r, (struct served){1, "k", 5, A(4)}, "offline-snapshot.json: version 5 is served with other");
    refuses(r, (struct served){1, "k", 6, A(2)}, "director/a.json: version 2 is served, version 3");
    accepts(r, (struct served){1, "k", 6, A(4)});
    memory_free(&m);
}

static void an_equal_listed_version_has_an_equal_hash(void **state)
{
    struct memory m = {0};
    struct memory_repo *r = &m.repos[PIN_DIRECTOR];
    (void)state;
    accepts(r, (struct served){1, "k", 5, HASHED(1, ONES)});
    refuses(r, (struct served){1, "k", 6, HASHED(1, TWOS)},
            "director/a.json: version 1 is served with other");
    accepts(r, (struct served){1, "k", 6, A(1)});
    refuses(r, (struct served){1, "k", 7, HASHED(1, TWOS)}, "with other content");
    accepts(r, (struct served){1, "k", 7, HASHED(2, TWOS)});
    memory_free(&m);
}

static void what_is_listed_no_more_is_forgotten(void **state)
{
    struct memory m = {0};
    struct memory_repo *r = &m.repos[PIN_DIRECTOR];
    (void)state;
    accepts(r, (struct served){1, "k", 5, A(9)});
    accepts(r, (struct served){1, "k", 6, ""});
    accepts(r, (struct served){1, "k", 7, A(1)});
    memory_free(&m);
}

static void only_keys_that_could_not_have_signed_it_reset_the_memory(void **state)
{
    static const struct {
        int64_t threshold;
        const char *before, *after;
        bool resets;
    } rows[] = {
        {1, "a", "a", false},     {1, "a", "b", true},     {1, "a", "ab", false},  {1, "ab", "bc", false},
        {2, "abc", "bcd", false}, {2, "abc", "cde", true}, {2, "ab", "ab", false}, {2, "ab", "bc", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct memory m = {.repos = {{.origin = ORIGIN_CLOUD, .pinned_at = 7}}};
        struct memory_repo *r = &m.repos[PIN_DIRECTOR];
        accepts(r, (struct served){rows[i].threshold, rows[i].before, 5, A(3)});
        if (rows[i].resets)
            accepts(r, (struct served){rows[i].threshold, rows[i].after, 1, A(1)});
        else
            refuses(r, (struct served){rows[i].threshold, rows[i].after, 1, A(1)}, "version 1 is served");
        assert_int_equal(r->origin, ORIGIN_CLOUD);
        assert_int_equal(r->pinned_at, 7);
        memory_free(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_go_up_only),
        cmocka_unit_test(an_equal_listed_version_has_an_equal_hash),
        cmocka_unit_test(what_is_listed_no_more_is_forgotten),
        cmocka_unit_test(only_keys_that_could_not_have_signed_it_reset_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
