/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock apply BUNDLE --to DIR: a bundle becomes the lockbox directory that a device installs from.
 */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "cli/device_options.h"
#include "cli/expiry.h"
#include "cli/print.h"
#include "cli/print_verdict.h"
#include "cli/volumes.h"
#include "lockbox/deliver.h"

struct apply_options {
    const char *to, *trust;
    struct text_list volumes_in;
    struct option_time needed_until;
};

static const struct option options[] = {
    {"to", OPTION_TEXT, "DIR", offsetof(struct apply_options, to),
     "the lockbox directory to make (required)"},
    {"trust", OPTION_TEXT, "DIR", offsetof(struct apply_options, trust), TRUST_HELP},
    VOLUMES_ROW(offsetof(struct apply_options, volumes_in)),
    {"needed-until", OPTION_TIME, "TIME", offsetof(struct apply_options, needed_until), NEEDED_UNTIL_HELP},
    {0},
};

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    const struct apply_options *o = values;
    AUTO(pins) struct pins pins = {0};
    AUTO(delivery) struct delivery d = {0};
    AUTO(volumes) struct volumes volumes = {.given = &o->volumes_in};
    const struct bundle_elsewhere elsewhere = volumes_elsewhere(&volumes);
    struct deliver_options how = {.needed_until = o->needed_until.given ? o->needed_until.last : INT64_MIN,
                                  .elsewhere = &elsewhere,
                                  .progress = app->progress};
    (void)count, (void)exit_code;
    if (!o->to)
        return err_set(e, ERR_USAGE, "apply needs --to DIR");
    if (app_look_store(app, e) || device_options_judge(app, o->trust, NULL, &pins, &how.judge, e))
        return -1;
    device_options_note_trust(&how.judge);
    if (deliver_apply(words[0], o->to, &how, &d, e))
        return -1;
    const struct expiry end = {d.valid_until, d.valid_until_role, d.lockbox};
    expiry_warn(&end, app->now);
    if (app->global.json) {
        cJSON *answer = cJSON_CreateObject();
        cJSON_AddNumberToObject(answer, "schema", 1);
        cJSON_AddStringToObject(answer, "lockbox", d.lockbox);
        json_add_integer(answer, "version", (int64_t)d.version);
        cJSON_AddStringToObject(answer, "path", d.places[0].path);
        json_add_integer(answer, "files", (int64_t)d.members);
        expiry_add_json(&end, answer);
        app_print_json(answer);
        return 0;
    }
    printf("%s version %lld unpacked to ", d.lockbox, (long long)d.version);
    print_text(d.places[0].path);
    printf(": %zu files, ", d.members);
    print_size(d.raw);
    puts("");
    print_needs(&d.needs);
    expiry_print(&end, app->now);
    return 0;
}

const struct command cmd_apply = {
    .name = "apply",
    .words = "BUNDLE --to DIR",
    .summary = "unpack a bundle to the directory that a device installs from",
    .details =
        "Every signature and hash is checked; DIR appears, or an older lockbox directory of that name is\n"
        "replaced, by one rename when all is there.",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .options_size = sizeof(struct apply_options),
    .run = run,
};
