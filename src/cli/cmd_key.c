/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock key new | show | export | trust NAME KEY | forget NAME: who signs bundles here, and whose
 * signatures are known.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/hex.h"
#include "base/mem.h"
#include "cli/own_key.h"
#include "cli/print.h"

static const struct option options[] = {{0}};

#define EXPORT_PREFIX "airlock-ed25519-public:" /* then 64 digits, and a newline */
#define EXPORT_BYTES_MAX 256u

/* ---- in words and JSON ---- */

static void print_key(const char *label, const uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    char fingerprint[SIGN_FINGERPRINT_TEXT], hex[2 * SIGN_PUBLIC_SIZE + 1];
    sign_fingerprint(public_key, fingerprint);
    hex_encode(public_key, SIGN_PUBLIC_SIZE, hex);
    printf("%s\n", label);
    print_label("fingerprint");
    puts(fingerprint);
    print_label("key");
    puts(hex);
}

static void json_key(cJSON *to, const uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    char fingerprint[SIGN_FINGERPRINT_TEXT];
    sign_fingerprint(public_key, fingerprint);
    cJSON_AddStringToObject(to, "fingerprint", fingerprint);
    json_add_hash(to, "public_key", public_key);
}

static void print_all(const struct sign_key *own, const struct signers *known)
{
    if (own)
        print_key("this computer", own->public_key);
    else
        puts("this computer has no key yet; 'airlock write' or 'airlock key new' makes one");
    for (size_t i = 0; i < known->count; i++) {
        AUTO_FREE char *label = mem_format("trusted as '%s'", known->list[i].name);
        print_key(label, known->list[i].public_key);
    }
}

static void json_all(const struct sign_key *own, const struct signers *known)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    if (own)
        json_key(cJSON_AddObjectToObject(answer, "own"), own->public_key);
    else
        cJSON_AddNullToObject(answer, "own");
    cJSON *list = cJSON_AddArrayToObject(answer, "trusted");
    for (size_t i = 0; i < known->count; i++) {
        cJSON *signer = json_add_item(list);
        cJSON_AddStringToObject(signer, "name", known->list[i].name);
        json_key(signer, known->list[i].public_key);
    }
    app_print_json(answer);
}

/* ---- the subcommands ---- */

static int show(struct app *app, const char **words, struct err *e)
{
    AUTO(sign_key) struct sign_key own = {0};
    AUTO(signers) struct signers known = {0};
    (void)words;
    if (app_look_store(app, e))
        return -1;
    bool has_own = own_key_load(app, &own, e) == 0;
    if ((!has_own && e->id != ERR_NO_SUCH_PATH) || signers_load(&app->store, &known, e))
        return -1;
    if (app->global.json)
        json_all(has_own ? &own : NULL, &known);
    else
        print_all(has_own ? &own : NULL, &known);
    return 0;
}

static int make_new(struct app *app, const char **words, struct err *e)
{
    AUTO(sign_key) struct sign_key own = {0};
    bool made;
    if (app_open_store(app, e) || own_key_load_or_make(app, &own, &made, e))
        return -1;
    if (!made) {
        err_set(e, ERR_ALREADY_EXISTS, "this computer has a key");
        return err_hint(e,
                        "airlock key show; to sign with another one, move keys/bundle.key away in the state "
                        "folder: bundles that it signed stay signed by it");
    }
    return show(app, words, e);
}

static int export_own(struct app *app, const char **words, struct err *e)
{
    AUTO(sign_key) struct sign_key own = {0};
    char hex[2 * SIGN_PUBLIC_SIZE + 1];
    (void)words;
    if (app_look_store(app, e) || own_key_load(app, &own, e)) {
        if (e->id == ERR_NO_SUCH_PATH)
            err_hint(e, "airlock key new makes one");
        return -1;
    }
    hex_encode(own.public_key, SIGN_PUBLIC_SIZE, hex);
    if (!app->global.json) {
        printf(EXPORT_PREFIX "%s\n", hex);
        return 0;
    }
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    json_key(answer, own.public_key);
    app_print_json(answer);
    return 0;
}

/* KEY: the 64 digits, or a file that 'airlock key export' wrote. */
static int read_key(const char *text, uint8_t ret[SIGN_PUBLIC_SIZE], struct err *e)
{
    AUTO(buf) struct buf file = {0};
    const size_t prefix = strlen(EXPORT_PREFIX), digits = 2 * SIGN_PUBLIC_SIZE;
    if (hex_decode(text, strlen(text), ret, SIGN_PUBLIC_SIZE))
        return 0;
    if (fs_read_file(text, EXPORT_BYTES_MAX, &file, e)) {
        if (e->id == ERR_NO_SUCH_PATH)
            err_set(e, ERR_USAGE, "'%s' is neither a key of 64 hexadecimal digits nor a file", text);
        return -1;
    }
    if (file.len == prefix + digits + 1 && !memcmp(file.data, EXPORT_PREFIX, prefix) &&
        file.data[file.len - 1] == '\n' &&
        hex_decode((const char *)file.data + prefix, digits, ret, SIGN_PUBLIC_SIZE))
        return 0;
    return err_set(e, ERR_USAGE, "'%s' is no file of 'airlock key export'", text);
}

static int trust_key(struct app *app, const char **words, struct err *e)
{
    uint8_t key[SIGN_PUBLIC_SIZE];
    char fingerprint[SIGN_FINGERPRINT_TEXT];
    if (read_key(words[1], key, e) || app_open_store(app, e) || signers_trust(&app->store, words[0], key, e))
        return -1;
    sign_fingerprint(key, fingerprint);
    app_note(app, "airlock: compare it over the telephone: %s", fingerprint);
    return show(app, words, e);
}

static int forget(struct app *app, const char **words, struct err *e)
{
    if (app_open_store(app, e) || signers_forget(&app->store, words[0], e))
        return -1;
    return show(app, words, e);
}

static const struct verb {
    const char *name;
    size_t words; /* that follow */
    int (*run)(struct app *app, const char **words, struct err *e);
} verbs[] = {{"new", 0, make_new},
             {"show", 0, show},
             {"export", 0, export_own},
             {"trust", 2, trust_key},
             {"forget", 1, forget}};

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    (void)values, (void)exit_code;
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (!strcmp(words[0], verbs[i].name) && count == 1 + verbs[i].words)
            return verbs[i].run(app, words + 1, e);
    err_set(e, ERR_USAGE,
            "key: 'new', 'show', 'export', 'trust NAME KEY' and 'forget NAME' is what it can do");
    return err_hint(e, "airlock key show");
}

const struct command cmd_key = {
    .name = "key",
    .words = "new | show | export | trust NAME KEY | forget NAME",
    .summary = "the key that signs bundles here, and the keys of others that are known",
    .details =
        "Every bundle is signed by the computer that packed it; the signature says who packed, not what "
        "a device\n"
        "installs. 'trust' takes the key of another computer (64 hexadecimal digits, or the file that "
        "its\n"
        "'airlock key export' wrote) under a name, by which 'verify' shows it and --require-signer asks "
        "for it.",
    .min_words = 1,
    .max_words = 3,
    .options = options,
    .options_size = 1,
    .run = run,
};
