/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock remove BUNDLE…: a bundle with its volumes, if nobody needs them.
 */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "cli/batch.h"
#include "cli/print.h"
#include "lockbox/deliver.h"

static const struct option options[] = {{0}};

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    AUTO(batch) struct batch batch = batch_begin(app, count);
    (void)values;
    for (size_t i = 0; i < count; i++) {
        if (deliver_removal(words[i], e)) {
            batch_fail(&batch, words[i], NULL, e);
            continue;
        }
        if (!app->global.json) {
            print_text(words[i]);
            puts(": removed");
        }
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "path", words[i]);
        cJSON_AddItemToArray(batch.done, item);
    }
    return batch_end(&batch, "removed", exit_code, e);
}

const struct command cmd_remove = {
    .name = "remove",
    .words = "BUNDLE...",
    .summary = "remove bundles with their volumes",
    .details =
        "BUNDLE is a bundle's head, x.lockbox. It goes first, then its volumes, so that nothing half is "
        "left.\n"
        "A bundle of which another one beside it borrows contents is not removed (see 'airlock repack').",
    .min_words = 1,
    .max_words = 64,
    .options = options,
    .options_size = 1,
    .run = run,
};
