/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock reports list, show: what the ledger holds.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/out.h"
#include "cli/print.h"
#include "cli/reports.h"
#include "report/relay.h"
#include "report/revision.h"

#define DEVICE_COLUMNS 16
#define LOCKBOX_COLUMNS 15
#define FIXED_COLUMNS (4 + 2 + 10 + 2 + DEVICE_COLUMNS + 2 + LOCKBOX_COLUMNS + 2)

/* ---- the table ---- */

/* The proof in a line of its own where a terminal is too narrow for both. */
static void print_row(const struct reading *r, int columns)
{
    char time[CLOCK_TEXT_SIZE];
    AUTO_FREE char *device = reports_device_text(r);
    AUTO_FREE char *lockbox = reports_lockbox_text(r);
    AUTO_FREE char *outcome = reports_outcome_text(r);
    AUTO_FREE char *proof = reports_proof_text(r);
    AUTO_FREE char *both = mem_format("%s, %s", outcome, proof);
    bool fits = FIXED_COLUMNS + (int)strlen(both) <= columns;
    clock_format(r->seen_at, time);
    printf("%4" PRId64 "  %.10s  ", r->id, time);
    print_cell(device, DEVICE_COLUMNS, true);
    fputs("  ", stdout);
    print_cell(lockbox, LOCKBOX_COLUMNS, true);
    fputs("  ", stdout);
    print_cell(fits ? both : outcome, columns - FIXED_COLUMNS, false);
    if (!fits)
        printf("\n%*s%s", FIXED_COLUMNS, "", proof);
    putchar('\n');
}

static void print_table(const struct readings *all, const struct reports_options *o)
{
    size_t shown = 0;
    int columns = print_columns(FIXED_COLUMNS + 20);
    for (size_t i = 0; i < all->count; i++) {
        const struct reading *r = &all->list[i];
        if (!reports_is_wanted(r, o) || (r->replaced && !o->all))
            continue;
        if (shown++ == 0)
            printf("%4s  %-10s  %-*s  %-*s  %s\n", "id", "collected", DEVICE_COLUMNS, "device",
                   LOCKBOX_COLUMNS, "lockbox", "outcome, proof");
        print_row(r, columns);
    }
    if (!shown)
        puts("no report is there: that says neither that a device installed nor that it failed");
}

/* ---- JSON ---- */

/* A number, or null where it is not known. */
static void json_add_known(cJSON *to, const char *key, int64_t number)
{
    if (number < 0)
        cJSON_AddNullToObject(to, key);
    else
        json_add_integer(to, key, number);
}

static void json_reading(cJSON *to, const struct reading *r)
{
    char id[HASH_HEX_SIZE];
    hash_hex(r->sha256, id);
    json_add_integer(to, "id", r->id);
    cJSON_AddStringToObject(to, "kind", reading_kind_text(r->kind));
    json_add_time(to, "collected_at", r->seen_at);
    cJSON_AddStringToObject(to, "stick", r->stick ? r->stick : "");
    json_add_text(to, "device", r->name);
    cJSON_AddStringToObject(to, "calls_itself", r->calls_itself);
    json_add_text(to, "serial", *r->serial ? r->serial : NULL);
    json_add_known(to, "counter", r->counter);
    json_add_text(to, "lockbox", r->lockbox);
    json_add_known(to, "version", r->version);
    cJSON_AddStringToObject(to, "outcome", reading_outcome_text(r->outcome));
    cJSON_AddStringToObject(to, "code", r->code);
    cJSON_AddStringToObject(to, "text", r->text);
    cJSON_AddStringToObject(to, "proof", reading_trust_text(r->trust));
    cJSON_AddBoolToObject(to, "stale", r->stale);
    cJSON_AddBoolToObject(to, "replaced", r->replaced);
    json_add_text(to, "chain", reading_chain_text(r->chain));
    cJSON_AddStringToObject(to, "sha256", id);
}

static void json_list(const struct readings *all, const struct reports_options *o)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON *list = cJSON_AddArrayToObject(answer, "reports");
    for (size_t i = 0; i < all->count; i++)
        if (reports_is_wanted(&all->list[i], o) && (!all->list[i].replaced || o->all))
            json_reading(json_add_item(list), &all->list[i]);
    app_print_json(answer);
}

int reports_list(struct app *app, const struct reports_options *o, const char **words, size_t count,
                 int *exit_code, struct err *e)
{
    AUTO_LEDGER struct ledger *l = NULL;
    AUTO(readings) struct readings all = {0};
    (void)words, (void)count, (void)exit_code;
    if (reports_check_only(o, e) || reports_load(app, &l, &all, e) || reports_keep_fleet(app, o, l, &all, e))
        return -1;
    if (app->global.json)
        json_list(&all, o);
    else
        print_table(&all, o);
    return 0;
}

/* ---- one ---- */

static int find(const struct readings *all, const char *word, const struct reading **ret, struct err *e)
{
    char *end;
    long long id = strtoll(word, &end, 10);
    if (!*word || *end)
        return err_set(e, ERR_USAGE, "'%s' is no number of a report", word);
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].id == id) {
            *ret = &all->list[i];
            return 0;
        }
    return err_set(e, ERR_NO_SUCH_PATH, "there is no report %lld", id);
}

static void print_fact(const char *label, const char *text)
{
    print_label(label);
    print_text(text);
    putchar('\n');
}

static int print_sighting(void *ctx, const struct ledger_sighting *seen, struct err *e)
{
    char time[CLOCK_TEXT_SIZE];
    (void)ctx, (void)e;
    clock_format(seen->at, time);
    print_label("seen");
    printf("%s ", time);
    print_text(seen->stick);
    if (*seen->path)
        fputs(", ", stdout);
    print_text(seen->path);
    if (seen->row)
        printf(", row %" PRId64, seen->row);
    if (*seen->device)
        fputs(", calls itself ", stdout);
    print_text(seen->device);
    putchar('\n');
    return 0;
}

static void format_line_time(int64_t time_us, char ret[CLOCK_TEXT_SIZE])
{
    int64_t seconds = time_us / 1000000;
    if (time_us == INT64_MIN)
        snprintf(ret, CLOCK_TEXT_SIZE, "no time");
    else
        clock_format(seconds, ret);
}

static int print_line(void *ctx, int64_t time_us, const char *service, const char *message, struct err *e)
{
    char time[CLOCK_TEXT_SIZE];
    (void)ctx, (void)e;
    format_line_time(time_us, time);
    print_label("log");
    printf("%s ", time);
    print_text(service);
    fputs(": ", stdout);
    print_text(message);
    putchar('\n');
    return 0;
}

static int json_sighting(void *ctx, const struct ledger_sighting *seen, struct err *e)
{
    cJSON *one = json_add_item(ctx);
    (void)e;
    json_add_time(one, "at", seen->at);
    cJSON_AddStringToObject(one, "stick", seen->stick);
    cJSON_AddStringToObject(one, "path", seen->path);
    json_add_integer(one, "row", seen->row);
    cJSON_AddStringToObject(one, "calls_itself", seen->device);
    return 0;
}

static int json_line(void *ctx, int64_t time_us, const char *service, const char *message, struct err *e)
{
    cJSON *one = json_add_item(ctx);
    (void)e;
    if (time_us == INT64_MIN)
        cJSON_AddNullToObject(one, "time_us");
    else
        json_add_integer(one, "time_us", time_us);
    cJSON_AddStringToObject(one, "service", service);
    cJSON_AddStringToObject(one, "message", message);
    return 0;
}

/* ---- what was handed to the cloud in the device's name ---- */

static int print_relay(void *ctx, const struct ledger_relay *relay, struct err *e)
{
    char time[CLOCK_TEXT_SIZE];
    (void)ctx, (void)e;
    clock_format(relay->at, time);
    print_label("relayed");
    printf("%s %s", time, relay_outcome_text(relay->outcome));
    if (relay->status)
        printf(" (%d)", relay->status);
    if (*relay->gateway)
        fputs(", to ", stdout);
    print_text(relay->gateway);
    printf(" as %s\n", relay->uuid);
    return 0;
}

static int json_relay(void *ctx, const struct ledger_relay *relay, struct err *e)
{
    cJSON *one = json_add_item(ctx);
    AUTO(buf) struct buf answer = {0};
    (void)e;
    out_escape(&answer, relay->answer_len ? relay->answer : "", relay->answer_len);
    json_add_time(one, "at", relay->at);
    cJSON_AddStringToObject(one, "uuid", relay->uuid);
    cJSON_AddStringToObject(one, "gateway", relay->gateway);
    cJSON_AddStringToObject(one, "outcome", relay_outcome_text(relay->outcome));
    json_add_integer(one, "status", relay->status);
    cJSON_AddStringToObject(one, "answer", buf_text(&answer));
    return 0;
}

/* ---- each ECU ---- */

static enum reading_outcome ecu_outcome(const struct manifest_ecu *ecu)
{
    static const enum reading_outcome outcomes[] = {
        [MANIFEST_SILENT] = READING_NOTHING,
        [MANIFEST_INSTALLED] = READING_INSTALLED,
        [MANIFEST_PENDING] = READING_REBOOT,
        [MANIFEST_FAILED] = READING_FAILED,
    };
    return outcomes[ecu->result.outcome];
}

static void print_ecu(const struct manifest_ecu *ecu)
{
    print_fact("ECU", ecu->serial);
    print_label("");
    printf("runs ");
    print_text(ecu->image);
    printf(" (%.12s…); %s", ecu->sha256, reading_outcome_text(ecu_outcome(ecu)));
    if (ecu->result.code) {
        fputs(": ", stdout);
        print_text(ecu->result.code);
    }
    printf("; %s\n", manifest_trust_text(ecu->trust));
    if (*ecu->attacks) {
        print_label("");
        fputs("detected: ", stdout);
        print_text(ecu->attacks);
        putchar('\n');
    }
}

static void json_ecu(cJSON *list, const struct manifest_ecu *ecu)
{
    cJSON *one = json_add_item(list);
    cJSON_AddStringToObject(one, "serial", ecu->serial);
    cJSON_AddStringToObject(one, "image", ecu->image);
    cJSON_AddStringToObject(one, "sha256", ecu->sha256);
    cJSON_AddStringToObject(one, "attacks_detected", ecu->attacks);
    cJSON_AddStringToObject(one, "outcome", reading_outcome_text(ecu_outcome(ecu)));
    json_add_text(one, "code", ecu->result.code);
    json_add_text(one, "text", ecu->result.description);
    cJSON_AddStringToObject(one, "proof", manifest_trust_text(ecu->trust));
}

static void print_revision(const struct app *app, const struct reading *r)
{
    static const char *const texts[] = {
        [REVISION_UNKNOWN] = "not the version that this computer holds",
        [REVISION_SAME] = "the one that this computer fetched",
        [REVISION_OTHER] = "another one than this computer fetched under that version",
    };
    print_label("revision");
    print_text(r->correlation);
    printf(": %s\n", texts[revision_compare(&app->store, app->profile, r->correlation)]);
}

static int print_report(const struct app *app, struct ledger *l, const struct reading *r, struct err *e)
{
    AUTO_FREE char *device = reports_device_text(r);
    AUTO_FREE char *lockbox = reports_lockbox_text(r);
    AUTO_FREE char *outcome = reports_outcome_text(r);
    AUTO_FREE char *proof = reports_proof_text(r);
    printf("report %" PRId64 " (%s)\n", r->id, reading_kind_text(r->kind));
    print_fact("device", device);
    if (*r->serial)
        print_fact("serial", r->serial);
    print_fact("lockbox", lockbox);
    if (r->correlation)
        print_revision(app, r);
    print_fact("outcome", outcome);
    print_fact("proof", proof);
    if (*r->text)
        print_fact("text", r->text);
    if (r->counter >= 0) {
        print_label("counter");
        printf("%" PRId64 "\n", r->counter);
    }
    if (r->chain)
        print_fact("chain", reading_chain_text(r->chain));
    for (size_t i = 0; i < r->manifest.ecu_count; i++)
        print_ecu(&r->manifest.ecus[i]);
    return ledger_each_sighting(l, r->id, print_sighting, NULL, e) ||
                   ledger_each_relay(l, r->id, print_relay, NULL, e) ||
                   ledger_each_line(l, r->id, print_line, NULL, e)
               ? -1
               : 0;
}

static void json_revision(cJSON *to, const struct app *app, const struct reading *r)
{
    static const char *const texts[] = {
        [REVISION_UNKNOWN] = "unknown", [REVISION_SAME] = "same", [REVISION_OTHER] = "other"};
    json_add_text(to, "correlation_id", r->correlation);
    cJSON_AddStringToObject(to, "revision",
                            texts[revision_compare(&app->store, app->profile, r->correlation)]);
}

static int json_report(const struct app *app, struct ledger *l, const struct reading *r, struct err *e)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    json_reading(answer, r);
    json_revision(answer, app, r);
    cJSON *ecus = cJSON_AddArrayToObject(answer, "ecus");
    for (size_t i = 0; i < r->manifest.ecu_count; i++)
        json_ecu(ecus, &r->manifest.ecus[i]);
    cJSON *seen = cJSON_AddArrayToObject(answer, "sightings");
    cJSON *relays = cJSON_AddArrayToObject(answer, "relays");
    cJSON *lines = cJSON_AddArrayToObject(answer, "log");
    if (ledger_each_sighting(l, r->id, json_sighting, seen, e) ||
        ledger_each_relay(l, r->id, json_relay, relays, e) ||
        ledger_each_line(l, r->id, json_line, lines, e)) {
        cJSON_Delete(answer);
        return -1;
    }
    app_print_json(answer);
    return 0;
}

int reports_show(struct app *app, const struct reports_options *o, const char **words, size_t count,
                 int *exit_code, struct err *e)
{
    AUTO_LEDGER struct ledger *l = NULL;
    AUTO(readings) struct readings all = {0};
    const struct reading *r = NULL;
    (void)o, (void)count, (void)exit_code;
    if (reports_load(app, &l, &all, e) || find(&all, words[0], &r, e))
        return -1;
    return app->global.json ? json_report(app, l, r, e) : print_report(app, l, r, e);
}
