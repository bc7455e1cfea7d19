/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/challenge.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"

/* RFC 9110, 5.6.2 */
static bool is_token_char(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t skip(const char *at, const char *what)
{
    return strspn(at, what);
}

static size_t token_len(const char *at)
{
    size_t n = 0;
    while (is_token_char(at[n]))
        n++;
    return n;
}

/* A token or a quoted string; the end of it, or NULL. */
static const char *read_value(const char *at, struct buf *to)
{
    if (*at != '"') {
        size_t n = token_len(at);
        buf_add(to, at, n);
        return n ? at + n : NULL;
    }
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && !*++at)
            return NULL;
        buf_add(to, at, 1);
    }
    return *at ? at + 1 : NULL;
}

static void keep(struct challenge *c, const char *name, size_t len, struct buf *value)
{
    char **field = len == 5 && !strncasecmp(name, "realm", len)     ? &c->realm
                   : len == 7 && !strncasecmp(name, "service", len) ? &c->service
                   : len == 5 && !strncasecmp(name, "scope", len)   ? &c->scope
                                                                    : NULL;
    if (field && !*field)
        *field = buf_steal_text(value);
}

/* The parameters of one challenge; where the next begins, or NULL when this one makes no sense. */
static const char *read_parameters(const char *at, struct challenge *c)
{
    for (;;) {
        AUTO(buf) struct buf value = {0};
        at += skip(at, " \t,");
        size_t len = token_len(at);
        const char *equals = at + len + skip(at + len, " \t");
        if (len == 0 || *equals != '=')
            return at;
        const char *end = read_value(equals + 1 + skip(equals + 1, " \t"), &value);
        if (!end)
            return NULL;
        keep(c, at, len, &value);
        at = end;
    }
}

static enum challenge_kind kind_of(const char *scheme, size_t len)
{
    if (len == 6 && !strncasecmp(scheme, "Bearer", len))
        return CHALLENGE_BEARER;
    return len == 5 && !strncasecmp(scheme, "Basic", len) ? CHALLENGE_BASIC : CHALLENGE_NONE;
}

bool challenge_parse(const char *header, struct challenge *ret)
{
    struct challenge best = {0};
    for (const char *at = header; at && *(at += skip(at, " \t,"));) {
        size_t len = token_len(at);
        struct challenge c = {.kind = kind_of(at, len)};
        at = len ? read_parameters(at + len, &c) : NULL;
        bool usable = at && c.kind > best.kind && (c.kind != CHALLENGE_BEARER || c.realm);
        if (usable) {
            challenge_free(&best);
            best = c;
        } else {
            challenge_free(&c);
        }
    }
    if (best.kind == CHALLENGE_NONE)
        return false;
    *ret = best;
    return true;
}

void challenge_free(struct challenge *c)
{
    free(c->realm);
    free(c->service);
    free(c->scope);
    *c = (struct challenge){0};
}
