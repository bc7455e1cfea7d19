/* SPDX-License-Identifier: Apache-2.0
 *
 * What the device's client sees in a line, by its regular expressions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fetch/compose_lines.h"

static void read_lines(const char *text, struct compose_lines *ret)
{
    struct err e;
    if (compose_lines_read(text, strlen(text), ret, &e))
        fail_msg("%s", e.message);
}

/* The image that the device sees in this line, in a file that is otherwise right; NULL: none. */
static void sees(const char *line, const char *image)
{
    char text[256] = "services:\n  a:\n";
    AUTO(compose_lines) struct compose_lines l = {0};
    strncat(text, line, sizeof text - strlen(text) - 1);
    read_lines(text, &l);
    const struct compose_lines_service *a = compose_lines_find(&l, "a");
    if (!a != !image || (a && strcmp(a->image.text, image) != 0))
        fail_msg("'%s': '%s'", line, a ? a->image.text : "nothing");
}

static void an_image_is_seen_by_the_clients_rule(void **state)
{
    (void)state;
    sees("    image: x\n", "x");
    sees("    image: x", "x");
    sees("    image: x \t\r\n", "x");
    sees("    image:x\n", "x");
    sees("    image:\t \"x\"\n", "x");
    sees("    image: \"x\n", "\"x");
    sees("    image: x\"\n", "x\"");
    sees("    image: \"\"\n", "\"\"");
    sees("    image: 'x'\n", "'x'");
    sees("    image: x y\n", NULL);
    sees("    image: x # y\n", NULL);
    sees("    image:\n", NULL);
    sees("     image: x\n", NULL);
    sees("   image: x\n", NULL);
    sees("\timage: x\n", NULL);
    sees("    images: x\n", NULL);
}

static void the_last_image_of_a_service_and_the_first_service_of_a_name_count(void **state)
{
    AUTO(compose_lines) struct compose_lines l = {0};
    (void)state;
    read_lines("services:\n  a:\n    image: 1\n    image: 2\n  a:\n    image: 3\n  b:\n    platform: p\n",
               &l);
    assert_int_equal(l.count, 1);
    assert_string_equal(l.services[0].image.text, "2");
    assert_int_equal(l.services[0].image.line, 4);
}

static void a_second_services_section_replaces_the_first(void **state)
{
    AUTO(compose_lines) struct compose_lines l = {0};
    (void)state;
    read_lines("services:\n  a:\n    image: 1\nx:\n  y:\n    image: 2\nservices:\n  b:\n    image: 3\n", &l);
    assert_int_equal(l.count, 1);
    assert_string_equal(l.services[0].name.text, "b");
}

static void a_key_with_a_value_does_not_end_the_services(void **state)
{
    AUTO(compose_lines) struct compose_lines l = {0};
    (void)state;
    read_lines("services:\n  a:\n    image: 1\nx: y\n  b:\n    image: 2\n    platform: q\n", &l);
    assert_int_equal(l.count, 2);
    assert_string_equal(compose_lines_find(&l, "b")->platform.text, "q");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_is_seen_by_the_clients_rule),
        cmocka_unit_test(the_last_image_of_a_service_and_the_first_service_of_a_name_count),
        cmocka_unit_test(a_second_services_section_replaces_the_first),
        cmocka_unit_test(a_key_with_a_value_does_not_end_the_services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
