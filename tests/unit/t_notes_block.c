/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "report/notes_block.h"

#define PEOPLE "Spare part in cabinet B.\nAsk J\xc3\xb6rg | or 'Anna' <b>first</b>.\n"
#define NOON 1795435200 /* 2026-11-23T12:00:00Z */

static struct notes_row row(int64_t counter, const char *key)
{
    struct notes_row r = {.basis = NOTES_VERIFIED,
                          .outcome = NOTES_INSTALLED,
                          .version = 3,
                          .counter = counter,
                          .at = NOON + counter};
    notes_row_set_code(&r, "OK");
    notes_row_set_lockbox(&r, "pump-7");
    snprintf(r.key, sizeof r.key, "%s", key);
    return r;
}

static char *merge(const char *notes, struct notes_row *rows, size_t count)
{
    const struct notes_rows list = {.list = rows, .count = count};
    struct err e = {0};
    char *merged = NULL;
    if (notes_block_merge(notes, &list, 64000, &merged, &e))
        fail_msg("%s: %s", err_name(e.id), e.message);
    return merged;
}

static enum err_id error_of(const char *notes)
{
    struct notes_row one = row(1, "0123456789ab");
    const struct notes_rows list = {.list = &one, .count = 1};
    struct err e = {0};
    char *merged = NULL;
    int rc = notes_block_merge(notes, &list, 64000, &merged, &e);
    free(merged);
    return rc ? e.id : 0;
}

static size_t count_lines(const char *text, const char *with)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, with)); at++)
        n++;
    return n;
}

static void what_people_wrote_stays_byte_for_byte(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "x", "x\n", PEOPLE, "\n\n\n", "| a | table |\n|---|---|\n"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct notes_row one = row(42, "0123456789ab");
        AUTO_FREE char *merged = merge(texts[i], &one, 1);
        assert_memory_equal(merged, texts[i], strlen(texts[i]));
        assert_non_null(strstr(merged, "Courier-reported"));
        assert_non_null(strstr(
            merged,
            "| 42 | pump-7 | 3 | installed | OK | verified | 2026-11-23T12:00:42Z | 0123456789ab |\n"));
        /* and what they write around it later */
        AUTO_FREE char *edited = mem_format("New first line.\n%sAnd a last one.", merged);
        struct notes_row other = row(43, "ba9876543210");
        AUTO_FREE char *again = merge(edited, &other, 1);
        assert_memory_equal(again, "New first line.\n", 16);
        assert_string_equal(again + strlen(again) - 15, "And a last one.");
        assert_int_equal(count_lines(again, "Courier-reported"), 1);
        assert_int_equal(count_lines(again, "| verified |"), 2);
    }
}

static void nothing_new_changes_nothing(void **state)
{
    (void)state;
    struct notes_row rows[] = {row(42, "0123456789ab"), row(43, "ba9876543210")};
    AUTO_FREE char *none = merge(PEOPLE, NULL, 0);
    assert_string_equal(none, PEOPLE);
    AUTO_FREE char *once = merge(PEOPLE, rows, 2);
    AUTO_FREE char *twice = merge(once, rows, 2);
    assert_string_equal(twice, once);
    AUTO_FREE char *part = merge(once, rows, 1);
    assert_string_equal(part, once);
}

static void two_laptops_become_one_table_whoever_comes_first(void **state)
{
    (void)state;
    struct notes_row a[] = {row(41, "aaaaaaaaaaaa"), row(42, "0123456789ab")};
    struct notes_row b[] = {row(42, "0123456789ab"), row(43, "bbbbbbbbbbbb")};
    a[1].basis = NOTES_UNVERIFIED; /* this laptop has no key */
    b[0].at += 3600;               /* and that one collected later */
    AUTO_FREE char *first_a = merge(PEOPLE, a, 2);
    AUTO_FREE char *a_then_b = merge(first_a, b, 2);
    AUTO_FREE char *first_b = merge(PEOPLE, b, 2);
    AUTO_FREE char *b_then_a = merge(first_b, a, 2);
    assert_string_equal(a_then_b, b_then_a);
    assert_int_equal(count_lines(a_then_b, "| pump-7 |"), 3);
    assert_non_null(strstr(a_then_b, "| verified | 2026-11-23T12:00:42Z | 0123456789ab |"));
}

static void only_words_of_ours_get_into_it(void **state)
{
    (void)state;
    struct notes_row r = row(1, "0123456789ab");
    notes_row_set_code(&r, "<script>alert(1)</script>");
    notes_row_set_lockbox(&r, "pump|7](http://x)");
    assert_string_equal(r.code, "OTHER");
    assert_string_equal(r.lockbox, "");
    notes_row_set_code(&r, "CONSENT_REFUSED");
    assert_string_equal(r.code, "CONSENT_REFUSED");
    notes_row_set_code(&r, NULL);
    assert_string_equal(r.code, "");
    r.counter = r.version = -1;
    r.basis = NOTES_TECHNICIAN;
    AUTO_FREE char *merged = merge("", &r, 1);
    assert_non_null(strstr(merged, "|  |  |  | installed |  | technician-reported |"));
    AUTO_FREE char *again = merge(merged, &r, 1);
    assert_string_equal(again, merged);
}

static void a_block_that_is_not_ours_keeps_us_from_writing(void **state)
{
    (void)state;
    struct notes_row one = row(42, "0123456789ab");
    AUTO_FREE char *good = merge(PEOPLE, &one, 1);
    assert_int_equal(error_of(good), 0);
    static const struct {
        const char *from, *to;
    } edits[] = {
        {"[begin of", "[Begin of"},
        {"[end of", "[End of"},
        {"**Courier-reported**", "**Device-reported**"},
        {"| installed |", "| burnt down |"},
        {"| verified |", "| trust me |"},
        {"| pump-7 |", "| pump 7 |"},
        {"| OK |", "| FINE |"},
        {"| 42 |", "| -42 |"},
        {"| 3 |", "| 3 | 4 |"},
        {"T12:00:42Z", "T25:00:42Z"},
        {"0123456789ab", "0123456789AB"},
        {"0123456789ab |\n", "0123456789ab |\nhello\n"},
    };
    for (size_t i = 0; i < COUNT_OF(edits); i++) {
        const char *at = strstr(good, edits[i].from);
        assert_non_null(at);
        AUTO_FREE char *edited =
            mem_format("%.*s%s%s", (int)(at - good), good, edits[i].to, at + strlen(edits[i].from));
        if (error_of(edited) != ERR_NOTES_BLOCK)
            fail_msg("'%s' for '%s' was taken", edits[i].to, edits[i].from);
    }
    AUTO_FREE char *twice = mem_format("%s%s", good, good);
    assert_int_equal(error_of(twice), ERR_NOTES_BLOCK);
}

static void the_oldest_rows_go_where_there_are_too_many(void **state)
{
    (void)state;
    struct notes_row rows[30];
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        char key[13];
        snprintf(key, sizeof key, "%012x", i);
        rows[i] = row(100 + i, key);
    }
    AUTO_FREE char *merged = merge(PEOPLE, rows, COUNT_OF(rows));
    assert_int_equal(count_lines(merged, "| pump-7 |"), NOTES_ROWS_MAX);
    assert_null(strstr(merged, "| 109 |"));
    assert_non_null(strstr(merged, "| 110 |"));
    AUTO_FREE char *again = merge(merged, rows, COUNT_OF(rows));
    assert_string_equal(again, merged);

    const struct notes_rows list = {.list = rows, .count = COUNT_OF(rows)};
    struct err e = {0};
    char *small = NULL;
    assert_return_code(notes_block_merge(PEOPLE, &list, 900, &small, &e), 0);
    assert_in_range(strlen(small), 500, 900);
    assert_non_null(strstr(small, "| 129 |"));
    free(small);
    assert_int_equal(notes_block_merge(PEOPLE, &list, 100, &small, &e), -1);
    assert_int_equal(e.id, ERR_TOO_LARGE);
}

/* Anybody can bring a stick full of reports that nobody can verify. */
static void unverified_rows_do_not_push_out_verified_ones(void **state)
{
    (void)state;
    struct notes_row good = row(1, "ffffffffffff"), flood[30];
    for (unsigned i = 0; i < COUNT_OF(flood); i++) {
        char key[13];
        snprintf(key, sizeof key, "%012x", i);
        flood[i] = row(100 + i, key);
        flood[i].basis = i % 2 ? NOTES_UNVERIFIED : NOTES_TECHNICIAN;
    }
    AUTO_FREE char *first = merge(PEOPLE, &good, 1);
    AUTO_FREE char *then = merge(first, flood, COUNT_OF(flood));
    assert_int_equal(count_lines(then, "| pump-7 |"), NOTES_ROWS_MAX);
    assert_non_null(strstr(then, "| ffffffffffff |"));
    const struct notes_rows list = {.list = flood, .count = COUNT_OF(flood)};
    struct err e = {0};
    char *small = NULL;
    assert_return_code(notes_block_merge(first, &list, 900, &small, &e), 0);
    assert_non_null(strstr(small, "| ffffffffffff |"));
    free(small);
    AUTO_FREE char *all_first = merge(PEOPLE, flood, COUNT_OF(flood));
    AUTO_FREE char *other_way = merge(all_first, &good, 1);
    assert_string_equal(other_way, then);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_wrote_stays_byte_for_byte),
        cmocka_unit_test(nothing_new_changes_nothing),
        cmocka_unit_test(two_laptops_become_one_table_whoever_comes_first),
        cmocka_unit_test(only_words_of_ours_get_into_it),
        cmocka_unit_test(a_block_that_is_not_ours_keeps_us_from_writing),
        cmocka_unit_test(the_oldest_rows_go_where_there_are_too_many),
        cmocka_unit_test(unverified_rows_do_not_push_out_verified_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
