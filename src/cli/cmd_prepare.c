/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock prepare NAME… TO: fetch, then write.
 */
#include <cjson/cJSON.h>

#include "cli/fetch_all.h"
#include "cli/write_options.h"

static const struct option options[] = {WRITE_OPTION_ROWS, {0}};

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    const struct write_options *o = values;
    size_t failed;
    if (write_check(o, count - 1, e) || app_open_store(app, e))
        return -1;
    cJSON *fetched = cJSON_CreateArray(); /* `written` says it all */
    int rc = fetch_all(app, words, count - 1, fetched, &failed, e);
    cJSON_Delete(fetched);
    if (rc || write_all(app, o, words, count - 1, words[count - 1], exit_code, e))
        return -1;
    if (failed)
        *exit_code = EXIT_SOME_FAILED;
    return 0;
}

const struct command cmd_prepare = {
    .name = "prepare",
    .words = "NAME... TO",
    .summary = "fetch lockboxes and write them to a stick: the main job in one command",
    .details = "The same as 'airlock fetch NAME...' and then 'airlock write NAME... TO'.",
    .min_words = 2,
    .max_words = 64,
    .options = options,
    .options_size = sizeof(struct write_options),
    .run = run,
};
