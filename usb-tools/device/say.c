/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/out.h"

static void print_line(FILE *to, const char *text)
{
    AUTO(buf) struct buf shown = {0};
    out_escape(&shown, text, strlen(text));
    fprintf(to, "%s\n", buf_text(&shown));
}

void say_line(const char *format, ...)
{
    AUTO_FREE char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    print_line(stdout, text);
}

void say_error(const struct err *e)
{
    AUTO(buf) struct buf line = {0};
    const char *hint = err_hint_text(e);
    buf_addf(&line, "airlock-device: %s [%s]", e->message, err_name(e->id));
    print_line(stderr, buf_text(&line));
    if (!hint)
        return;
    fputs("  ", stderr);
    print_line(stderr, hint);
}

void say_without(const char *what, const struct err *why)
{
    AUTO(buf) struct buf line = {0};
    if (why->id == ERR_NONE)
        return;
    buf_addf(&line, "airlock-device: without %s: %s [%s]", what, why->message, err_name(why->id));
    print_line(stderr, buf_text(&line));
}

void say_passed(const char *file, const struct err *why)
{
    AUTO(buf) struct buf line = {0};
    buf_addf(&line, "%s: %s [%s]", file, why->message, err_name(why->id));
    print_line(stderr, buf_text(&line));
}
