/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "fetch/compose.h"
#include "fetch/compose_lines.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define WEB "web@sha256:" HEX_A

static struct err refused(const char *text, enum err_id id)
{
    struct compose c = {0};
    struct err e = {0};
    if (compose_read(text, strlen(text), &c, &e) == 0)
        fail_msg("taken:\n%s", text);
    if (e.id != id)
        fail_msg("%s, expected %s, of:\n%s\n%s", err_name(e.id), err_name(id), text, e.message);
    return e;
}

static void refused_at(const char *text, enum err_id id, const char *says)
{
    struct err e = refused(text, id);
    if (!strstr(e.message, says))
        fail_msg("'%s' does not say '%s'", e.message, says);
}

static void images_and_platforms_are_read_in_the_order_of_names(void **state)
{
    static const char text[] = "# by docker compose config\r\n"
                               "version: '2.4'\r\n"
                               "services:\r\n"
                               "  web:\r\n"
                               "    restart: always\r\n"
                               "    image: \"" WEB "\"  \r\n"
                               "    platform: linux/arm64\r\n"
                               "  db.main:\r\n"
                               "    image: registry.example:5000/team/db@sha256:" HEX_B "\r\n"
                               "networks:\r\n"
                               "  inner:\r\n"
                               "    driver: bridge\r\n";
    AUTO(compose) struct compose c = {0};
    struct err e;
    (void)state;
    if (compose_read(text, strlen(text), &c, &e))
        fail_msg("%s", e.message);
    assert_int_equal(c.count, 2);
    assert_string_equal(c.services[0].name, "db.main");
    assert_string_equal(c.services[0].image, "registry.example:5000/team/db");
    assert_null(c.services[0].platform);
    assert_int_equal(c.services[0].digest[31], 0xbb);
    assert_string_equal(c.services[1].name, "web");
    assert_string_equal(c.services[1].image, "web");
    assert_string_equal(c.services[1].platform, "linux/arm64");
    assert_int_equal(c.services[1].line, 6);
}

/* Each is what `docker compose` runs happily, and what the device would not load or load wrongly. */
static void a_line_that_the_device_would_miss_is_shown(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"services:\n    web:\n        image: " WEB "\n", "line 2, \"    web:\""},
        {"services:\n  web:\n      image: " WEB "\n", "line 3, \"      image: web"},
        {"services:\n  web:\n    image: " WEB " # latest\n", "line 3"},
        {"services:\n  web:\n    image: '" WEB "'\n", "line 3"},
        {"services:\n  web:\n    image:\n      " WEB "\n", "line 4"},
        {"services:\n  web:\n    \"image\": " WEB "\n", "line 3"},
        {"services:\n  web: {image: \"" WEB "\"}\n", "line 2"},
        {"services: {web: {image: \"" WEB "\"}}\n", "line 1, \"services: {web:"},
        {"services: # all\n  web:\n    image: " WEB "\n", "line 1, \"services: # all\""},
        {"services:\n  web: # the\n    image: " WEB "\n", "line 2, \"  web: # the\""},
        {"services:\n  \"web\":\n    image: " WEB "\n", "line 2"},
        {"services:\n  web:\n    image: " WEB "\n    platform: linux/arm64 # x\n", "line 4"},
        {"x-web: &web\n  image: " WEB "\nservices:\n  web:\n    <<: *web\n", "line 2"},
        {"services:\n  a: &a\n    image: " WEB "\n  b: *a\n", "line 2, \"  a: &a\""},
        {"\xef\xbb\xbfservices:\n  web:\n    image: " WEB "\n", "line 1"},
        {"services:\n  web:\n    image: &i " WEB "\n", "line 3"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        refused_at(cases[i].text, ERR_COMPOSE_FORM, cases[i].says);
}

static void a_line_that_only_the_device_would_see_is_shown(void **state)
{
    (void)state;
    /* a block text that looks like services */
    refused_at("services:\n  web:\n    image: " WEB "\n    command: |\n      x\n  #\n"
               "x-note: |\n  ghost:\n    image: ghost@sha256:" HEX_B "\n",
               ERR_COMPOSE_FORM, "line 8, \"  ghost:\"");
    /* a platform of something else */
    refused_at("services:\n  web:\n   image: " WEB "\n   build:\n    platform: linux/arm64\n",
               ERR_COMPOSE_FORM, "line 3");
}

static void an_image_must_be_pinned_by_its_digest(void **state)
{
    (void)state;
    refused_at("services:\n  web:\n    image: web:latest\n", ERR_IMAGE_NOT_PINNED, "line 3");
    refused("services:\n  web:\n    image: web@sha256:"
            "AAAA"
            "\n",
            ERR_IMAGE_NOT_PINNED);
    refused("services:\n  web:\n    image: web@sha512:" HEX_A HEX_A "\n", ERR_IMAGE_NOT_PINNED);
    refused("services:\n  web:\n    image: web@sha256:A" HEX_A "\n", ERR_IMAGE_NOT_PINNED);
    refused("services:\n  web:\n    image: web:1@sha256:" HEX_A "\n", ERR_COMPOSE_FORM);
    refused("services:\n  web:\n    image: r:5000/web:1@sha256:" HEX_A "\n", ERR_COMPOSE_FORM);
    refused("services:\n  web:\n    image: sha256:5000/web@sha256:" HEX_A "\n", ERR_COMPOSE_FORM);
    refused("services:\n  web:\n    image: ${REPO}/web@sha256:" HEX_A "\n", ERR_BAD_COMPOSE);
    refused("services:\n  web:\n    image: ../web@sha256:" HEX_A "\n", ERR_BAD_COMPOSE);
}

static void what_is_no_compose_file_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "services:\n",
        "services: [a]\n",
        "a: b\n",
        "- services\n",
        "services:\n  web:\n    build: .\n",
        "services:\n  web:\n",
        "services:\n  web:\n    image: [a]\n",
        "services:\n  web:\n    image: " WEB "\n    image: " WEB "\n",
        "services:\n  web:\n    image: " WEB "\n  web:\n    image: " WEB "\n",
        "services:\n  web:\n    image: " WEB "\n---\nservices:\n  web:\n    image: " WEB "\n",
        "services:\n  web:\n    image: " WEB "\n\tx: y\n",
        "services:\n  web:\n    image: " WEB "\n  [a]: b\n",
        "services:\n  web:\n    image: " WEB "\ninclude:\n  - other.yml\n",
        "services:\n  web:\n    image: " WEB "\n    x: *nowhere\n",
        "services:\n  web:\n    <<: [*a]\n",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        refused(texts[i], ERR_BAD_COMPOSE);
}

static void the_limits_of_the_device_hold(void **state)
{
    AUTO(buf) struct buf text = {0};
    AUTO(compose) struct compose c = {0};
    struct err e;
    (void)state;
    buf_add_text(&text, "services:\n  web:\n    image: " WEB "\n#");
    size_t start = text.len - 1;
    while (text.len - start < COMPOSE_LINE_MAX - 1)
        buf_add_char(&text, 'x');
    buf_add_char(&text, '\n');
    assert_int_equal(compose_read(text.data, text.len, &c, &e), 0);
    compose_free(&c);
    text.data[text.len - 1] = 'x';
    buf_add_char(&text, '\n');
    refused(buf_text(&text), ERR_DEVICE_LIMIT);
    buf_clear(&text);
    buf_add_text(&text, "services:\n  web:\n    image: " WEB "\n");
    while (text.len <= COMPOSE_BYTES_MAX)
        buf_add_text(&text, "# filler filler filler filler\n");
    refused(buf_text(&text), ERR_DEVICE_LIMIT);
}

static void bombs_do_not_go_off(void **state)
{
    AUTO(buf) struct buf text = {0};
    (void)state;
    /* merges of merges: ten to the power of eight */
    buf_add_text(&text, "x0: &x0\n  a: b\n");
    for (int i = 1; i < 9; i++) {
        buf_addf(&text, "x%d: &x%d\n  <<: [*x%d", i, i, i - 1);
        for (int k = 0; k < 9; k++)
            buf_addf(&text, ", *x%d", i - 1);
        buf_add_text(&text, "]\n");
    }
    buf_add_text(&text, "services:\n  web:\n    <<: *x8\n");
    refused(buf_text(&text), ERR_BAD_COMPOSE);
    /* an anchor that merges itself */
    refused("services:\n  web: &w\n    <<: *w\n", ERR_BAD_COMPOSE);
    buf_clear(&text);
    buf_add_text(&text, "services: ");
    for (int i = 0; i < 4000; i++)
        buf_add_char(&text, '[');
    refused(buf_text(&text), ERR_BAD_COMPOSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_and_platforms_are_read_in_the_order_of_names),
        cmocka_unit_test(a_line_that_the_device_would_miss_is_shown),
        cmocka_unit_test(a_line_that_only_the_device_would_see_is_shown),
        cmocka_unit_test(an_image_must_be_pinned_by_its_digest),
        cmocka_unit_test(what_is_no_compose_file_is_refused),
        cmocka_unit_test(the_limits_of_the_device_hold),
        cmocka_unit_test(bombs_do_not_go_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
