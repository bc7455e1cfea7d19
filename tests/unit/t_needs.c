/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "lockbox/needs.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static bool parses(const char *text)
{
    struct needs n;
    return needs_parse(text, strlen(text), &n);
}

static struct needs make(size_t commits)
{
    struct needs n = {.objects = 7};
    struct err e;
    memset(n.sha256, 0x5a, HASH_SIZE);
    for (size_t i = 0; i < commits; i++) {
        uint8_t commit[HASH_SIZE] = {(uint8_t)i, 1};
        assert_return_code(needs_add(&n, commit, &e), 0);
    }
    return n;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    for (size_t commits = 1; commits <= NEEDS_COMMITS_MAX; commits += NEEDS_COMMITS_MAX - 1) {
        struct needs n = make(commits), read;
        AUTO_FREE char *text = needs_format(&n);
        assert_true(needs_parse(text, strlen(text), &read));
        assert_memory_equal(&read, &n, sizeof n);
    }
}

static void a_commit_counts_once_and_there_is_an_end(void **state)
{
    (void)state;
    struct needs n = make(NEEDS_COMMITS_MAX);
    const uint8_t other[HASH_SIZE] = {0xff};
    struct err e;
    assert_return_code(needs_add(&n, n.commits[3], &e), 0);
    assert_int_equal(n.count, NEEDS_COMMITS_MAX);
    assert_int_equal(needs_add(&n, other, &e), -1);
    assert_int_equal(e.id, ERR_TOO_LARGE);
}

#define FILE_OF(schema, commits, objects, sha256)                                                            \
    "{\"schema\":" schema ",\"ostree_commits\":" commits ",\"left_out\":{\"objects\":" objects               \
    ",\"sha256\":" sha256 "}}"

static void what_is_not_such_a_file_needs_nothing(void **state)
{
    static const char *const wrong[] = {
        "",
        "{}",
        "[]",
        "null",
        FILE_OF("2", "[\"" HEX "\"]", "1", "\"" HEX "\""),
        FILE_OF("\"1\"", "[\"" HEX "\"]", "1", "\"" HEX "\""),
        FILE_OF("1", "[]", "1", "\"" HEX "\""),
        FILE_OF("1", "\"" HEX "\"", "1", "\"" HEX "\""),
        FILE_OF("1", "[\"" HEX "00\"]", "1", "\"" HEX "\""),
        FILE_OF("1", "[\"" HEX "\",1]", "1", "\"" HEX "\""),
        FILE_OF("1", "[\"" HEX "\"]", "0", "\"" HEX "\""),
        FILE_OF("1", "[\"" HEX "\"]", "-1", "\"" HEX "\""),
        FILE_OF("1", "[\"" HEX "\"]", "1e3", "\"" HEX "\""),
        FILE_OF("1", "[\"" HEX "\"]", "9999999999999", "\"" HEX "\""),
        FILE_OF("1", "[\"" HEX "\"]", "1", "\"00\""),
        FILE_OF("1", "[\"" HEX "\"]", "1", "null"),
        FILE_OF("1", "[\"" HEX "\"]", "1", "\"" HEX "\"") "x",
    };
    (void)state;
    assert_true(parses(FILE_OF("1", "[\"" HEX "\"]", "1", "\"" HEX "\"")));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (parses(wrong[i]))
            fail_msg("taken: %s", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_commit_counts_once_and_there_is_an_end),
        cmocka_unit_test(what_is_not_such_a_file_needs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
