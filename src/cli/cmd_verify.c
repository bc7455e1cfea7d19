/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock verify PATH: will the device install this?
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "cli/device_options.h"
#include "cli/image_key.h"
#include "cli/own_key.h"
#include "cli/print.h"
#include "cli/print_verdict.h"
#include "cli/volumes.h"

struct verify_options {
    const char *trust, *require_signer, *squashfs_key;
    struct device_choice device;
    struct text_list hwids, volumes_in;
    struct option_time needed_until;
};

static const struct option options[] = {
    {"trust", OPTION_TEXT, "DIR", offsetof(struct verify_options, trust), TRUST_HELP},
    {"hwid", OPTION_LIST, "ID", offsetof(struct verify_options, hwids), HWID_HELP},
    DEVICE_ROWS(offsetof(struct verify_options, device)),
    VOLUMES_ROW(offsetof(struct verify_options, volumes_in)),
    {"needed-until", OPTION_TIME, "TIME", offsetof(struct verify_options, needed_until), NEEDED_UNTIL_HELP},
    {"require-signer", OPTION_TEXT, "KEY", offsetof(struct verify_options, require_signer),
     "a bundle must be signed by this key: 64 hexadecimal digits, the fingerprint, or a trusted key's name"},
    {"squashfs-key", OPTION_TEXT, "FILE", offsetof(struct verify_options, squashfs_key), SQUASHFS_KEY_HELP},
    {0},
};

/* Before the stick is read, which takes a while: is KEY mistyped? */
static int check_signer_text(const char *text, const struct signers *known, struct err *e)
{
    uint8_t key[SIGN_PUBLIC_SIZE];
    char fingerprint[SIGN_FINGERPRINT_TEXT];
    if (signers_named(known, text) || hex_decode(text, strlen(text), key, sizeof key) ||
        sign_read_fingerprint(text, fingerprint))
        return 0;
    err_set(e, ERR_USAGE,
            "--require-signer '%s' is neither a key nor a fingerprint, nor the name of a trusted key", text);
    return err_hint(e, "a character is missing or mistyped: compare it again with whoever packed the bundle");
}

/* KEY as the signer of one of the items: the key itself, the name of one that is trusted, or the fingerprint
 * that people compare. */
static int find_signer(const char *text, const struct signers *known, const struct survey *c,
                       uint8_t ret[SIGN_PUBLIC_SIZE], struct err *e)
{
    char wanted[SIGN_FINGERPRINT_TEXT];
    const struct signer *named = signers_named(known, text);
    if (named) {
        memcpy(ret, named->public_key, SIGN_PUBLIC_SIZE);
        return 0;
    }
    if (hex_decode(text, strlen(text), ret, SIGN_PUBLIC_SIZE))
        return 0;
    if (!sign_read_fingerprint(text, wanted))
        return err_set(e, ERR_INTERNAL, "a signer that was not checked");
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->items[i].signer_count; k++) {
            char fingerprint[SIGN_FINGERPRINT_TEXT];
            sign_fingerprint(c->items[i].signers[k].public_key, fingerprint);
            if (!strcmp(fingerprint, wanted)) {
                memcpy(ret, c->items[i].signers[k].public_key, SIGN_PUBLIC_SIZE);
                return 0;
            }
        }
    return err_set(e, ERR_BUNDLE_SIGNER, "no bundle there is packed by the key '%s'", wanted);
}

static void require_signer(struct survey *c, const uint8_t key[SIGN_PUBLIC_SIZE])
{
    for (size_t i = 0; i < c->count; i++)
        survey_require_signer(&c->items[i], key);
}

/* On that day by the true time, and by the device's own where that is ahead. */
static void require_date(struct survey *c, const struct device *device, int64_t until)
{
    char needed[CLOCK_TEXT_SIZE], ends[CLOCK_TEXT_SIZE], shown[CLOCK_TEXT_SIZE];
    int64_t there = device ? device_now(device, until) : until;
    clock_format(there, shown);
    clock_format(until, needed);
    for (size_t i = 0; i < c->count; i++) {
        struct verdict *v = &c->items[i].verdict;
        clock_format(v->valid_until, ends);
        if (v->valid_until <= until)
            judge_add_unmet(v, ERR_EXPIRES_TOO_SOON, v->valid_until_role, "%s ends at %s, needed until %s",
                            v->valid_until_role, ends, needed);
        else if (v->valid_until <= there)
            judge_add_unmet(v, ERR_EXPIRES_TOO_SOON, v->valid_until_role,
                            "%s ends at %s, needed until %s, when the device's clock says %s",
                            v->valid_until_role, ends, needed, shown);
    }
}

static void print_answer(const struct app *app, const struct survey *c)
{
    if (!app->global.json) {
        for (size_t i = 0; i < c->count; i++)
            print_verdict(&c->items[i], app->now, app->global.verbose);
        return;
    }
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    if (c->is_stick) {
        cJSON *items = cJSON_AddArrayToObject(answer, "items");
        for (size_t i = 0; i < c->count; i++)
            json_verdict(&c->items[i], json_add_item(items));
    } else {
        json_verdict(&c->items[0], answer);
    }
    app_print_json(answer);
}

static bool is_installed(const struct verdict *v)
{
    for (size_t i = 0; i < v->problem_count; i++)
        if (v->problems[i].id == ERR_ALREADY_INSTALLED)
            return true;
    return false;
}

/* Refused beats nothing to do, which beats good. What is installed already is good. */
static int judge_exit(const struct survey *c)
{
    int code = EXIT_DONE;
    for (size_t i = 0; i < c->count; i++) {
        const struct verdict *v = &c->items[i].verdict;
        if (!v->valid || v->outcome == VERDICT_REFUSE || judge_is_unmet(v))
            return EXIT_REFUSED;
        if (v->outcome == VERDICT_NOTHING && !is_installed(v))
            code = EXIT_NOTHING;
    }
    return code;
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    const struct verify_options *o = values;
    AUTO(pins) struct pins pins = {0};
    AUTO(device_file) struct device_file device = {0};
    AUTO(survey) struct survey survey = {0};
    AUTO(signers) struct signers known = {0};
    uint8_t signer[SIGN_PUBLIC_SIZE];
    AUTO(volumes) struct volumes volumes = {.given = &o->volumes_in};
    const struct bundle_elsewhere elsewhere = volumes_elsewhere(&volumes);
    struct survey_options how = {.progress = app->progress, .elsewhere = &elsewhere};
    AUTO(image_key) struct image_key key = {0};
    (void)count;
    if (image_key_load(&key, o->squashfs_key, &how, e) || app_look_store(app, e) ||
        signers_load(&app->store, &known, e) ||
        (o->require_signer && check_signer_text(o->require_signer, &known, e)))
        return -1;
    if (device_options_judge(app, o->trust, &o->hwids, &pins, &how.judge, e) ||
        device_options_read(app, &o->device, o->trust, &o->hwids, &device, &how.judge, e) ||
        survey_path(words[0], &how, &survey, e) || own_key_name_signers(app, &known, &survey, e))
        return -1;
    if (o->require_signer) {
        if (find_signer(o->require_signer, &known, &survey, signer, e))
            return -1;
        require_signer(&survey, signer);
    }
    if (o->needed_until.given)
        require_date(&survey, how.judge.device, o->needed_until.last);
    print_answer(app, &survey);
    *exit_code = judge_exit(&survey);
    return 0;
}

const struct command cmd_verify = {
    .name = "verify",
    .words = "PATH",
    .summary = "say whether a device would install what is there",
    .details = "PATH is a bundle (x.lockbox), a lockbox directory (with metadata/ and images/), a squashfs "
               "image of one,\n"
               "or a stick that carries some. Every signature, hash and date is checked, then what a device "
               "would do is said: it "
               "would install\n"
               "it, refuse it, or find nothing to do. Exit code 0: valid, and the device would install it "
               "or has it\n"
               "installed; 3: refused; 4: nothing for this device.",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .options_size = sizeof(struct verify_options),
    .run = run,
};
