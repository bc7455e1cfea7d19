/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock eject: unmounts a stick, so that it can be pulled.
 */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "cli/app.h"
#include "cli/print.h"
#include "usb-tools/eject.h"

static const struct option options[] = {{0}};

static void print_answer(const struct app *app, const struct stick *stick, bool powered_off)
{
    if (app->global.json) {
        cJSON *answer = cJSON_CreateObject();
        cJSON_AddNumberToObject(answer, "schema", 1);
        cJSON_AddStringToObject(answer, "disk", stick->disk);
        cJSON_AddBoolToObject(answer, "powered_off", powered_off);
        app_print_json(answer);
        return;
    }
    print_text(stick->disk);
    puts(powered_off ? ": unmounted and powered off; pull it" : ": unmounted; pull it");
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    AUTO(media) struct media all = {0};
    const struct stick *stick;
    bool powered_off;
    (void)values, (void)count, (void)exit_code;
    if (media_list(&all, e) || media_find(&all, words[0], &stick, e) ||
        eject_stick(&all, stick, &powered_off, e))
        return -1;
    print_answer(app, stick, powered_off);
    return 0;
}

const struct command cmd_eject = {
    .name = "eject",
    .words = "STICK",
    .summary = "flush a stick, unmount it and power it off",
    .details = "STICK is where it is mounted, or its device. Works as a normal user, through udisks2.",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .options_size = 1,
    .run = run,
};
