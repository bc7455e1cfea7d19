/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "net/answer.h"
#include "net/http.h"

static void add(struct answer *a, const char *line)
{
    answer_add_line(a, line, strlen(line));
}

static void the_head_is_read_whatever_the_case_of_its_names(void **state)
{
    (void)state;
    struct answer a;
    answer_begin(&a);
    add(&a, "HTTP/1.1 206 Partial Content\r\n");
    add(&a, "content-length: 90\r\n");
    add(&a, "Content-Range: bytes 10-99/100\r\n");
    add(&a, "ETAG:\t\"abc\" \r\n");
    add(&a, "retry-after: 3\r\n");
    add(&a, "Date: Wed, 21 Oct 2015 07:28:00 GMT\r\n");
    add(&a, "\r\n");
    assert_int_equal(a.status, 206);
    assert_int_equal(a.length, 90);
    assert_int_equal(a.range, RANGE_PART);
    assert_int_equal(a.range_first, 10);
    assert_int_equal(a.range_last, 99);
    assert_int_equal(a.range_total, 100);
    assert_string_equal(a.etag, "\"abc\"");
    assert_string_equal(a.retry_after, "3");
    assert_string_equal(a.date, "Wed, 21 Oct 2015 07:28:00 GMT");
}

static void an_interim_answer_leaves_nothing_behind(void **state)
{
    (void)state;
    struct answer a;
    answer_begin(&a);
    add(&a, "HTTP/2 103 \r\n");
    add(&a, "etag: \"early\"\r\n");
    add(&a, "HTTP/2 200 \r\n");
    assert_int_equal(a.status, 200);
    assert_string_equal(a.etag, "");
    assert_true(a.length == HTTP_LENGTH_UNKNOWN);
}

static void weak_and_overlong_etags_do_not_count(void **state)
{
    (void)state;
    struct answer a;
    char line[600] = "ETag: \"";
    answer_begin(&a);
    add(&a, "ETag: W/\"abc\"\r\n");
    assert_string_equal(a.etag, "");
    memset(line + 7, 'x', 300);
    line[307] = '"';
    add(&a, line);
    assert_string_equal(a.etag, "");
}

static void what_no_server_should_send_counts_as_absent(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "Content-Range: bytes 5-4/10",
        "Content-Range: bytes 0-10/10",
        "Content-Range: bytes 1-2",
        "Content-Range: bytes 1-2/",
        "Content-Range: bytes 1-2/3x",
        "Content-Range: bytes -2/3",
        "Content-Range: bytes 1/3",
        "Content-Range: chars 1-2/3",
        "Content-Range: bytes *",
        "Content-Range: bytes */x",
        "Content-Range: bytes 18446744073709551617-2/3",
        "Content-Range:",
    };
    struct answer a;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        answer_begin(&a);
        add(&a, lines[i]);
        if (a.range != RANGE_NONE)
            fail_msg("%s", lines[i]);
    }
    answer_begin(&a);
    add(&a, "Content-Length: 18446744073709551617");
    add(&a, "Content-Length: -1");
    add(&a, "Content-Length: 5 bytes");
    assert_true(a.length == HTTP_LENGTH_UNKNOWN);
    add(&a, "HTTP/");
    add(&a, "HTTP/1.1 2x0 OK");
    add(&a, "no colon");
    assert_int_equal(a.status, 0);
}

static void the_total_of_an_unsatisfied_range_is_read(void **state)
{
    (void)state;
    struct answer a;
    answer_begin(&a);
    add(&a, "Content-Range: bytes */1234");
    assert_int_equal(a.range, RANGE_TOTAL);
    assert_int_equal(a.range_total, 1234);
    add(&a, "Content-Range: bytes 0-1/*");
    assert_int_equal(a.range, RANGE_PART);
    assert_true(a.range_total == HTTP_LENGTH_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_is_read_whatever_the_case_of_its_names),
        cmocka_unit_test(an_interim_answer_leaves_nothing_behind),
        cmocka_unit_test(weak_and_overlong_etags_do_not_count),
        cmocka_unit_test(what_no_server_should_send_counts_as_absent),
        cmocka_unit_test(the_total_of_an_unsatisfied_range_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
