/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock reports status: how far a lockbox has come, with the word on which each answer rests.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "account/session.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/name.h"
#include "base/out.h"
#include "cli/print.h"
#include "cli/reports.h"
#include "report/rollout.h"

#define NAME_COLUMNS 16
#define STATE_COLUMNS 14
#define COLUMNS_LEAST 60
#define NAMES_SHOWN 3 /* of one state, in the sentence; the table has all */

/* ---- the sentence ---- */

static size_t count_machines(const struct rollout *rollout)
{
    return rollout->count - rollout->counts[ROLLOUT_NOT_MEANT];
}

/* "10 verified, 1 unverified, 1 as the cloud shows" */
static void add_words(const struct rollout *rollout, struct buf *to)
{
    size_t by_trust[READING_PERSON + 1] = {0}, by_cloud = 0;
    for (size_t i = 0; i < rollout->count && rollout->list[i].state == ROLLOUT_DONE; i++) {
        const struct rollout_machine *m = &rollout->list[i];
        if (m->source == ROLLOUT_CLOUD)
            by_cloud++;
        else
            by_trust[m->reading->trust]++;
    }
    const char *separator = " (";
    for (int trust = 0; trust <= READING_PERSON; trust++)
        if (by_trust[trust]) {
            AUTO_FREE char *word = mem_format("%s%zu %s", separator, by_trust[trust],
                                              reading_trust_text((enum reading_trust)trust));
            buf_add_text(to, word);
            separator = ", ";
        }
    if (by_cloud) {
        AUTO_FREE char *word = mem_format("%s%zu by the cloud alone", separator, by_cloud);
        buf_add_text(to, word);
        separator = ", ";
    }
    if (*separator == ',')
        buf_add_text(to, ")");
}

/* "; pump-7, pump-8, pump-11 and 2 more failed" */
static void add_state(const struct rollout *rollout, enum rollout_state state, struct buf *to)
{
    size_t shown = 0;
    for (size_t i = 0; i < rollout->count && shown < NAMES_SHOWN; i++)
        if (rollout->list[i].state == state) {
            buf_add_text(to, shown++ ? ", " : "; ");
            buf_add_text(to, rollout->list[i].name);
        }
    if (rollout->counts[state] > shown) {
        AUTO_FREE char *more = mem_format(" and %zu more", rollout->counts[state] - shown);
        buf_add_text(to, more);
    }
    if (shown) {
        buf_add_text(to, " ");
        buf_add_text(to, rollout_state_text(state));
    }
}

static void print_sentence(const struct rollout *rollout)
{
    AUTO(buf) struct buf text = {0};
    AUTO_FREE char *head =
        rollout->whole
            ? mem_format("%zu of %zu machines done", rollout->counts[ROLLOUT_DONE], count_machines(rollout))
            : mem_format("%zu of the %zu machines that were heard of done", rollout->counts[ROLLOUT_DONE],
                         count_machines(rollout));
    buf_add_text(&text, head);
    add_words(rollout, &text);
    for (int state = ROLLOUT_DONE + 1; state < ROLLOUT_STATES; state++)
        add_state(rollout, (enum rollout_state)state, &text);
    print_text(buf_text(&text));
    putchar('\n');
}

/* ---- the table ---- */

static char *ledger_cell(const struct reading *r)
{
    char time[CLOCK_TEXT_SIZE];
    bool has_code = (r->outcome == READING_FAILED || r->outcome == READING_REFUSED) && *r->code;
    clock_format(r->seen_at, time);
    return mem_format("%s, %s, %.10s", has_code ? r->code : reading_outcome_text(r->outcome),
                      reading_trust_text(r->trust), time);
}

static char *other_cell(const struct reading *r)
{
    AUTO_FREE char *cell = ledger_cell(r);
    return mem_format("of version %" PRId64 " only: %s", r->version, cell);
}

static const char *runs_text(enum goal_state runs)
{
    static const char *const texts[] = {
        [GOAL_REACHED] = "runs it",
        [GOAL_PARTLY] = "runs a part of it",
        [GOAL_OTHER] = "runs other images",
        [GOAL_NOT_MEANT] = "has no hardware for it",
        [GOAL_UNKNOWN] = "never saw it online",
    };
    return texts[runs];
}

static char *cloud_cell(const struct rollout_machine *m)
{
    if (!m->device)
        return mem_strdup("has no such device");
    return m->device->last_seen ? mem_format("%s, last seen %.10s", runs_text(m->runs), m->device->last_seen)
                                : mem_strdup(runs_text(m->runs));
}

/* The first cell goes beside the state, the second below it. */
static void print_source(const char *source, const char *cell, int columns, bool *first)
{
    AUTO_FREE char *text = mem_format("%s: %s", source, cell);
    if (!*first)
        printf("%*s", NAME_COLUMNS + STATE_COLUMNS + 4, "");
    *first = false;
    print_cell(text, columns - NAME_COLUMNS - STATE_COLUMNS - 4, false);
    putchar('\n');
}

static void print_machine(const struct rollout *rollout, const struct rollout_machine *m, int columns)
{
    bool first = true;
    print_cell(m->name, NAME_COLUMNS, true);
    fputs("  ", stdout);
    print_cell(rollout_state_text(m->state), STATE_COLUMNS, true);
    fputs("  ", stdout);
    AUTO_FREE char *ledger = m->reading ? ledger_cell(m->reading)
                             : m->other ? other_cell(m->other)
                                        : mem_strdup("no report");
    print_source("ledger", ledger, columns, &first);
    if (rollout->asked) {
        AUTO_FREE char *cloud = cloud_cell(m);
        print_source("cloud", cloud, columns, &first);
    }
}

static void print_head(const struct rollout *rollout, const struct err *why)
{
    char asked[CLOCK_TEXT_SIZE];
    fputs("lockbox ", stdout);
    print_text(rollout->lockbox);
    if (rollout->version)
        printf(" version %" PRId64 " (%s)", rollout->version,
               rollout->version_source == ROLLOUT_CLOUD ? "as in the cloud" : "as this computer fetched it");
    else
        fputs(", all versions", stdout);
    if (rollout->fleet.fleet.id) {
        clock_format(rollout->fleet.fleet.at, asked);
        fputs(", fleet ", stdout);
        print_text(rollout->fleet.fleet.name);
        if (!rollout->asked)
            printf(" as it was at %s", asked);
    }
    putchar('\n');
    if (!rollout->asked) {
        fputs("from the ledger alone: the cloud could not be asked: ", stdout);
        print_text(why->message);
        putchar('\n');
    }
}

static void print_answer(const struct rollout *rollout, const struct err *why)
{
    int columns = print_columns(COLUMNS_LEAST);
    print_head(rollout, why);
    print_sentence(rollout);
    if (rollout->count)
        printf("\n%-*s  %-*s  on whose word\n", NAME_COLUMNS, "machine", STATE_COLUMNS, "state");
    for (size_t i = 0; i < rollout->count; i++)
        print_machine(rollout, &rollout->list[i], columns);
    if (rollout->elsewhere)
        printf(
            "\nreports of it in the ledger that are of no device of this fleet, as far as can be told: %zu\n",
            rollout->elsewhere);
    if (!rollout->whole)
        puts("\nwhich machines were not heard of is not known: --fleet, or the cloud, would say");
}

/* ---- JSON ---- */

static const char *source_text(enum rollout_source source)
{
    static const char *const texts[] = {[ROLLOUT_NOBODY] = NULL,
                                        [ROLLOUT_LEDGER] = "ledger",
                                        [ROLLOUT_CLOUD] = "cloud",
                                        [ROLLOUT_BOTH] = "ledger and cloud"};
    return texts[source];
}

static void json_add_reading(cJSON *to, const struct reading *r)
{
    cJSON_AddNumberToObject(to, "report", (double)r->id);
    if (r->version < 0)
        cJSON_AddNullToObject(to, "version");
    else
        json_add_integer(to, "version", r->version);
    cJSON_AddStringToObject(to, "outcome", reading_outcome_text(r->outcome));
    cJSON_AddStringToObject(to, "code", r->code);
    cJSON_AddStringToObject(to, "proof", reading_trust_text(r->trust));
    json_add_time(to, "collected_at", r->seen_at);
}

static void json_add_machine(cJSON *list, const struct rollout *rollout, const struct rollout_machine *m)
{
    static const char *const runs[] = {[GOAL_REACHED] = "reached",
                                       [GOAL_PARTLY] = "partly",
                                       [GOAL_OTHER] = "other",
                                       [GOAL_NOT_MEANT] = "not meant",
                                       [GOAL_UNKNOWN] = "unknown"};
    const struct reading *r = m->reading ? m->reading : m->other;
    cJSON *item = json_add_item(list);
    cJSON_AddStringToObject(item, "machine", m->name);
    cJSON_AddStringToObject(item, "machine_from", m->device ? "cloud" : "ledger");
    cJSON_AddStringToObject(item, "state", rollout_state_text(m->state));
    json_add_text(item, "state_from", source_text(m->source));
    cJSON *ledger = r ? cJSON_AddObjectToObject(item, "ledger") : cJSON_AddNullToObject(item, "ledger");
    if (r) {
        json_add_reading(ledger, r);
        cJSON_AddBoolToObject(ledger, "counts", m->reading != NULL);
    }
    bool told = rollout->asked && m->device;
    cJSON *cloud = told ? cJSON_AddObjectToObject(item, "cloud") : cJSON_AddNullToObject(item, "cloud");
    if (told) {
        cJSON_AddStringToObject(cloud, "uuid", m->device->uuid);
        cJSON_AddStringToObject(cloud, "runs", runs[m->runs]);
        json_add_text(cloud, "last_seen", m->device->last_seen);
    }
}

static void print_json(const struct rollout *rollout, const struct err *why)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON_AddStringToObject(answer, "lockbox", rollout->lockbox);
    if (rollout->version)
        json_add_integer(answer, "version", rollout->version);
    else
        cJSON_AddNullToObject(answer, "version");
    json_add_text(answer, "version_from", source_text(rollout->version_source));
    json_add_text(answer, "fleet", rollout->fleet.fleet.name);
    if (rollout->fleet.fleet.id)
        json_add_time(answer, "fleet_asked_at", rollout->fleet.fleet.at);
    else
        cJSON_AddNullToObject(answer, "fleet_asked_at");
    cJSON_AddBoolToObject(answer, "cloud_asked", rollout->asked);
    json_add_text(answer, "cloud_error", rollout->asked ? NULL : err_name(why->id));
    cJSON_AddBoolToObject(answer, "all_machines", rollout->whole);
    json_add_integer(answer, "machine_count", (int64_t)count_machines(rollout));
    json_add_integer(answer, "done_count", (int64_t)rollout->counts[ROLLOUT_DONE]);
    json_add_integer(answer, "elsewhere_count", (int64_t)rollout->elsewhere);
    cJSON *list = cJSON_AddArrayToObject(answer, "machines");
    for (size_t i = 0; i < rollout->count; i++)
        json_add_machine(list, rollout, &rollout->list[i]);
    app_print_json(answer);
}

/* ---- the command ---- */

/* Where it is not known which machines there are, nobody can say that all are done. */
static int exit_code_of(const struct rollout *rollout)
{
    if (rollout->counts[ROLLOUT_FAILED] || rollout->counts[ROLLOUT_REFUSED])
        return EXIT_SOME_FAILED;
    bool all = rollout->whole && count_machines(rollout) > 0 &&
               rollout->counts[ROLLOUT_DONE] == count_machines(rollout);
    return all ? EXIT_DONE : EXIT_NOTHING;
}

int reports_status(struct app *app, const struct reports_options *o, const char **words, size_t count,
                   int *exit_code, struct err *e)
{
    AUTO_LEDGER struct ledger *l = NULL;
    AUTO(rollout) struct rollout rollout = {0};
    struct err why = {0};
    struct cloud *cloud;
    (void)words, (void)count;
    if (!o->lockbox)
        return err_set(e, ERR_USAGE, "reports status needs --lockbox NAME");
    if (name_check_role(o->lockbox, e) || reports_open_ledger(app, &l, e) ||
        reports_reach_cloud(app, &cloud, &why, e))
        return -1;
    const struct roster roster = {cloud, l, app->profile, app->now};
    int rc = rollout_load(&roster, &app->store, o->lockbox, o->fleet, &rollout, e);
    if (cloud)
        cloud_close(cloud);
    if (rc)
        return -1;
    if (app->global.json)
        print_json(&rollout, &why);
    else
        print_answer(&rollout, &why);
    *exit_code = exit_code_of(&rollout);
    return 0;
}
