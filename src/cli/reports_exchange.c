/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock reports export, import: from one laptop to another, or into other programs. What export prints is
 * what
 * --as says, with --json as well.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/out.h"
#include "cli/print.h"
#include "cli/reports_page.h"
#include "report/exchange.h"

/* ---- import ---- */

struct import {
    size_t added, known, failed;
};

static bool is_of_line(const struct err *e)
{
    return e->id == ERR_BAD_REPORT || e->id == ERR_BAD_VEHICLE_MANIFEST || e->id == ERR_BAD_SIGNATURE;
}

static int take_lines(struct ledger *l, FILE *file, struct import *counts, struct err *e)
{
    AUTO_FREE char *line = NULL;
    size_t room = 0;
    ssize_t len;
    for (size_t number = 1; (len = getline(&line, &room, file)) > 0; number++) {
        bool is_new;
        if (exchange_take(l, line, (size_t)len, &is_new, e) == 0) {
            *(is_new ? &counts->added : &counts->known) += 1;
            continue;
        }
        err_context(e, "line %zu", number);
        if (!is_of_line(e))
            return -1;
        app_print_failure(e);
        counts->failed++;
    }
    return ferror(file) ? err_errno(e, ERR_SYSTEM, "cannot read it") : 0;
}

int reports_import(struct app *app, const struct reports_options *o, const char **words, size_t count,
                   int *exit_code, struct err *e)
{
    AUTO_LEDGER struct ledger *l = NULL;
    struct import counts = {0};
    (void)o, (void)count;
    FILE *file = fopen(words[0], "re");
    if (!file)
        return err_errno(e, ERR_NO_SUCH_PATH, "cannot open '%s'", words[0]);
    int rc = reports_open_ledger(app, &l, e) || ledger_begin(l, e) || take_lines(l, file, &counts, e) ||
                     ledger_commit(l, e)
                 ? -1
                 : 0;
    fclose(file);
    if (rc)
        return -1;
    if (counts.failed)
        *exit_code = EXIT_SOME_FAILED;
    if (!app->global.json) {
        printf("%zu new, %zu known already, %zu not read\n", counts.added, counts.known, counts.failed);
        return 0;
    }
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    json_add_integer(answer, "added", (int64_t)counts.added);
    json_add_integer(answer, "known", (int64_t)counts.known);
    json_add_integer(answer, "failed", (int64_t)counts.failed);
    app_print_json(answer);
    return 0;
}

/* ---- export ---- */

struct export
{
    struct ledger *ledger;
    const struct readings *all;
    const struct reports_options *options;
    const char *word; /* the number of one; NULL: all that are wanted */
    size_t at;        /* of the readings, which come in the ledger's order */
    size_t count;
    int (*print)(struct export * x, const struct ledger_entry *entry, const struct reading *r, struct err *e);
};

static int print_line(struct export *x, const struct ledger_entry *entry, const struct reading *r,
                      struct err *e)
{
    AUTO(buf) struct buf line = {0};
    (void)r;
    if (exchange_print(x->ledger, entry, &line, e))
        return -1;
    fwrite(line.data, 1, line.len, stdout);
    return 0;
}

static int print_bytes(struct export *x, const struct ledger_entry *entry, const struct reading *r,
                       struct err *e)
{
    (void)x;
    if (r->kind != ENTRY_MANIFEST && r->kind != ENTRY_HELPER)
        return err_set(e, ERR_USAGE, "report %" PRId64 " is nothing that a device signed", r->id);
    fwrite(entry->bytes, 1, entry->len, stdout);
    return 0;
}

/* Escaped; and what a spreadsheet would take for a formula begins with an apostrophe. */
static void print_csv_text(const char *text)
{
    AUTO(buf) struct buf shown = {0};
    out_escape(&shown, text ? text : "", text ? strlen(text) : 0);
    const char *c = buf_text(&shown);
    printf(*c && strchr("=+-@", *c) ? ",\"'" : ",\"");
    for (; *c; c++)
        printf(*c == '"' ? "\"\"" : "%c", *c);
    putchar('"');
}

static int print_csv(struct export *x, const struct ledger_entry *entry, const struct reading *r,
                     struct err *e)
{
    char time[CLOCK_TEXT_SIZE];
    (void)entry, (void)e;
    clock_format(r->seen_at, time);
    if (x->count == 1)
        puts("id,collected_at,version,counter,stale,kind,stick,device,calls_itself,serial,lockbox,outcome,"
             "code,text,"
             "proof");
    printf("%" PRId64 ",%s,%" PRId64 ",%" PRId64 ",%s", r->id, time, r->version, r->counter,
           r->stale ? "true" : "false");
    const char *const texts[] = {reading_kind_text(r->kind),
                                 r->stick,
                                 r->name,
                                 r->calls_itself,
                                 r->serial,
                                 r->lockbox,
                                 reading_outcome_text(r->outcome),
                                 r->code,
                                 r->text,
                                 reading_trust_text(r->trust)};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        print_csv_text(texts[i]);
    putchar('\n');
    return 0;
}

/* What came to the ledger since the readings were loaded is not among them, nor what is of another fleet. */
static int export_entry(void *ctx, const struct ledger_entry *entry, struct err *e)
{
    struct export *x = ctx;
    if (x->at == x->all->count || x->all->list[x->at].id != entry->id)
        return 0;
    const struct reading *r = &x->all->list[x->at++];
    if (x->word ? r->id != strtoll(x->word, NULL, 10) : !reports_is_wanted(r, x->options))
        return 0;
    x->count++;
    return x->print(x, entry, r, e);
}

static int choose_form(const struct reports_options *o, const char *word, struct export *x, struct err *e)
{
    bool bytes = o->as && !strcmp(o->as, "manifest");
    if (o->html && o->as)
        return err_set(e, ERR_USAGE, "--html is a form of its own: it goes without --as");
    if (word && (!*word || word[strspn(word, "0123456789")]))
        return err_set(e, ERR_USAGE, "'%s' is no number of a report", word);
    if (bytes && !word)
        return err_set(e, ERR_USAGE, "--as manifest needs the number of one report");
    if (bytes && isatty(STDOUT_FILENO)) {
        err_set(e, ERR_USAGE, "the bytes are a device's, and may hold what a terminal obeys");
        return err_hint(e, "airlock reports export --as manifest %s >manifest.json", word);
    }
    if (o->as && strcmp(o->as, "jsonl") != 0 && strcmp(o->as, "csv") != 0 && !bytes)
        return err_set(e, ERR_USAGE, "--as '%s' is none of jsonl, csv and manifest", o->as);
    x->print = !o->as || !strcmp(o->as, "jsonl") ? print_line : bytes ? print_bytes : print_csv;
    return 0;
}

int reports_export(struct app *app, const struct reports_options *o, const char **words, size_t count,
                   int *exit_code, struct err *e)
{
    AUTO_LEDGER struct ledger *l = NULL;
    AUTO(readings) struct readings all = {0};
    struct export x = {.all = &all, .options = o, .word = count ? words[0] : NULL};
    (void)exit_code;
    if (choose_form(o, x.word, &x, e) || reports_check_only(o, e) || reports_load(app, &l, &all, e) ||
        reports_keep_fleet(app, o, l, &all, e))
        return -1;
    x.ledger = l;
    int rc = 0;
    if (o->html)
        rc = reports_page_print(app, l, &all, o, x.word, &x.count, e);
    else if (l)
        rc = ledger_each(l, export_entry, &x, e);
    if (rc)
        return -1;
    return x.word && !x.count ? err_set(e, ERR_NO_SUCH_PATH, "there is no report '%s'", x.word) : 0;
}
