/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock inspect PATH: what is inside, without unpacking or reading the payload.
 */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "cli/device_options.h"
#include "cli/own_key.h"
#include "cli/print.h"
#include "cli/print_verdict.h"

struct inspect_options {
    const char *trust;
    struct device_choice device;
    struct text_list hwids;
};

static const struct option options[] = {
    {"trust", OPTION_TEXT, "DIR", offsetof(struct inspect_options, trust), TRUST_HELP},
    {"hwid", OPTION_LIST, "ID", offsetof(struct inspect_options, hwids), HWID_HELP},
    DEVICE_ROWS(offsetof(struct inspect_options, device)),
    {0},
};

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    const struct inspect_options *o = values;
    AUTO(pins) struct pins pins = {0};
    AUTO(device_file) struct device_file device = {0};
    AUTO(survey) struct survey survey = {0};
    AUTO(signers) struct signers known = {0};
    struct survey_options how = {.metadata_only = true, .progress = app->progress};
    (void)count;
    if (app_look_store(app, e) || device_options_judge(app, o->trust, &o->hwids, &pins, &how.judge, e) ||
        device_options_read(app, &o->device, o->trust, &o->hwids, &device, &how.judge, e) ||
        signers_load(&app->store, &known, e) || survey_path(words[0], &how, &survey, e) ||
        own_key_name_signers(app, &known, &survey, e))
        return -1;
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON *items = cJSON_AddArrayToObject(answer, "items");
    for (size_t i = 0; i < survey.count; i++) {
        if (!app->global.json)
            print_verdict(&survey.items[i], app->now, app->global.verbose);
        json_verdict(&survey.items[i], json_add_item(items));
        if (!survey.items[i].opened)
            *exit_code = EXIT_REFUSED;
    }
    if (app->global.json)
        app_print_json(answer);
    else
        cJSON_Delete(answer);
    return 0;
}

const struct command cmd_inspect = {
    .name = "inspect",
    .words = "PATH",
    .summary = "show what is inside, without unpacking",
    .details = "PATH is a bundle, a lockbox directory, a squashfs image or a stick. Bundles are "
               "authenticated before anything "
               "of them is\n"
               "shown; payloads are not read: what a device would do is said going by roles and index, and\n"
               "'airlock verify' makes sure.",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .options_size = sizeof(struct inspect_options),
    .run = run,
};
