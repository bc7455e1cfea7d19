/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock fetch NAME…: from the cloud into the store, verified.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

#include "account/session.h"
#include "cli/expiry.h"
#include "cli/fetch_all.h"
#include "cli/print.h"
#include "cli/print_trust.h"
#include "lockbox/obtain.h"

struct fetch_options {
    const char *trust;
    struct container_values containers;
};

static const struct option options[] = {
    {"trust", OPTION_TEXT, "DIR", offsetof(struct fetch_options, trust),
     "verify from these roots, too: DIR/director/root.json and DIR/repo/root.json"},
    CONTAINER_VALUE_ROWS(offsetof(struct fetch_options, containers)),
    {0},
};

static void print_images(const struct obtained *o)
{
    if (o->images == 0)
        return;
    print_label("containers");
    printf("%zu image%s, ", o->images, o->images == 1 ? "" : "s");
    print_size(o->image_bytes);
    if (o->platforms)
        printf(", for devices of %s", o->platforms);
    putchar('\n');
}

static void print_obtained(const struct app *app, const struct obtained *o)
{
    printf("%s version %" PRId64 " fetched and verified: %zu package%s, ", o->lockbox, o->version, o->targets,
           o->targets == 1 ? "" : "s");
    print_size(o->bytes);
    putchar('\n');
    print_images(o);
    expiry_print(&(struct expiry){o->valid_until, o->valid_until_role, o->lockbox}, app->now);
}

static cJSON *json_obtained(const struct obtained *o, bool first_contact)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "lockbox", o->lockbox);
    json_add_integer(item, "version", (int64_t)o->version);
    json_add_integer(item, "packages", (int64_t)o->targets);
    json_add_integer(item, "bytes", (int64_t)o->bytes);
    json_add_integer(item, "images", (int64_t)o->images);
    json_add_integer(item, "image_bytes", (int64_t)o->image_bytes);
    expiry_add_json(&(struct expiry){o->valid_until, o->valid_until_role, o->lockbox}, item);
    cJSON_AddBoolToObject(item, "first_contact", first_contact);
    return item;
}

/* Told at once, also where the packages then fail: from now on these roots count. */
static void tell_contact(const struct app *app, const struct obtain_contact *c, struct batch *b)
{
    const struct first_contact contact = {
        .pinned = c->pinned, .origin = c->origin, .fingerprint = c->fingerprint};
    if (app->global.json) {
        note_first_contact(&contact);
        b->pinned = json_fingerprints(c->pinned, c->fingerprint);
        return;
    }
    print_first_contact(&contact);
    for (size_t repo = 0; repo < COUNT_OF(c->pinned); repo++)
        if (c->pinned[repo])
            print_fingerprint((enum pin_repo)repo, c->fingerprint[repo]);
}

static int fetch_one(struct app *app, struct cloud *cloud, struct obtain_request *request, bool list,
                     struct batch *b, struct err *e)
{
    AUTO(obtained) struct obtained o = {0};
    struct obtain_contact contact = {0};
    request->contact = &contact;
    int rc = obtain_lockbox(cloud, &app->store, request, &o, e);
    bool first_contact = contact.pinned[PIN_DIRECTOR] || contact.pinned[PIN_IMAGE];
    if (first_contact)
        tell_contact(app, &contact, b);
    if (rc)
        return err_context(e, "lockbox '%s'", request->name);
    if (!app->global.json)
        print_obtained(app, &o);
    if (!list)
        return 0;
    expiry_warn(&(struct expiry){o.valid_until, o.valid_until_role, o.lockbox}, app->now);
    cJSON_AddItemToArray(b->done, json_obtained(&o, first_contact));
    return 0;
}

static void fetch_each(struct app *app, struct cloud *cloud, struct obtain_request *request,
                       const char **names, size_t count, bool list, struct batch *b)
{
    struct err e;
    for (size_t i = 0; i < count; i++) {
        request->name = names[i];
        if (fetch_one(app, cloud, request, list, b, &e)) {
            batch_fail(b, names[i], NULL, &e);
            names[i] = NULL;
        }
    }
}

int fetch_all(struct app *app, const struct fetch_how *how, const char **names, size_t count, bool list,
              struct batch *b, struct err *e)
{
    struct cloud *cloud;
    AUTO(pins) struct pins trust = {0};
    AUTO(container_choice) struct container_choice choice = {0};
    if ((how->trust_dir && pins_load_folder(how->trust_dir, &trust, e)) ||
        container_choice_make(how->containers, &choice, e) ||
        session_open_stored(&app->store, app->profile, app->global.cacert, &cloud, e))
        return -1;
    struct obtain_request request = {
        .profile = app->profile,
        .trust = how->trust_dir ? &trust : NULL,
        .now = app->now,
        .containers = choice.options,
        .progress = app->progress,
    };
    fetch_each(app, cloud, &request, names, count, list, b);
    cloud_close(cloud);
    return 0;
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    const struct fetch_options *o = values;
    AUTO(batch) struct batch batch = batch_begin(app, count);
    const struct fetch_how how = {.trust_dir = o->trust, .containers = &o->containers};
    if (app_open_store(app, e) || fetch_all(app, &how, words, count, true, &batch, e))
        return -1;
    return batch_end(&batch, "fetched", exit_code, e);
}

const struct command cmd_fetch = {
    .name = "fetch",
    .words = "NAME...",
    .summary = "fetch lockboxes from the cloud into the store, verified",
    .details = "Signed roles are verified against the account's pinned roots before anything is kept, "
               "packages against\n"
               "the roles. Interrupted? The same command goes on where it stopped.",
    .min_words = 1,
    .max_words = 64,
    .options = options,
    .options_size = sizeof(struct fetch_options),
    .run = run,
};
