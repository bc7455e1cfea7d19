/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pace.h"

#define MIB ((uint64_t)1 << 20)

static void what_waits_in_the_cache_does_not_count(void **state)
{
    (void)state;
    struct progress progress = {0};
    struct pace p = {.progress = &progress};
    pace_wrote(&p, 8 * MIB);
    pace_worth(&p, 80 * MIB);
    assert_int_equal(pace_due(&p), 0);
    pace_wrote(&p, 2 * MIB);
    pace_worth(&p, 20 * MIB);
    assert_int_equal(pace_due(&p), 2 * MIB);
    assert_int_equal(progress.done, 0);
    pace_arrived(&p, 2 * MIB);
    assert_int_equal(progress.done, 20 * MIB);
    assert_int_equal(p.from, 2 * MIB);
    assert_int_equal(pace_due(&p), 0);
    pace_settled(&p);
    assert_int_equal(progress.done, 100 * MIB);
}

static void worth_without_bytes_counts_with_the_next_ones(void **state)
{
    (void)state;
    struct progress progress = {0};
    struct pace p = {.progress = &progress};
    pace_settled(&p);
    pace_worth(&p, 7);
    pace_wrote(&p, 3);
    assert_int_equal(progress.done, 0);
    pace_settled(&p);
    assert_int_equal(progress.done, 7);
}

static void a_file_that_is_cut_has_less_on_its_way(void **state)
{
    (void)state;
    struct pace p = {0};
    pace_wrote(&p, 10 * MIB);
    pace_arrived(&p, 4 * MIB);
    pace_cut(&p, 6 * MIB);
    assert_int_equal(p.end - p.from, 2 * MIB);
    pace_cut(&p, 3 * MIB);
    assert_int_equal(p.from, 3 * MIB);
    assert_int_equal(p.end, 3 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_in_the_cache_does_not_count),
        cmocka_unit_test(worth_without_bytes_counts_with_the_next_ones),
        cmocka_unit_test(a_file_that_is_cut_has_less_on_its_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
