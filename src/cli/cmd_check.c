/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock check PATH: reads everything back and says what became of it, part by part.
 */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "cli/device_options.h"
#include "cli/freshness.h"
#include "cli/image_key.h"
#include "cli/print.h"
#include "lockbox/wholeness.h"

struct check_options {
    bool offline;
    struct option_time needed_until;
    const char *squashfs_key;
};

static const struct option options[] = {
    {"needed-until", OPTION_TIME, "TIME", offsetof(struct check_options, needed_until),
     "say what ends before that time, or day"},
    {"squashfs-key", OPTION_TEXT, "FILE", offsetof(struct check_options, squashfs_key), SQUASHFS_KEY_HELP},
    {"offline", OPTION_FLAG, NULL, offsetof(struct check_options, offline),
     "do not ask the cloud whether it is stale"},
    {0},
};

/* ---- in words ---- */

static void print_damage(const struct examination *x, bool verbose)
{
    size_t frames = 0, members = 0;
    for (size_t i = 0; i < x->frame_count; i++)
        frames += x->frames[i].state != PART_OK;
    for (size_t i = 0; i < x->member_count; i++)
        members += x->members[i].state != PART_OK;
    print_label("frames");
    printf("%zu of %zu ok\n", x->frame_count - frames, x->frame_count);
    print_label("files");
    printf("%zu of %zu ok\n", x->member_count - members, x->member_count);
    for (size_t i = 0; i < x->frame_count && verbose; i++)
        printf("    %-8s volume %u, %u bytes at %llu\n", part_state_word(x->frames[i].state),
               x->frames[i].volume, x->frames[i].stored, (unsigned long long)x->frames[i].offset);
    for (size_t i = 0; i < x->member_count; i++) {
        if (x->members[i].state == PART_OK && !verbose)
            continue;
        printf("    %-8s ", part_state_word(x->members[i].state));
        print_text(x->members[i].path);
        putchar('\n');
    }
}

static void print_item(const char *path, const struct examination *x, bool verbose)
{
    print_text(path);
    printf(": %s\n", part_state_word(x->state));
    if (x->state != PART_OK) {
        print_label("reason");
        print_text(x->reason.message);
        putchar('\n');
    }
    if (x->frame_count)
        print_damage(x, verbose);
}

/* ---- in JSON ---- */

static void json_item(cJSON *to, const char *path, const char *kind, const struct examination *x)
{
    cJSON_AddStringToObject(to, "path", path);
    cJSON_AddStringToObject(to, "kind", kind);
    cJSON_AddStringToObject(to, "state", part_state_word(x->state));
    json_add_text(to, "id", x->state == PART_OK ? NULL : err_name(x->reason.id));
    json_add_text(to, "message", x->state == PART_OK ? NULL : x->reason.message);
    cJSON *frames = cJSON_AddArrayToObject(to, "frames");
    for (size_t i = 0; i < x->frame_count; i++) {
        cJSON *frame = json_add_item(frames);
        json_add_integer(frame, "volume", x->frames[i].volume);
        json_add_integer(frame, "offset", (int64_t)x->frames[i].offset);
        json_add_integer(frame, "bytes", x->frames[i].stored);
        cJSON_AddStringToObject(frame, "state", part_state_word(x->frames[i].state));
    }
    cJSON *members = cJSON_AddArrayToObject(to, "members");
    for (size_t i = 0; i < x->member_count; i++) {
        cJSON *member = json_add_item(members);
        cJSON_AddStringToObject(member, "path", x->members[i].path);
        json_add_integer(member, "size", (int64_t)x->members[i].size);
        cJSON_AddStringToObject(member, "state", part_state_word(x->members[i].state));
    }
}

/* ---- the work ---- */

/* A medium that cannot be read weighs more than bytes that are wrong. */
static void judge(const struct examination *x, int *exit_code)
{
    int code = x->state == PART_OK ? EXIT_DONE : (int)err_exit_code(x->reason.id);
    if (code > *exit_code)
        *exit_code = code;
}

static int check_item(const struct app *app, const struct survey_item *item, const struct survey_options *how,
                      const struct freshness *fresh, cJSON *items, int *exit_code, struct err *e)
{
    struct examination x = {0};
    if (wholeness_examine(item, how, &x, e))
        return -1;
    if (!app->global.json) {
        print_item(item->path, &x, app->global.verbose);
        freshness_print(fresh, item);
    }
    cJSON *said = json_add_item(items);
    json_item(said, item->path, survey_kind_word(item->kind), &x);
    freshness_add_json(fresh, item, said);
    judge(&x, exit_code);
    if (freshness_ends_too_soon(fresh, item) && *exit_code == EXIT_DONE)
        *exit_code = EXIT_REFUSED;
    examination_free(&x);
    return 0;
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    AUTO(pins) struct pins pins = {0};
    AUTO(survey) struct survey found = {0};
    const struct check_options *o = values;
    AUTO(freshness) struct freshness fresh = {.needed_until = o->needed_until, .now = app->now};
    struct survey_options how = {.metadata_only = true, .progress = app->progress};
    AUTO(image_key) struct image_key key = {0};
    (void)count;
    if (image_key_load(&key, o->squashfs_key, &how, e))
        return -1;
    if (app_look_store(app, e) || device_options_judge(app, NULL, NULL, &pins, &how.judge, e) ||
        survey_path(words[0], &how, &found, e))
        return -1;
    if (!o->offline)
        freshness_ask(app, &pins, &fresh);
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON *items = cJSON_AddArrayToObject(answer, "items");
    int rc = 0;
    for (size_t i = 0; i < found.count && rc == 0; i++)
        rc = check_item(app, &found.items[i], &how, &fresh, items, exit_code, e);
    if (rc == 0 && app->global.json)
        app_print_json(answer);
    else
        cJSON_Delete(answer);
    return rc;
}

const struct command cmd_check = {
    .name = "check",
    .words = "PATH",
    .summary = "read everything back and say what became of it",
    .details = "PATH is a bundle, a lockbox directory, a squashfs image or a stick. Of a bundle, each frame "
               "and file is ok, "
               "missing,\n"
               "damaged or foreign; -v names them all. Whether a device would install it, 'airlock verify' "
               "says.\n"
               "With a login, the cloud is asked whether it has a newer version of what is there, or has "
               "revoked or\n"
               "deleted it.",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .options_size = sizeof(struct check_options),
    .run = run,
};
