/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "lockbox/survey.h"

static void a_file_that_is_no_bundle_is_an_item_with_a_reason_and_without_a_date(void **state)
{
    char folder[] = "/tmp/airlock-survey-XXXXXX", path[64];
    const struct survey_options how = {.judge.now = 1};
    AUTO(survey) struct survey survey = {0};
    AUTO_FD int dirfd = -1;
    struct err e;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/x.lockbox", folder);
    assert_return_code(fs_open_dir(folder, &dirfd, &e), 0);
    assert_return_code(fs_replace_at(dirfd, "x.lockbox", "no bundle", 9, 0644, &e), 0);

    assert_return_code(survey_path(path, &how, &survey, &e), 0);
    assert_int_equal(survey.count, 1);
    const struct survey_item *item = &survey.items[0];
    assert_false(item->opened);
    assert_false(item->verdict.valid);
    assert_int_equal(item->verdict.outcome, VERDICT_REFUSE);
    assert_true(item->verdict.valid_until == INT64_MAX);
    assert_null(item->verdict.valid_until_role);
    assert_int_equal(item->verdict.problem_count, 1);
    assert_int_equal(item->verdict.problems[0].id, ERR_NOT_A_BUNDLE);

    assert_return_code(unlink(path), 0);
    assert_return_code(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_no_bundle_is_an_item_with_a_reason_and_without_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
