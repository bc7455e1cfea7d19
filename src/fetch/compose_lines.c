/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/compose_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct text {
    const char *at;
    size_t len;
};

struct reader {
    struct compose_lines found;
    struct compose_lines_service now; /* the service whose lines are being read */
    bool in_services;
};

static void read_line(struct reader *r, struct text line, unsigned number);
static void keep_service(struct reader *r);
static void service_free(struct compose_lines_service *s);

static int read_lines(struct reader *r, const char *at, size_t len, struct err *e)
{
    unsigned number = 0;
    for (const char *end = at + len; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct text line = {at, (size_t)((newline ? newline + 1 : end) - at)};
        number++;
        if (line.len > COMPOSE_LINE_MAX)
            return err_set(e, ERR_DEVICE_LIMIT, "line %u has %zu bytes, the device reads at most %u", number,
                           line.len, COMPOSE_LINE_MAX);
        if (r->found.count == COMPOSE_SERVICES_MAX)
            return err_set(e, ERR_TOO_LARGE, "it has more than %u services", COMPOSE_SERVICES_MAX - 1);
        read_line(r, line, number);
        at += line.len;
    }
    keep_service(r);
    return 0;
}

int compose_lines_read(const void *bytes, size_t len, struct compose_lines *ret, struct err *e)
{
    struct reader r = {0};
    if (len > COMPOSE_BYTES_MAX)
        return err_set(e, ERR_DEVICE_LIMIT, "it has %zu bytes, the device reads at most %u", len,
                       COMPOSE_BYTES_MAX);
    int rc = len ? read_lines(&r, bytes, len, e) : 0;
    service_free(&r.now);
    if (rc)
        compose_lines_free(&r.found);
    else
        *ret = r.found;
    return rc;
}

const struct compose_lines_service *compose_lines_find(const struct compose_lines *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (!strcmp(l->services[i].name.text, name))
            return &l->services[i];
    return NULL;
}

void compose_lines_free(struct compose_lines *l)
{
    for (size_t i = 0; i < l->count; i++)
        service_free(&l->services[i]);
    free(l->services);
    *l = (struct compose_lines){0};
}

static void service_free(struct compose_lines_service *s)
{
    free(s->name.text);
    free(s->image.text);
    free(s->platform.text);
    *s = (struct compose_lines_service){0};
}

static void set(struct compose_line *to, struct text value, unsigned number)
{
    free(to->text);
    *to = (struct compose_line){.text = mem_strndup(value.at, value.len), .line = number};
}

/* A service counts once it has an image; the first of a name stays. */
static void keep_service(struct reader *r)
{
    struct compose_lines *l = &r->found;
    if (!r->now.name.text || !r->now.image.text || compose_lines_find(l, r->now.name.text)) {
        service_free(&r->now);
        return;
    }
    mem_grow(&l->services, l->count, &l->room, sizeof *l->services);
    l->services[l->count++] = r->now;
    r->now = (struct compose_lines_service){0};
}

/* What the regular expressions of the client call \s. */
static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

static struct text trim_end(struct text line)
{
    while (line.len > 0 && is_space(line.at[line.len - 1]))
        line.len--;
    return line;
}

/* `indent` spaces, a key, a colon, nothing else. */
static bool is_key(struct text line, size_t indent, struct text *ret)
{
    line = trim_end(line);
    if (line.len < indent + 2 || line.at[line.len - 1] != ':')
        return false;
    for (size_t i = 0; i < line.len - 1; i++)
        if (i < indent ? line.at[i] != ' ' : !is_key_char(line.at[i]))
            return false;
    *ret = (struct text){line.at + indent, line.len - 1 - indent};
    return true;
}

/* Four spaces, the key, a colon, one value. Quotes are taken off where both are there. */
static bool is_value_of(const char *key, struct text line, struct text *ret)
{
    size_t start = strlen(key);
    line = trim_end(line);
    if (line.len < start || memcmp(line.at, key, start) != 0)
        return false;
    while (start < line.len && is_space(line.at[start]))
        start++;
    struct text value = {line.at + start, line.len - start};
    if (value.len == 0)
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (is_space(value.at[i]))
            return false;
    if (value.len >= 3 && value.at[0] == '"' && value.at[value.len - 1] == '"')
        value = (struct text){value.at + 1, value.len - 2};
    *ret = value;
    return true;
}

/* A second "services:" makes the client forget the first. */
static void enter_services(struct reader *r)
{
    service_free(&r->now);
    compose_lines_free(&r->found);
    r->found.has_services = true;
}

static void read_line(struct reader *r, struct text line, unsigned number)
{
    static const char services[] = "services";
    struct text found;
    if (is_key(line, 0, &found)) {
        r->in_services = found.len == strlen(services) && memcmp(found.at, services, strlen(services)) == 0;
        if (r->in_services)
            enter_services(r);
        else
            keep_service(r);
    } else if (!r->in_services) {
        return;
    } else if (is_key(line, 2, &found)) {
        keep_service(r);
        set(&r->now.name, found, number);
    } else if (is_value_of("    image:", line, &found)) {
        set(&r->now.image, found, number);
    } else if (is_value_of("    platform:", line, &found)) {
        set(&r->now.platform, found, number);
    }
}
