/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock trust show | export DIR: what is pinned, and as a folder for an offline device.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "account/trust.h"
#include "base/clock.h"
#include "cli/app.h"
#include "cli/print.h"
#include "cli/print_trust.h"

static const struct option options[] = {{0}};

/* ---- in words ---- */

static void print_root(const char *label, const struct trust_root *root)
{
    char hex[HASH_HEX_SIZE];
    hash_hex(root->fingerprint, hex);
    print_label(label);
    printf("version %" PRId64 ", %s\n", root->version, hex);
}

static void print_keys(const struct trust_repo *r)
{
    print_label("keys");
    printf("%" PRId64 " of %zu must sign a new root\n", r->threshold, r->key_count);
    for (size_t i = 0; i < r->key_count; i++) {
        printf("  %-12s ", "");
        print_text(r->keys[i].id);
        printf(" (%s)\n", r->keys[i].type ? r->keys[i].type : "of an unknown type");
    }
}

static void print_repo(enum pin_repo repo, const struct trust_repo *r, int64_t now)
{
    char time[CLOCK_TEXT_SIZE];
    printf("%s\n", pin_repo_title(repo));
    print_root("first root", &r->first);
    print_root("newest root", &r->newest);
    clock_format(r->newest.expires, time);
    print_label("expires");
    printf("%s%s\n", time, r->newest.expires <= now ? " (expired)" : "");
    print_keys(r);
    print_label("pinned");
    clock_format(r->pinned_at, time);
    printf("%s (%s)\n", r->pinned_at ? time : "at an unknown time", origin_text(r->origin));
    print_label("seen");
    if (r->snapshot_version)
        printf("%s version %" PRId64 ": nothing older is fetched\n",
               repo == PIN_DIRECTOR ? "offline snapshot" : "snapshot", r->snapshot_version);
    else
        puts("nothing fetched yet");
}

static void print_profiles(const struct trust *t, int64_t now)
{
    if (t->count == 0)
        puts("nothing is pinned: airlock login");
    for (size_t i = 0; i < t->count; i++) {
        printf("%sprofile '%s'\n", i ? "\n" : "", t->profiles[i].name);
        for (size_t repo = 0; repo < COUNT_OF(t->profiles[i].repos); repo++)
            if (t->profiles[i].repos[repo].is_pinned)
                print_repo((enum pin_repo)repo, &t->profiles[i].repos[repo], now);
    }
}

/* ---- in JSON ---- */

static void json_root(cJSON *to, const char *key, const struct trust_root *root)
{
    cJSON *own = cJSON_AddObjectToObject(to, key);
    json_add_integer(own, "version", (int64_t)root->version);
    json_add_hash(own, "fingerprint", root->fingerprint);
    json_add_time(own, "expires", root->expires);
}

static void json_repo(cJSON *to, enum pin_repo repo, const struct trust_repo *r)
{
    cJSON_AddStringToObject(to, "repo", pin_repo_metadata(repo));
    json_root(to, "first", &r->first);
    json_root(to, "newest", &r->newest);
    json_add_integer(to, "threshold", (int64_t)r->threshold);
    cJSON *keys = cJSON_AddArrayToObject(to, "keys");
    for (size_t i = 0; i < r->key_count; i++) {
        cJSON *key = json_add_item(keys);
        cJSON_AddStringToObject(key, "id", r->keys[i].id);
        json_add_text(key, "type", r->keys[i].type);
    }
    json_add_text(to, "origin", origin_name(r->origin));
    json_add_time(to, "pinned_at", r->pinned_at ? r->pinned_at : INT64_MAX);
    json_add_integer(to, "seen_snapshot", (int64_t)r->snapshot_version);
}

static cJSON *json_profiles(const struct trust *t)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON *profiles = cJSON_AddArrayToObject(answer, "profiles");
    for (size_t i = 0; i < t->count; i++) {
        cJSON *profile = json_add_item(profiles);
        cJSON_AddStringToObject(profile, "profile", t->profiles[i].name);
        cJSON *repos = cJSON_AddArrayToObject(profile, "repositories");
        for (size_t repo = 0; repo < COUNT_OF(t->profiles[i].repos); repo++)
            if (t->profiles[i].repos[repo].is_pinned)
                json_repo(json_add_item(repos), (enum pin_repo)repo, &t->profiles[i].repos[repo]);
    }
    return answer;
}

/* ---- the subcommands ---- */

static int show(const struct app *app, struct err *e)
{
    AUTO(trust) struct trust t = {0};
    if (trust_read(&app->store, app->global.profile, &t, e))
        return -1;
    if (app->global.json)
        app_print_json(json_profiles(&t));
    else
        print_profiles(&t, app->now);
    return 0;
}

/* What a device that starts from these roots has to find later, where that is not a matter of course. */
static void note_limits(const struct app *app, const struct trust_profile *p)
{
    for (size_t repo = 0; repo < COUNT_OF(p->repos); repo++) {
        const struct trust_repo *r = &p->repos[repo];
        if (r->first.version > 1)
            app_note(app,
                     "airlock: the first pinned root of the %s is version %" PRId64
                     ": ECUs behind the primary that have no root yet need version 1",
                     pin_repo_title((enum pin_repo)repo), r->first.version);
    }
}

static int export(const struct app *app, const char *dir, struct err *e)
{
    static const char *const files[] = {
        [PIN_DIRECTOR] = "director/root.json", [PIN_IMAGE] = "repo/root.json"};
    AUTO(trust_profile) struct trust_profile p = {0};
    if (trust_export(&app->store, app->profile, dir, &p, e))
        return -1;
    note_limits(app, &p);
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON_AddStringToObject(answer, "profile", p.name);
    cJSON_AddStringToObject(answer, "path", dir);
    cJSON *list = cJSON_AddArrayToObject(answer, "files");
    for (size_t repo = 0; repo < COUNT_OF(files); repo++) {
        cJSON *file = json_add_item(list);
        cJSON_AddStringToObject(file, "path", files[repo]);
        json_add_integer(file, "version", (int64_t)p.repos[repo].first.version);
        json_add_hash(file, "fingerprint", p.repos[repo].first.fingerprint);
    }
    if (app->global.json) {
        app_print_json(answer);
        return 0;
    }
    cJSON_Delete(answer);
    printf("the first roots of profile '%s' stand in ", p.name);
    print_text(dir);
    putchar('\n');
    for (size_t repo = 0; repo < COUNT_OF(files); repo++)
        print_root(repo == PIN_DIRECTOR ? "director" : "repo", &p.repos[repo].first);
    return 0;
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    (void)values, (void)exit_code;
    bool shows = count == 1 && !strcmp(words[0], "show");
    if (!shows && (count != 2 || strcmp(words[0], "export") != 0)) {
        err_set(e, ERR_USAGE, "trust: 'show' or 'export DIR' is what it can do");
        return err_hint(e, "airlock trust show, or airlock trust export FOLDER");
    }
    if (app_look_store(app, e))
        return -1;
    return shows ? show(app, e) : export(app, words[1], e);
}

const struct command cmd_trust = {
    .name = "trust",
    .words = "show | export DIR",
    .summary = "show the pinned roots, or write them as an offline device is provisioned with",
    .details =
        "'show' prints the pinned roots of every profile, or of the one that --profile names: versions,\n"
        "fingerprints to compare with another laptop, keys, and where they came from. 'export DIR' writes\n"
        "DIR/director/root.json and DIR/repo/root.json, the first pinned roots, as a device takes them from\n"
        "/var/sota/import.",
    .min_words = 1,
    .max_words = 2,
    .options = options,
    .options_size = 1,
    .run = run,
};
