/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/options.h"

struct values {
    bool flag, quiet;
    const char *text;
    struct text_list list;
    struct option_time time;
    uint64_t size;
};

static const struct option table[] = {
    {"flag", OPTION_FLAG, NULL, offsetof(struct values, flag), "a flag"},
    {"q", OPTION_FLAG, NULL, offsetof(struct values, quiet), "a short flag"},
    {"text", OPTION_TEXT, "TEXT", offsetof(struct values, text), "a text"},
    {"list", OPTION_LIST, "ID", offsetof(struct values, list), "texts"},
    {"time", OPTION_TIME, "TIME", offsetof(struct values, time), "a time"},
    {"size", OPTION_SIZE, "SIZE", offsetof(struct values, size), "a size"},
    {0},
};

struct parsed {
    struct values values;
    const char **words;
    size_t word_count;
    struct err e;
};

/* Arguments, NULL at the end. Options lists stay allocated until parsed_free(). */
static int parse(struct parsed *p, const char **arguments)
{
    int count = 0;
    *p = (struct parsed){0};
    while (arguments[count])
        count++;
    const struct option_set set = {.options = table, .values = &p->values};
    return options_parse(count, (char **)(uintptr_t)arguments, &set, 1, &p->words, &p->word_count, &p->e);
}

static void parsed_free(struct parsed *p)
{
    const struct option_set set = {.options = table, .values = &p->values};
    options_free(&set);
    free(p->words);
}

#define PARSE(p, ...) parse(p, (const char *[]){__VA_ARGS__, NULL})

static void values_are_taken_with_a_blank_or_an_equals_sign(void **state)
{
    (void)state;
    AUTO(parsed) struct parsed p;
    assert_return_code(
        PARSE(&p, "--flag", "-q", "--text", "a b", "--time=2026-11-22T08:00:00Z", "--size=64M"), 0);
    assert_true(p.values.flag);
    assert_true(p.values.quiet);
    assert_string_equal(p.values.text, "a b");
    assert_true(p.values.time.given);
    assert_int_equal(p.values.time.time, 1795334400);
    assert_int_equal(p.values.size, 64u << 20);
    assert_int_equal(p.word_count, 0);
}

static void words_stand_anywhere_and_after_two_dashes_all_are_words(void **state)
{
    (void)state;
    AUTO(parsed) struct parsed p;
    assert_return_code(PARSE(&p, "one", "--flag", "-", "--", "--text", "-q"), 0);
    assert_int_equal(p.word_count, 4);
    assert_string_equal(p.words[0], "one");
    assert_string_equal(p.words[1], "-");
    assert_string_equal(p.words[2], "--text");
    assert_false(p.values.quiet);
}

static void a_list_takes_each_and_an_empty_value_is_a_value(void **state)
{
    (void)state;
    AUTO(parsed) struct parsed p;
    assert_return_code(PARSE(&p, "--list", "a", "--list=b", "--list=", "--text="), 0);
    assert_int_equal(p.values.list.count, 3);
    assert_string_equal(p.values.list.items[1], "b");
    assert_string_equal(p.values.list.items[2], "");
    assert_string_equal(p.values.text, "");
}

static void sizes_have_binary_units(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } sizes[] = {{"1", 1},
                 {"512k", 512u << 10},
                 {"3MiB", 3u << 20},
                 {"2GB", 2ull << 30},
                 {"16777215T", 16777215ull << 40}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        AUTO(parsed) struct parsed p;
        assert_return_code(PARSE(&p, "--size", sizes[i].text), 0);
        assert_int_equal(p.values.size, sizes[i].bytes);
    }
}

static void assert_refused(const char **arguments, enum err_id id, const char *says)
{
    AUTO(parsed) struct parsed p;
    assert_int_equal(parse(&p, arguments), -1);
    assert_int_equal(p.e.id, id);
    if (!strstr(p.e.message, says))
        fail_msg("'%s' is not in '%s'", says, p.e.message);
}

#define REFUSED(says, ...) assert_refused((const char *[]){__VA_ARGS__, NULL}, ERR_USAGE, says)

static void wrong_command_lines_are_refused_and_named(void **state)
{
    (void)state;
    REFUSED("'--unknown'", "--unknown");
    REFUSED("'--unknown'", "--unknown=value");
    REFUSED("'-x'", "-x");
    REFUSED("'-flag'", "-flag");
    REFUSED("'--q'", "--q");
    REFUSED("--text needs a value (TEXT)", "--text");
    REFUSED("--text is given twice", "--text", "a", "--text=b");
    REFUSED("--flag takes no value", "--flag=yes");
    REFUSED("'--fla'", "--fla");
}

static void wrong_values_are_refused_and_shown(void **state)
{
    static const char *const sizes[] = {
        "", "0", "-1", "+1", " 1", "1.5G", "1X", "M", "1MM", "16777216T", "99999999999999999999"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        REFUSED("is not a size", "--size", sizes[i]);
    assert_refused((const char *[]){"--time", "tomorrow", NULL}, ERR_BAD_TIME, "'tomorrow'");
    assert_refused((const char *[]){"--time=", NULL}, ERR_BAD_TIME, "''");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_taken_with_a_blank_or_an_equals_sign),
        cmocka_unit_test(words_stand_anywhere_and_after_two_dashes_all_are_words),
        cmocka_unit_test(a_list_takes_each_and_an_empty_value_is_a_value),
        cmocka_unit_test(sizes_have_binary_units),
        cmocka_unit_test(wrong_command_lines_are_refused_and_named),
        cmocka_unit_test(wrong_values_are_refused_and_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
