/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock sign BUNDLE: one more signature, by this computer's key.
 */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "cli/device_options.h"
#include "cli/own_key.h"
#include "cli/print.h"
#include "lockbox/deliver.h"

struct sign_options {
    const char *comment, *trust;
};

static const struct option options[] = {
    {"comment", OPTION_TEXT, "TEXT", offsetof(struct sign_options, comment),
     "signed with it and shown by 'verify', at most 1 KiB"},
    {"trust", OPTION_TEXT, "DIR", offsetof(struct sign_options, trust), TRUST_HELP},
    {0},
};

static void print_answer(const struct app *app, const char *bundle, const struct delivery *d,
                         const struct sign_key *key)
{
    char fingerprint[SIGN_FINGERPRINT_TEXT];
    sign_fingerprint(key->public_key, fingerprint);
    if (!app->global.json) {
        printf("%s version %lld signed: ", d->lockbox, (long long)d->version);
        print_text(bundle);
        putchar('\n');
        print_label("by");
        printf("key %s\n", fingerprint);
        return;
    }
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON_AddStringToObject(answer, "lockbox", d->lockbox);
    json_add_integer(answer, "version", d->version);
    cJSON_AddStringToObject(answer, "path", bundle);
    cJSON_AddStringToObject(answer, "fingerprint", fingerprint);
    json_add_hash(answer, "public_key", key->public_key);
    app_print_json(answer);
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    const struct sign_options *o = values;
    AUTO(pins) struct pins pins = {0};
    AUTO(own_signer) struct own_signer signer = {.app = app};
    AUTO(delivery) struct delivery d = {0};
    struct deliver_options how = {
        .needed_until = INT64_MIN, .signer = own_signer(&signer), .progress = app->progress};
    (void)count, (void)exit_code;
    if (app_open_store(app, e) || device_options_judge(app, o->trust, NULL, &pins, &how.judge, e))
        return -1;
    device_options_note_trust(&how.judge);
    if (deliver_signature(words[0], o->comment ? o->comment : "", &how, &d, e))
        return -1;
    print_answer(app, words[0], &d, &signer.key);
    return 0;
}

const struct command cmd_sign = {
    .name = "sign",
    .words = "BUNDLE",
    .summary = "add this computer's signature to a bundle",
    .details =
        "Everything in the bundle is verified first; what a device would refuse is not signed. Other keys'\n"
        "signatures stay, an earlier one by this key is replaced. The head alone is written anew; payload\n"
        "volumes stay as they are. A single file is written anew as a whole.",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .options_size = sizeof(struct sign_options),
    .run = run,
};
