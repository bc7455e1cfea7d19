/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock repack BUNDLE [TO]: the same contents in a bundle of one's own.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

#include "cli/device_options.h"
#include "cli/own_key.h"
#include "cli/print.h"
#include "lockbox/deliver.h"
#include "lockbox/place.h"

struct repack_options {
    bool single;
    uint64_t memory, volume_size;
    const char *trust;
};

static const struct option options[] = {
    {"single", OPTION_FLAG, NULL, offsetof(struct repack_options, single), "one file, no volumes"},
    {"volume-size", OPTION_SIZE, "SIZE", offsetof(struct repack_options, volume_size),
     "begin a new volume before that many bytes (default 4000M)"},
    {"memory", OPTION_SIZE, "SIZE", offsetof(struct repack_options, memory),
     "memory for compressing (default 48M)"},
    {"trust", OPTION_TEXT, "DIR", offsetof(struct repack_options, trust), TRUST_HELP},
    {0},
};

static void print_answer(const struct app *app, const struct delivery *d, const struct sign_key *key)
{
    char fingerprint[SIGN_FINGERPRINT_TEXT];
    sign_fingerprint(key->public_key, fingerprint);
    if (!app->global.json) {
        printf("%s version %" PRId64 " written to ", d->lockbox, d->version);
        print_text(d->places[0].path);
        putchar('\n');
        print_label("size");
        print_size(d->places[0].stored);
        fputs(" on the medium, read back and right\n", stdout);
        print_label("by");
        printf("key %s, in the place of whoever signed it before\n", fingerprint);
        return;
    }
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON_AddStringToObject(answer, "lockbox", d->lockbox);
    json_add_integer(answer, "version", d->version);
    cJSON_AddStringToObject(answer, "path", d->places[0].path);
    json_add_integer(answer, "stored_bytes", (int64_t)d->places[0].stored);
    cJSON_AddStringToObject(answer, "fingerprint", fingerprint);
    cJSON_AddBoolToObject(answer, "still_lends", d->still_lends);
    app_print_json(answer);
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    const struct repack_options *o = values;
    AUTO(pins) struct pins pins = {0};
    AUTO(own_signer) struct own_signer signer = {.app = app};
    AUTO(delivery) struct delivery d = {0};
    struct deliver_options how = {.single = o->single,
                                  .memory = o->memory,
                                  .volume_bytes = o->volume_size,
                                  .needed_until = INT64_MIN,
                                  .signer = own_signer(&signer),
                                  .progress = app->progress};
    (void)exit_code;
    if (o->single && o->volume_size)
        return err_set(e, ERR_USAGE, "--single makes one file, --volume-size several");
    if ((count > 1 && place_check(words[1], true, e)) || app_open_store(app, e) ||
        device_options_judge(app, o->trust, NULL, &pins, &how.judge, e))
        return -1;
    device_options_note_trust(&how.judge);
    if (deliver_repacked(words[0], count > 1 ? words[1] : NULL, &how, &d, e))
        return -1;
    print_answer(app, &d, &signer.key);
    if (d.still_lends)
        app_note(app, "the shared bundle stays: another one borrows contents of it");
    return 0;
}

const struct command cmd_repack = {
    .name = "repack",
    .words = "BUNDLE [TO]",
    .summary = "make a bundle anew: whole, or cut in another way",
    .details =
        "A bundle that shares contents with others (write --share) is made whole and takes its place, so "
        "that it\n"
        "can be copied, and the others removed. Any bundle can be cut into other volumes. Everything in it "
        "is\n"
        "verified first. It is signed by this computer's key; other signatures are over other bytes, and go.",
    .min_words = 1,
    .max_words = 2,
    .options = options,
    .options_size = sizeof(struct repack_options),
    .run = run,
};
