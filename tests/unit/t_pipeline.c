/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "bundle-format/pipeline.h"

#define SLOTS 5
#define WORKERS 3

/* Squares the numbers below `last`; one step may fail at one of them. */
struct squares {
    unsigned next, last, consumed;
    int fail_produce, fail_consume; /* number, or -1 */
    uint64_t sum;
};
struct square {
    unsigned number;
    uint64_t value;
};

static int produce(void *ctx, void *slot, bool *ret_more, struct err *e)
{
    struct squares *s = ctx;
    struct square *square = slot;
    if ((int)s->next == s->fail_produce)
        return err_set(e, ERR_WRONG_HASH, "produced badly");
    *ret_more = s->next < s->last;
    square->number = s->next++;
    return 0;
}

static int work(void *worker, void *slot, struct err *e)
{
    const int *fail_at = worker;
    struct square *square = slot;
    if (square->number % 7 == 0)
        usleep(200); /* out of turn */
    if ((int)square->number == *fail_at)
        return err_set(e, ERR_BUNDLE_DAMAGED, "worked badly");
    square->value = (uint64_t)square->number * square->number;
    return 0;
}

static int consume(void *ctx, void *slot, struct err *e)
{
    struct squares *s = ctx;
    const struct square *square = slot;
    if ((int)square->number == s->fail_consume)
        return err_set(e, ERR_NO_SPACE, "consumed badly");
    if (square->number != s->consumed)
        return err_set(e, ERR_INTERNAL, "out of order");
    s->consumed++;
    s->sum += square->value;
    return 0;
}

static int run(struct squares *s, int fail_work, struct err *e)
{
    struct square squares[SLOTS];
    void *slots[SLOTS], *workers[WORKERS];
    for (unsigned i = 0; i < SLOTS; i++)
        slots[i] = &squares[i];
    for (unsigned i = 0; i < WORKERS; i++)
        workers[i] = &fail_work;
    struct pipeline p = {.produce = produce,
                         .work = work,
                         .consume = consume,
                         .ctx = s,
                         .slots = slots,
                         .workers = workers,
                         .slot_count = SLOTS,
                         .worker_count = WORKERS};
    return pipeline_run(&p, e);
}

static void all_are_consumed_in_the_order_produced(void **state)
{
    (void)state;
    static const unsigned counts[] = {0, 1, SLOTS, SLOTS + 1, 1000};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct squares s = {.last = counts[i], .fail_produce = -1, .fail_consume = -1};
        uint64_t n = counts[i];
        struct err e;
        assert_return_code(run(&s, -1, &e), 0);
        assert_int_equal(s.consumed, n);
        assert_int_equal(s.sum, n ? (n - 1) * n * (2 * n - 1) / 6 : 0);
    }
}

static void a_failure_in_any_step_ends_all_and_is_the_one_reported(void **state)
{
    (void)state;
    struct err e;
    for (int at = 0; at < 60; at += 3) {
        struct squares producing = {.last = 100, .fail_produce = at, .fail_consume = -1};
        assert_int_equal(run(&producing, -1, &e), -1);
        assert_int_equal(e.id, ERR_WRONG_HASH);
        struct squares working = {.last = 100, .fail_produce = -1, .fail_consume = -1};
        assert_int_equal(run(&working, at, &e), -1);
        assert_int_equal(e.id, ERR_BUNDLE_DAMAGED);
        struct squares consuming = {.last = 100, .fail_produce = -1, .fail_consume = at};
        assert_int_equal(run(&consuming, -1, &e), -1);
        assert_int_equal(e.id, ERR_NO_SPACE);
        assert_int_equal(consuming.consumed, at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_consumed_in_the_order_produced),
        cmocka_unit_test(a_failure_in_any_step_ends_all_and_is_the_one_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
