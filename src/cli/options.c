/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

struct parser {
    int argc, at;
    char **argv;
    const struct option_set *sets;
    size_t set_count;
    bool *seen; /* per option, all sets in a row */
    struct err *e;
};

static size_t count_options(const struct option *options)
{
    size_t n = 0;
    while (options[n].name)
        n++;
    return n;
}

/* The option of that name, where its value goes, and its place in `seen`. */
static const struct option *find_option(const struct parser *p, const char *name, size_t len, void **ret_slot,
                                        size_t *ret_index)
{
    size_t index = 0;
    for (size_t s = 0; s < p->set_count; s++)
        for (const struct option *o = p->sets[s].options; o->name; o++, index++)
            if (strlen(o->name) == len && !memcmp(o->name, name, len)) {
                *ret_slot = (char *)p->sets[s].values + o->offset;
                *ret_index = index;
                return o;
            }
    return NULL;
}

static int parse_time(const char *name, const char *text, struct option_time *ret, struct err *e)
{
    if (!clock_parse(text, &ret->time))
        return err_set(e, ERR_BAD_TIME, "--%s '%s' is not a time", name, text);
    bool date_alone = strlen(text) == strlen("2026-11-22");
    ret->last = ret->time + (date_alone ? 86400 - 1 : 0);
    ret->given = true;
    return 0;
}

static int parse_size(const char *name, const char *text, uint64_t *ret, struct err *e)
{
    static const char units[] = "kKmMgGtT";
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;
    unsigned shift = unit ? 10 * ((unsigned)(unit - units) / 2 + 1) : 0;
    const char *rest = unit ? end + 1 : end;
    if (text[0] < '0' || text[0] > '9' || (*rest && strcmp(rest, "iB") != 0 && strcmp(rest, "B") != 0) ||
        n == 0 || n == ULLONG_MAX || n > UINT64_MAX >> shift) /* ULLONG_MAX: too many digits */
        return err_set(e, ERR_USAGE, "--%s '%s' is not a size such as 64M", name, text);
    *ret = (uint64_t)n << shift;
    return 0;
}

static int store_value(const struct option *o, void *slot, const char *value, struct err *e)
{
    switch (o->kind) {
    case OPTION_FLAG:
        *(bool *)slot = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)slot = value;
        return 0;
    case OPTION_LIST: {
        struct text_list *list = slot;
        list->items = mem_resize(list->items, list->count + 1, sizeof *list->items);
        list->items[list->count++] = value;
        return 0;
    }
    case OPTION_TIME:
        return parse_time(o->name, value, slot, e);
    case OPTION_SIZE:
        return parse_size(o->name, value, slot, e);
    }
    return 0;
}

/* One argument that begins with '-'. */
static int take_option(struct parser *p, const char *argument)
{
    bool is_long = argument[1] == '-';
    const char *name = argument + (is_long ? 2 : 1);
    const char *equals = is_long ? strchr(name, '=') : NULL;
    size_t len = equals ? (size_t)(equals - name) : strlen(name), index;
    void *slot;
    const struct option *o = find_option(p, name, len, &slot, &index);
    if (!o || (len == 1) == is_long)
        return err_set(p->e, ERR_USAGE, "unknown option '%.*s'", (int)(equals ? equals - argument : 80),
                       argument);
    if (p->seen[index] && o->kind != OPTION_LIST && o->kind != OPTION_FLAG)
        return err_set(p->e, ERR_USAGE, "--%s is given twice", o->name);
    p->seen[index] = true;
    const char *value = equals ? equals + 1 : NULL;
    if (o->kind == OPTION_FLAG && value)
        return err_set(p->e, ERR_USAGE, "--%s takes no value", o->name);
    if (o->kind != OPTION_FLAG && !value) {
        if (p->at == p->argc)
            return err_set(p->e, ERR_USAGE, "--%s needs a value (%s)", o->name, o->value);
        value = p->argv[p->at++];
    }
    return store_value(o, slot, value, p->e);
}

int options_parse(int argc, char **argv, const struct option_set *sets, size_t set_count,
                  const char ***ret_words, size_t *ret_count, struct err *e)
{
    size_t total = 0, count = 0;
    for (size_t s = 0; s < set_count; s++)
        total += count_options(sets[s].options);
    AUTO_FREE bool *seen = mem_zeroed(total, sizeof *seen);
    AUTO_FREE const char **words = mem_zeroed((size_t)argc, sizeof *words);
    struct parser p = {
        .argc = argc, .argv = argv, .sets = sets, .set_count = set_count, .seen = seen, .e = e};
    for (bool only_words = false; p.at < argc;) {
        const char *argument = argv[p.at++];
        if (only_words || argument[0] != '-' || argument[1] == '\0')
            words[count++] = argument;
        else if (!strcmp(argument, "--"))
            only_words = true;
        else if (take_option(&p, argument))
            return -1;
    }
    *ret_words = steal_ptr(words);
    *ret_count = count;
    return 0;
}

void options_free(const struct option_set *set)
{
    for (const struct option *o = set->options; o->name; o++)
        if (o->kind == OPTION_LIST) {
            struct text_list *list = (struct text_list *)(void *)((char *)set->values + o->offset);
            free(list->items);
            *list = (struct text_list){0};
        }
}
