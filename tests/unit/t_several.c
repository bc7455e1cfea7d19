/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/several.h"

struct visits {
    atomic_uint at[3];
    size_t fails_at; /* SIZE_MAX: nowhere */
};

static int visit(void *ctx, size_t i, struct err *e)
{
    struct visits *v = ctx;
    v->at[i]++;
    return i == v->fails_at ? err_set(e, ERR_MEDIUM_IO, "place %zu", i) : 0;
}

static void a_place_that_fails_drops_out_and_the_others_go_on(void **state)
{
    (void)state;
    struct visits v = {.fails_at = 1};
    struct err e;
    AUTO(several) struct several s;
    several_init(&s, 3, NULL);
    assert_int_equal(several_each(&s, visit, &v, &e), 0);
    assert_int_equal(several_left(&s), 2);
    assert_int_equal(several_in_turn(&s, visit, &v, &e), 0);
    assert_int_equal(v.at[0], 2);
    assert_int_equal(v.at[1], 1);
    assert_int_equal(v.at[2], 2);
    assert_int_equal(s.ones[0].failure.id, ERR_NONE);
    assert_string_equal(s.ones[1].failure.message, "place 1");
}

static void when_none_is_left_it_is_the_first_ones_error(void **state)
{
    (void)state;
    struct err e;
    AUTO(several) struct several s;
    several_init(&s, 3, NULL);
    for (size_t i = 3; i-- > 0;) {
        struct visits v = {.fails_at = i};
        assert_int_equal(several_each(&s, visit, &v, &e), i == 0 ? -1 : 0);
    }
    assert_string_equal(e.message, "place 0");
}

static void what_fails_as_a_whole_keeps_the_reason_of_who_failed_before(void **state)
{
    (void)state;
    struct visits v = {.fails_at = 2};
    struct err e;
    AUTO(several) struct several s;
    several_init(&s, 3, NULL);
    assert_int_equal(several_each(&s, visit, &v, &e), 0);
    err_set(&e, ERR_WRONG_HASH, "the store");
    several_fail(&s, &e);
    assert_int_equal(several_left(&s), 0);
    assert_string_equal(s.ones[0].failure.message, "the store");
    assert_string_equal(s.ones[2].failure.message, "place 2");
}

struct shown {
    unsigned begun, ended;
    uint64_t done, skipped;
};

static void note(struct progress *p, const char *event)
{
    struct shown *s = p->ctx;
    s->begun += !strcmp(event, "begin");
    s->ended += !strcmp(event, "end");
    s->done = atomic_load(&p->done);
    s->skipped = atomic_load(&p->skipped);
}

#define MIB ((uint64_t)1 << 20)

static void the_progress_is_that_of_the_place_furthest_behind(void **state)
{
    (void)state;
    struct shown shown = {0};
    struct progress whole = {.show = note, .ctx = &shown};
    struct visits v = {.fails_at = 1};
    struct err e;
    AUTO(several) struct several s;
    several_init(&s, 2, &whole);
    several_phase(&s, "write", 10 * MIB);
    progress_add(several_progress(&s, 0), 4 * MIB);
    assert_int_equal(shown.done, 0);
    progress_skip(several_progress(&s, 1), 1 * MIB);
    assert_int_equal(shown.done, 1 * MIB);
    assert_int_equal(shown.skipped, 1 * MIB);
    progress_add(several_progress(&s, 1), 2 * MIB);
    assert_int_equal(shown.done, 3 * MIB);
    assert_int_equal(shown.skipped, 1 * MIB);
    assert_int_equal(several_each(&s, visit, &v, &e), 0); /* the slow one drops out */
    progress_add(several_progress(&s, 0), 6 * MIB);
    assert_int_equal(shown.done, 10 * MIB);
    several_phase_end(&s);
    several_phase(&s, "read back", MIB);
    assert_int_equal(shown.done, 0);
    progress_add(several_progress(&s, 0), 10); /* too little to be shown before the end */
    several_phase_end(&s);
    assert_int_equal(shown.done, 10);
    assert_int_equal(shown.begun, 2);
    assert_int_equal(shown.ended, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_that_fails_drops_out_and_the_others_go_on),
        cmocka_unit_test(when_none_is_left_it_is_the_first_ones_error),
        cmocka_unit_test(what_fails_as_a_whole_keeps_the_reason_of_who_failed_before),
        cmocka_unit_test(the_progress_is_that_of_the_place_furthest_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
