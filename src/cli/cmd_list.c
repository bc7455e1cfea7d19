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
#include "cli/app.h"
#include "cli/print.h"

static const struct option options[] = {{0}};

static const char *state_of(const struct overview_row *row, int64_t now)
{
    if (row->packages == 0)
        return "revoked";
    if (row->expires <= now)
        return "expired";
    if (row->held_version == 0)
        return "not fetched";
    return row->held_version == row->version ? "fetched" : "newer in the cloud";
}

static void print_rows(const struct overview *o, int64_t now)
{
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
        clock_format(row->expires, until);
        printf("%-*s  %7" PRId64 "  %8zu  %8s  %-20s  %s", (int)width, buf_text(&name), row->version,
               row->packages, size, until, state_of(row, now));
        if (row->held_version && row->held_version != row->version)
            printf(" (here: version %" PRId64 ")", row->held_version);
        putchar('\n');
    }
    if (o->count == 0)
        puts("the account has no lockboxes");
}

static void print_json(const struct overview *o, int64_t now)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON *list = cJSON_AddArrayToObject(answer, "lockboxes");
    for (size_t i = 0; i < o->count; i++) {
        const struct overview_row *row = &o->rows[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", row->name);
        json_add_integer(item, "version", (int64_t)row->version);
        json_add_integer(item, "packages", (int64_t)row->packages);
        json_add_integer(item, "bytes", (int64_t)row->bytes);
        json_add_time(item, "expires", row->expires);
        cJSON_AddStringToObject(item, "state", state_of(row, now));
        json_add_integer(item, "held_version", (int64_t)row->held_version);
        cJSON_AddItemToArray(list, item);
    }
    app_print_json(answer);
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    AUTO(overview) struct overview o = {0};
    struct cloud *cloud;
    (void)values, (void)words, (void)count, (void)exit_code;
    if (app_open_store(app, e) ||
        session_open_stored(&app->store, app->profile, app->global.cacert, &cloud, e))
        return -1;
    int rc = overview_fetch(cloud, &app->store, app->profile, &o, e);
    cloud_close(cloud);
    if (rc)
        return -1;
    if (app->global.json)
        print_json(&o, app->now);
    else
        print_rows(&o, app->now);
    return 0;
}

const struct command cmd_list = {
    .name = "list",
    .words = "",
    .summary = "show the account's lockboxes and what this computer holds of them",
    .details = NULL,
    .min_words = 0,
    .max_words = 0,
    .options = options,
    .options_size = 1,
    .run = run,
};
