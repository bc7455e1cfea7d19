/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock prepare NAME… TO…: fetch, then write.
 */
#include "cli/fetch_all.h"
#include "cli/write_options.h"

struct prepare_options {
    struct write_options write; /* first, as WRITE_OPTION_ROWS asks */
    struct container_values containers;
};

static const struct option options[] = {
    WRITE_OPTION_ROWS, CONTAINER_VALUE_ROWS(offsetof(struct prepare_options, containers)), {0}};

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    const struct prepare_options *o = values;
    const struct fetch_how how = {.trust_dir = o->write.trust, .containers = &o->containers};
    const struct write_words w = write_take_words(words, count);
    AUTO(base) struct base base = {0};
    AUTO(batch) struct batch batch = batch_begin(app, w.name_count * w.place_count);
    if (write_check(&o->write, &w, e) || app_open_store(app, e) ||
        write_load_base(app, &o->write, &w, &base, e) ||
        fetch_all(app, &how, w.names, w.name_count, false, &batch, e) ||
        write_all(app, &o->write, &base, &w, &batch, e))
        return -1;
    return batch_end(&batch, o->write.dry_run ? "planned" : "written", exit_code, e);
}

const struct command cmd_prepare = {
    .name = "prepare",
    .words = "NAME... TO...",
    .summary = "fetch lockboxes and write them to a stick: the main job in one command",
    .details = "The same as 'airlock fetch NAME...' and then 'airlock write NAME... TO...'.",
    .min_words = 2,
    .max_words = 64,
    .options = options,
    .options_size = sizeof(struct prepare_options),
    .run = run,
};
