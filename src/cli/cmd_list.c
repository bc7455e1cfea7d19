/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock list: the account's lockboxes.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "account/overview.h"
#include "account/session.h"
#include "base/clock.h"
#include "base/out.h"
#include "cli/device_options.h"
#include "cli/freshness.h"
#include "cli/print.h"

struct list_options {
    struct option_time needed_until;
};

static const struct option options[] = {
    {"needed-until", OPTION_TIME, "TIME", offsetof(struct list_options, needed_until),
     "say what ends before that time, or day"},
    {0},
};

static const char *state_of(const struct overview_row *row, int64_t now)
{
    if (row->deleted)
        return "deleted in the cloud";
    if (row->packages == 0)
        return "revoked";
    if (row->expires <= now)
        return "expired";
    if (row->held_version == 0)
        return "not fetched";
    return row->held_version == row->version ? "fetched" : "newer in the cloud";
}

static bool ends_too_soon(const struct overview_row *row, const struct option_time *needed)
{
    return needed->given && row->packages > 0 && row->expires <= needed->last;
}

static void print_rows(const struct freshness *f)
{
    const struct overview *o = &f->cloud;
    size_t width = strlen("lockbox");
    for (size_t i = 0; i < o->count; i++)
        if (strlen(o->rows[i].name) > width)
            width = strlen(o->rows[i].name);
    printf("%-*s  %7s  %8s  %8s  %-20s  %s\n", (int)width, "lockbox", "version", "packages", "size", "until",
           "on this computer");
    for (size_t i = 0; i < o->count; i++) {
        const struct overview_row *row = &o->rows[i];
        char size[OUT_SIZE_TEXT], until[CLOCK_TEXT_SIZE];
        AUTO(buf) struct buf name = {0};
        out_escape(&name, row->name, strlen(row->name));
        out_size(row->bytes, size);
        if (row->deleted)
            snprintf(until, sizeof until, "-");
        else
            clock_format(row->expires, until);
        printf("%-*s  %7" PRId64 "  %8zu  %8s  %-20s  %s", (int)width, buf_text(&name), row->version,
               row->packages, size, until, state_of(row, f->now));
        if (row->held_version && row->held_version != row->version)
            printf(" (here: version %" PRId64 ")", row->held_version);
        if (ends_too_soon(row, &f->needed_until))
            fputs(", ends too soon", stdout);
        putchar('\n');
    }
    if (o->count == 0)
        puts("the account has no lockboxes");
}

static void add_rows(cJSON *list, const struct freshness *f)
{
    for (size_t i = 0; i < f->cloud.count; i++) {
        const struct overview_row *row = &f->cloud.rows[i];
        cJSON *item = json_add_item(list);
        cJSON_AddStringToObject(item, "name", row->name);
        json_add_integer(item, "version", row->version);
        json_add_integer(item, "packages", (int64_t)row->packages);
        json_add_integer(item, "bytes", (int64_t)row->bytes);
        json_add_time(item, "expires", row->expires);
        cJSON_AddStringToObject(item, "state", state_of(row, f->now));
        cJSON_AddBoolToObject(item, "ends_too_soon", ends_too_soon(row, &f->needed_until));
        json_add_integer(item, "held_version", row->held_version);
    }
}

static void print_json(const struct freshness *f, const struct survey *there)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    add_rows(cJSON_AddArrayToObject(answer, "lockboxes"), f);
    cJSON *items = cJSON_AddArrayToObject(answer, "items");
    for (size_t i = 0; i < there->count; i++) {
        cJSON *item = json_add_item(items);
        cJSON_AddStringToObject(item, "path", there->items[i].path);
        freshness_add_json(f, &there->items[i], item);
    }
    app_print_json(answer);
}

static void print_items(const struct freshness *f, const struct survey *there)
{
    for (size_t i = 0; i < there->count; i++) {
        const struct survey_item *item = &there->items[i];
        print_text(item->path);
        if (item->verdict.lockbox) {
            fputs(": ", stdout);
            print_text(item->verdict.lockbox);
            printf(" version %" PRId64, item->verdict.lockbox_version);
        }
        putchar('\n');
        freshness_print(f, item);
    }
}

static int ask_cloud(struct app *app, struct overview *ret, struct err *e)
{
    struct cloud *cloud;
    if (session_open_stored(&app->store, app->profile, app->global.cacert, &cloud, e))
        return -1;
    int rc = overview_fetch(cloud, &app->store, app->profile, ret, e);
    cloud_close(cloud);
    return rc;
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    const struct list_options *o = values;
    AUTO(pins) struct pins pins = {0};
    AUTO(survey) struct survey there = {0};
    AUTO(freshness) struct freshness f = {.needed_until = o->needed_until, .now = app->now};
    struct survey_options how = {.metadata_only = true, .progress = app->progress};
    (void)exit_code;
    if (app_open_store(app, e) || device_options_judge(app, NULL, NULL, &pins, &how.judge, e) ||
        (count > 0 && survey_path(words[0], &how, &there, e)) || ask_cloud(app, &f.cloud, e))
        return -1;
    f.compared = pins.first[PIN_DIRECTOR].len > 0;
    if (app->global.json) {
        print_json(&f, &there);
        return 0;
    }
    print_rows(&f);
    print_items(&f, &there);
    return 0;
}

const struct command cmd_list = {
    .name = "list",
    .words = "[PATH]",
    .summary = "show the account's lockboxes and what this computer holds of them",
    .details = "With PATH, a bundle, a lockbox directory or a stick, also what is there, and whether it is "
               "stale.",
    .min_words = 0,
    .max_words = 1,
    .options = options,
    .options_size = sizeof(struct list_options),
    .run = run,
};
