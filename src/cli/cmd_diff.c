/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock diff A B: what changes from one lockbox to the other.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

#include "cli/device_options.h"
#include "cli/print.h"
#include "lockbox/compare.h"

static const struct option options[] = {{0}};

static const char *change_of(const struct compare_package *p)
{
    return p->same ? "same" : !p->from ? "added" : !p->to ? "removed" : "changed";
}

/* ---- for people ---- */

static void print_side(const char *label, const struct compare_side *side)
{
    const struct verdict *v = &side->verdict;
    print_label(label);
    print_text(v->lockbox ? v->lockbox : "(no lockbox)");
    printf(", version %" PRId64 "  ", v->lockbox_version);
    print_text(side->shown);
    puts(v->valid ? "" : "  NOT VALID: see airlock verify");
}

static void print_target(const struct verdict_target *t)
{
    print_text(t->name);
    fputs(", ", stdout);
    if (t->is_ostree) {
        char hex[HASH_HEX_SIZE];
        hash_hex(t->sha256, hex);
        printf("OSTree commit %.12s", hex);
    } else {
        print_size(t->length);
    }
}

static void print_package(const struct compare_package *p)
{
    print_label(change_of(p));
    print_text(p->hardware_id);
    fputs(": ", stdout);
    if (p->from)
        print_target(p->from);
    if (p->from && p->to && !p->same)
        fputs(" -> ", stdout);
    if (p->to && !p->same)
        print_target(p->to);
    putchar('\n');
}

static void print_amount(const char *label, const struct compare_amount *amount)
{
    print_label(label);
    printf("%zu files, ", amount->files);
    print_size(amount->bytes);
    putchar('\n');
}

static void print_comparison(const struct comparison *c)
{
    print_side("from", &c->from);
    print_side("to", &c->to);
    for (size_t i = 0; i < c->package_count; i++)
        print_package(&c->packages[i]);
    for (size_t i = 0; i < c->image_count; i++) {
        print_label(c->images[i].added ? "new image" : "image gone");
        printf("sha256:%s\n", c->images[i].digest);
    }
    print_amount("new", &c->added);
    print_amount("gone", &c->removed);
    print_amount("in both", &c->same);
}

/* ---- JSON ---- */

static void json_side(cJSON *answer, const char *key, const struct compare_side *side)
{
    cJSON *to = cJSON_AddObjectToObject(answer, key);
    cJSON_AddStringToObject(to, "path", side->shown);
    json_add_text(to, "lockbox", side->verdict.lockbox);
    json_add_integer(to, "version", side->verdict.lockbox_version);
    cJSON_AddBoolToObject(to, "valid", side->verdict.valid);
}

static void json_target(cJSON *row, const char *key, const struct verdict_target *t)
{
    if (!t) {
        cJSON_AddNullToObject(row, key);
        return;
    }
    cJSON *to = cJSON_AddObjectToObject(row, key);
    cJSON_AddStringToObject(to, "name", t->name);
    json_add_text(to, "package", t->package_name);
    json_add_text(to, "version", t->package_version);
    json_add_integer(to, "length", (int64_t)t->length);
    json_add_hash(to, "sha256", t->sha256);
}

static void json_amount(cJSON *answer, const char *key, const struct compare_amount *amount)
{
    cJSON *to = cJSON_AddObjectToObject(answer, key);
    json_add_integer(to, "files", (int64_t)amount->files);
    json_add_integer(to, "bytes", (int64_t)amount->bytes);
}

static cJSON *json_comparison(const struct comparison *c)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    json_side(answer, "from", &c->from);
    json_side(answer, "to", &c->to);
    cJSON *packages = cJSON_AddArrayToObject(answer, "packages");
    for (size_t i = 0; i < c->package_count; i++) {
        cJSON *row = json_add_item(packages);
        cJSON_AddStringToObject(row, "hardware_id", c->packages[i].hardware_id);
        cJSON_AddStringToObject(row, "change", change_of(&c->packages[i]));
        json_target(row, "from", c->packages[i].from);
        json_target(row, "to", c->packages[i].to);
    }
    cJSON *images = cJSON_AddArrayToObject(answer, "images");
    for (size_t i = 0; i < c->image_count; i++) {
        cJSON *row = json_add_item(images);
        cJSON_AddStringToObject(row, "digest", c->images[i].digest);
        cJSON_AddStringToObject(row, "change", c->images[i].added ? "added" : "removed");
    }
    json_amount(answer, "added", &c->added);
    json_amount(answer, "removed", &c->removed);
    json_amount(answer, "same", &c->same);
    return answer;
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    AUTO(pins) struct pins pins = {0};
    AUTO(comparison) struct comparison c = {0};
    struct judge judge;
    (void)values, (void)count, (void)exit_code;
    if (app_look_store(app, e) || device_options_judge(app, NULL, NULL, &pins, &judge, e) ||
        compare(&app->store, app->profile, &judge, words[0], words[1], &c, e))
        return -1;
    if (app->global.json)
        app_print_json(json_comparison(&c));
    else
        print_comparison(&c);
    return 0;
}

const struct command cmd_diff = {
    .name = "diff",
    .words = "A B",
    .summary = "show what changes from one lockbox to another",
    .details = "A and B are bundles, lockbox directories, or names of fetched lockboxes. What each kind of "
               "hardware\n"
               "gets is told, which container images come and go, and how much B holds that A does not.",
    .min_words = 2,
    .max_words = 2,
    .options = options,
    .options_size = 1,
    .run = run,
};
