/* SPDX-License-Identifier: Apache-2.0 */
#include "report/notes_block.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#define BEGIN "[begin of what airlock reports]"
#define END "[end of what airlock reports]"

/* Between the lines; Markdown makes a table of it. */
static const char heading[] =
    "\n\n**Courier-reported**: a technician carried this on a stick; the device did not send it.\n\n"
    "| report | lockbox | version | outcome | result | on whose word | collected (UTC) | id |\n"
    "|---|---|---|---|---|---|---|---|\n";

static const char *const bases[] = {[NOTES_VERIFIED] = "verified",
                                    [NOTES_HELPER] = "verified helper",
                                    [NOTES_UNVERIFIED] = "unverified",
                                    [NOTES_TECHNICIAN] = "technician-reported"};
static const char *const outcomes[] = {
    [NOTES_INSTALLED] = "installed",       [NOTES_FAILED] = "failed",
    [NOTES_REBOOT] = "waits for a reboot", [NOTES_UNDER_WAY] = "begun, end not known",
    [NOTES_REFUSED] = "refused",           [NOTES_OTHER] = "other"};
/* Result codes of the device's client, and ours for others. */
static const char *const codes[] = {"OK",
                                    "ALREADY_PROCESSED",
                                    "VERIFICATION_FAILED",
                                    "INSTALL_FAILED",
                                    "DOWNLOAD_FAILED",
                                    "INTERNAL_ERROR",
                                    "GENERAL_ERROR",
                                    "NEED_COMPLETION",
                                    "CUSTOM_ERROR",
                                    "OPERATION_CANCELLED",
                                    "CONSENT_REFUSED",
                                    "OTHER"};

#define COLUMNS 8

/* ---- rows ---- */

static bool is_one_of(const char *text, const char *const *list, size_t count, size_t *ret)
{
    for (*ret = 0; *ret < count; ++*ret)
        if (!strcmp(text, list[*ret]))
            return true;
    return false;
}

void notes_row_set_code(struct notes_row *row, const char *code)
{
    size_t at;
    const char *known = !code || !*code                                ? ""
                        : is_one_of(code, codes, COUNT_OF(codes), &at) ? codes[at]
                                                                       : "OTHER";
    memcpy(row->code, known, strlen(known) + 1);
}

static bool is_lockbox(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t len = strlen(text);
    return len <= NOTES_LOCKBOX_MAX && strspn(text, allowed) == len;
}

void notes_row_set_lockbox(struct notes_row *row, const char *lockbox)
{
    const char *shown = lockbox && is_lockbox(lockbox) ? lockbox : "";
    memcpy(row->lockbox, shown, strlen(shown) + 1);
}

static struct notes_row *find(const struct notes_rows *r, const char *key)
{
    for (size_t i = 0; i < r->count; i++)
        if (!strcmp(r->list[i].key, key))
            return &r->list[i];
    return NULL;
}

static void add(struct notes_rows *r, const struct notes_row *row)
{
    struct notes_row *same = find(r, row->key);
    if (!same) {
        mem_grow(&r->list, r->count, &r->room, sizeof *r->list);
        r->list[r->count++] = *row;
        return;
    }
    int64_t earlier = same->at < row->at ? same->at : row->at;
    if (row->basis < same->basis) /* what one laptop has a key for, the other may not */
        *same = *row;
    same->at = earlier;
}

static int compare_rows(const void *a_, const void *b_)
{
    const struct notes_row *a = a_, *b = b_;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    if (a->counter != b->counter)
        return a->counter < b->counter ? -1 : 1;
    return strcmp(a->key, b->key);
}

/* The best basis first, the newest first within it: anybody can bring many reports that nobody can verify,
 * and they must not push out the others. */
static int compare_worth(const void *a_, const void *b_)
{
    const struct notes_row *a = a_, *b = b_;
    if (a->basis != b->basis)
        return a->basis < b->basis ? -1 : 1;
    return compare_rows(b, a);
}

/* ---- to text and back ---- */

static void add_number(struct buf *to, int64_t n)
{
    if (n >= 0)
        buf_addf(to, "%" PRId64, n);
}

static void add_row(struct buf *to, const struct notes_row *row)
{
    char at[CLOCK_TEXT_SIZE];
    clock_format(row->at, at);
    buf_add_text(to, "| ");
    add_number(to, row->counter);
    buf_addf(to, " | %s | ", row->lockbox);
    add_number(to, row->version);
    buf_addf(to, " | %s | %s | %s | %s | %s |\n", outcomes[row->outcome], row->code, bases[row->basis], at,
             row->key);
}

/* The first `count` rows, in the order of time. */
static void add_block(struct buf *to, const struct notes_rows *r, size_t count)
{
    AUTO_FREE struct notes_row *shown = mem_zeroed(count, sizeof *shown);
    memcpy(shown, r->list, count * sizeof *shown);
    qsort(shown, count, sizeof *shown, compare_rows);
    buf_add_text(to, BEGIN);
    buf_add_text(to, heading);
    for (size_t i = 0; i < count; i++)
        add_row(to, &shown[i]);
    buf_add_text(to, "\n" END);
}

/* The text of the next cell, in place. */
static bool next_cell(char **at, char **ret)
{
    char *end = strchr(*at, '|');
    if (!end)
        return false;
    *end = '\0';
    *ret = *at + strspn(*at, " ");
    for (char *last = end; last > *ret && last[-1] == ' ';)
        *--last = '\0';
    *at = end + 1;
    return true;
}

/* "" for -1. */
static bool read_number(const char *text, int64_t *ret)
{
    char *end;
    *ret = -1;
    if (!*text)
        return true;
    if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 18)
        return false;
    *ret = strtoll(text, &end, 10);
    return true;
}

static bool read_row(char *line, struct notes_row *ret)
{
    char *cells[COLUMNS], *at = line, *before;
    size_t outcome, basis, code;
    if (!next_cell(&at, &before) || *before)
        return false;
    for (size_t i = 0; i < COLUMNS; i++)
        if (!next_cell(&at, &cells[i]))
            return false;
    if (*at || !read_number(cells[0], &ret->counter) || !is_lockbox(cells[1]) ||
        !read_number(cells[2], &ret->version) ||
        !is_one_of(cells[3], outcomes, COUNT_OF(outcomes), &outcome) ||
        (*cells[4] && !is_one_of(cells[4], codes, COUNT_OF(codes), &code)) ||
        !is_one_of(cells[5], bases, COUNT_OF(bases), &basis) || !clock_parse(cells[6], &ret->at) ||
        strlen(cells[7]) != sizeof ret->key - 1 ||
        strspn(cells[7], "0123456789abcdef") != sizeof ret->key - 1)
        return false;
    ret->outcome = (enum notes_outcome)outcome;
    ret->basis = (enum notes_basis)basis;
    notes_row_set_lockbox(ret, cells[1]);
    notes_row_set_code(ret, cells[4]);
    memcpy(ret->key, cells[7], sizeof ret->key);
    return true;
}

static int not_ours(struct err *e, const char *why)
{
    return err_set(e, ERR_NOTES_BLOCK, "the device's notes have %s", why);
}

/* What add_block() wrote, and nothing else. */
static int read_block(const char *text, size_t len, struct notes_rows *ret, struct err *e)
{
    AUTO_FREE char *copy = mem_strndup(text, len);
    char *at = copy;
    if (strncmp(at, heading, strlen(heading)) != 0)
        return not_ours(e, "a block of airlock's with another heading");
    for (at += strlen(heading); *at && *at != '\n';) {
        struct notes_row row = {0};
        char *end = strchr(at, '\n');
        if (!end)
            return not_ours(e, "a block of airlock's that somebody changed");
        *end = '\0';
        if (!read_row(at, &row))
            return not_ours(e, "a block of airlock's that somebody changed");
        add(ret, &row);
        at = end + 1;
    }
    return strcmp(at, "\n") ? not_ours(e, "a block of airlock's that somebody changed") : 0;
}

/* ---- the notes around it ---- */

struct notes {
    size_t before; /* bytes in front of the block */
    const char *after;
    bool has_block;
};

static int find_block(const char *text, struct notes *ret, struct notes_rows *rows, struct err *e)
{
    const char *begin = strstr(text, BEGIN), *end = strstr(text, END);
    *ret = (struct notes){.before = strlen(text), .after = ""};
    if (!begin && !end)
        return 0;
    if (!begin || !end || end < begin || strstr(begin + 1, BEGIN) || strstr(end + 1, END))
        return not_ours(e, "half a block of airlock's, or more than one");
    *ret = (struct notes){.before = (size_t)(begin - text), .after = end + strlen(END), .has_block = true};
    return read_block(begin + strlen(BEGIN), (size_t)(end - begin) - strlen(BEGIN), rows, e);
}

int notes_block_read(const char *notes, struct notes_rows *ret, struct err *e)
{
    AUTO(notes_rows) struct notes_rows rows = {0};
    struct notes around;
    if (find_block(notes, &around, &rows, e))
        return -1;
    *ret = rows;
    rows = (struct notes_rows){0};
    return 0;
}

static void compose(const char *text, const struct notes *n, const struct notes_rows *rows, size_t count,
                    struct buf *to)
{
    buf_clear(to);
    buf_add(to, text, n->before);
    if (!n->has_block && n->before > 0) /* a table begins after an empty line */
        buf_add_text(to, text[n->before - 1] == '\n' ? "\n" : "\n\n");
    add_block(to, rows, count);
    buf_add_text(to, n->has_block ? n->after : "\n");
}

int notes_block_merge(const char *notes, const struct notes_rows *rows, size_t limit, char **ret,
                      struct err *e)
{
    AUTO(notes_rows) struct notes_rows all = {0};
    AUTO(buf) struct buf text = {0};
    struct notes around;
    if (find_block(notes, &around, &all, e))
        return -1;
    for (size_t i = 0; i < rows->count; i++)
        add(&all, &rows->list[i]);
    if (all.count == 0) {
        *ret = mem_strdup(notes);
        return 0;
    }
    qsort(all.list, all.count, sizeof *all.list, compare_worth);
    size_t count = all.count < NOTES_ROWS_MAX ? all.count : NOTES_ROWS_MAX;
    compose(notes, &around, &all, count, &text);
    while (text.len > limit && count > 1)
        compose(notes, &around, &all, --count, &text);
    if (text.len > limit)
        return err_set(e, ERR_TOO_LARGE, "the device's notes are full: %zu bytes of %zu", strlen(notes),
                       limit);
    *ret = buf_steal_text(&text);
    return 0;
}

void notes_rows_free(struct notes_rows *r)
{
    free(r->list);
    *r = (struct notes_rows){0};
}
