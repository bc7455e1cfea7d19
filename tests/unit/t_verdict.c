/* SPDX-License-Identifier: Apache-2.0
 *
 * The table: every lockbox that tests/unit/verdict/make.py made and signed, with the verdict it must get.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "verdict_box.h"

/* One line of cases.tsv. */
struct expected {
    const char *name, *hardware, *lockbox, *trust, *valid, *outcome, *problems;
};

static char *list_problems(const struct verdict *v)
{
    struct buf text = {0};
    for (size_t i = 0; i < v->problem_count; i++)
        buf_addf(&text, "%s%s %s", i ? ", " : "", err_name(v->problems[i].id), v->problems[i].role);
    return buf_steal_text(&text);
}

/* What holds for every verdict, whatever the lockbox. */
static void check_invariants(const struct verdict *v)
{
    bool breaks = false, refuses = false;
    for (size_t i = 0; i < v->problem_count; i++) {
        const struct verdict_problem *p = &v->problems[i];
        assert_true(strlen(p->message) > strlen(p->role) + 2);
        if ((p->device_refuses || p->breaks_validity) && !*p->hint)
            fail_msg("%s does not say what to do", err_name(p->id));
        breaks |= p->breaks_validity;
        refuses |= p->device_refuses;
    }
    assert_int_equal(v->valid, !breaks);
    if (v->outcome == VERDICT_INSTALL)
        assert_false(refuses);
    if (v->outcome == VERDICT_REFUSE)
        assert_true(refuses);
    assert_true(v->assumed_count >= 2);
    for (size_t i = 0; i < v->role_count; i++)
        if (v->roles[i].device_reads)
            assert_true(v->valid_until <= v->roles[i].expires);
}

static void check_row(void **state)
{
    static const char *const outcomes[] = {"install", "refuse", "nothing"};
    const struct expected *row = *state;
    AUTO(box) struct box box;
    AUTO(verdict) struct verdict v = {0};
    struct err e;
    box_load(&box, row->name, !strcmp(row->trust, "yes"));
    box_set_hardware(&box, row->hardware);
    box.in.lockbox = *row->lockbox ? row->lockbox : NULL;
    assert_int_equal(verdict_decide(&box.in, &v, &e), 0);
    AUTO_FREE char *problems = list_problems(&v);
    for (size_t i = 0; i < v.problem_count && strcmp(problems, row->problems) != 0; i++)
        print_message("%s\n", v.problems[i].message);
    assert_string_equal(problems, row->problems);
    assert_string_equal(v.valid ? "yes" : "no", row->valid);
    assert_string_equal(outcomes[v.outcome], row->outcome);
    check_invariants(&v);
}

static struct expected read_row(char *line)
{
    struct expected row = {0};
    const char **fields[] = {&row.name,  &row.hardware, &row.lockbox, &row.trust,
                             &row.valid, &row.outcome,  &row.problems};
    char *rest = line;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        *fields[i] = strsep(&rest, "\t");
        if (!*fields[i])
            fail_msg("a line of cases.tsv has %zu fields", i);
    }
    return row;
}

int main(void)
{
    struct err e;
    AUTO(buf) struct buf text = {0};
    const char *folder = getenv("AIRLOCK_VERDICT_CASES");
    AUTO_FREE char *path = mem_format("%s/cases.tsv", folder ? folder : ".");
    if (fs_read_file(path, FILE_MAX, &text, &e)) {
        fprintf(stderr, "%s; run it with ctest, or set AIRLOCK_VERDICT_CASES\n", e.message);
        return 1;
    }
    struct expected *rows = NULL;
    struct CMUnitTest *tests = NULL;
    size_t count = 0;
    char *rest = (char *)text.data;
    for (char *line; (line = strsep(&rest, "\n")) && *line; count++) {
        rows = mem_resize(rows, count + 1, sizeof *rows);
        rows[count] = read_row(line);
    }
    tests = mem_zeroed(count, sizeof *tests);
    for (size_t i = 0; i < count; i++)
        tests[i] =
            (struct CMUnitTest){.name = rows[i].name, .test_func = check_row, .initial_state = &rows[i]};
    int failed = count < 300 ? 1 : _cmocka_run_group_tests("verdicts", tests, count, NULL, NULL);
    free(tests);
    free(rows);
    return failed;
}
