/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock write NAME… TO…: from the store (or a bundle) to the stick, or to several.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cli/device_options.h"
#include "cli/expiry.h"
#include "cli/own_key.h"
#include "cli/print_delivery.h"
#include "cli/reports.h"
#include "cli/volumes.h"
#include "cli/write_options.h"
#include "lockbox/place.h"

static const struct option options[] = {WRITE_OPTION_ROWS,
                                        {"split", OPTION_FLAG, NULL, offsetof(struct write_options, split),
                                         "FILE.lockbox in one file: as head and volumes, signatures and all"},
                                        VOLUMES_ROW(offsetof(struct write_options, volumes_in)),
                                        {0}};

static const char *const kinds[] = {
    [DELIVER_BUNDLE] = "bundle", [DELIVER_PLAIN] = "plain", [DELIVER_SQUASHFS] = "squashfs"};

static enum deliver_as kind_of(const struct write_options *o)
{
    size_t kind = 0;
    while (o->as && kind < COUNT_OF(kinds) && strcmp(o->as, kinds[kind]) != 0)
        kind++;
    return (enum deliver_as)kind;
}

/* A path to a bundle rather than a lockbox's name, in which neither '/' nor '.' can stand. */
static bool is_bundle_path(const char *name)
{
    return strchr(name, '/') || strchr(name, '.');
}

static bool is_place(const char *word)
{
    struct stat st;
    return strchr(word, '/') && !place_is_file(word) && !(stat(word, &st) == 0 && S_ISREG(st.st_mode));
}

struct write_words write_take_words(const char **words, size_t count)
{
    size_t names = count - 1;
    while (names > 1 && is_place(words[names - 1]))
        names--;
    return (struct write_words){words, names, words + names, count - names};
}

/* A stick before the last name, or no name at all. */
static int check_names(const struct write_words *w, struct err *e)
{
    struct stat st;
    for (size_t i = 0; i < w->name_count; i++)
        if (strchr(w->names[i], '/') && stat(w->names[i], &st) == 0 && S_ISDIR(st.st_mode)) {
            err_set(e, ERR_USAGE, "'%s' is a folder: lockboxes come first, then the sticks", w->names[i]);
            return err_hint(e, "a folder here is a stick when it is written with a '/', as ./STICK");
        }
    return 0;
}

static int check_different(const struct write_words *w, struct err *e)
{
    for (size_t i = 0; i < w->place_count; i++) {
        struct stat here, other;
        for (size_t k = 0; k < i; k++)
            if (stat(w->places[i], &here) == 0 && stat(w->places[k], &other) == 0 &&
                here.st_dev == other.st_dev && here.st_ino == other.st_ino)
                return err_set(e, ERR_USAGE, "'%s' and '%s' are the same place", w->places[k], w->places[i]);
    }
    return 0;
}

/* One that is missing beside others drops out when it is written to. Where all are, that is said at once. */
static int check_places(const struct write_words *w, bool bundle, struct err *e)
{
    AUTO_FREE struct err *found = mem_zeroed(w->place_count, sizeof *found);
    size_t missing = 0;
    for (size_t i = 0; i < w->place_count; i++) {
        if (place_check(w->places[i], bundle, &found[missing]) == 0)
            continue;
        if (found[missing++].id == ERR_USAGE) {
            *e = found[missing - 1];
            return -1;
        }
    }
    if (missing < w->place_count)
        return check_different(w, e);
    for (size_t i = 0; i + 1 < missing; i++)
        app_print_failure(&found[i]);
    *e = found[missing - 1];
    return -1;
}

int write_check(const struct write_options *o, const struct write_words *w, struct err *e)
{
    enum deliver_as kind = kind_of(o);
    bool bundle = kind == DELIVER_BUNDLE;
    const char *last = w->places[w->place_count - 1];
    if (kind == COUNT_OF(kinds))
        return err_set(e, ERR_USAGE, "--as '%s' is none of bundle, plain and squashfs", o->as);
    if (!bundle && w->name_count > 1)
        return err_set(e, ERR_USAGE, "a device reads one lockbox per stick: --as %s takes one name", o->as);
    if (!bundle && (o->single || o->split || o->share || o->memory || o->volume_size))
        return err_set(e, ERR_USAGE,
                       "--single, --split, --share, --memory and --volume-size are for bundles");
    if (kind != DELIVER_SQUASHFS && o->squashfs_key)
        return err_set(e, ERR_USAGE, "--squashfs-key goes with --as squashfs");
    if (o->single && o->share)
        return err_set(e, ERR_USAGE,
                       "--single makes a bundle that stands for itself, --share one that does not");
    if (o->single && o->split)
        return err_set(e, ERR_USAGE, "--single makes one file, --split several");
    if (o->single && o->volume_size)
        return err_set(e, ERR_USAGE, "--single makes one file, --volume-size several");
    if (o->share && w->place_count > 1)
        return err_set(e, ERR_USAGE, "what sticks hold already differs: --share writes to one at a time");
    if (bundle && w->name_count > 1 && place_is_file(last))
        return err_set(e, ERR_USAGE, "'%s' is one file: name one lockbox, or a folder", last);
    return check_names(w, e) || check_places(w, bundle, e) ? -1 : 0;
}

/* One name, on its way to all places. */
struct telling {
    const struct app *app;
    const char *name;
    struct batch *batch;
    bool *told; /* of each place, that it failed */
};

static void tell_failures(struct telling *t, const struct delivery *d)
{
    for (size_t i = 0; i < d->place_count; i++) {
        const struct delivered *at = &d->places[i];
        if (!at->failed || t->told[i])
            continue;
        struct err e = at->failure;
        if (!is_bundle_path(t->name))
            err_context(&e, "lockbox '%s'", t->name);
        batch_fail(t->batch, t->name, at->to, &e);
        t->told[i] = true;
    }
}

/* Before the first byte. */
static void foretell(void *ctx, const struct delivery *d)
{
    struct telling *t = ctx;
    tell_failures(t, d);
    for (size_t i = 0; i < d->place_count; i++) {
        const struct delivered *at = &d->places[i];
        if (at->failed)
            continue;
        warn_of_remarks(d, at);
        if (at->newer_beside) /* also with -q: it is a warning */
            fprintf(
                stderr,
                "airlock: warning: version %" PRId64
                " of lockbox '%s' lies beside it, and this is version %" PRId64
                "\nhint: a device that has used the newer one refuses this one; leave only what is meant\n",
                at->newer_beside, d->lockbox, d->version);
    }
}

static int check_bundle_options(const struct deliver_options *how, const char *name, struct err *e)
{
    if (how->base)
        return err_set(e, ERR_USAGE, "'%s' is carried on as it is: --base is for lockboxes of the store",
                       name);
    if (how->as != DELIVER_BUNDLE || (!how->memory && !how->volume_bytes && !how->share))
        return 0;
    err_set(e, ERR_USAGE,
            "'%s' is copied as it is: --memory, --volume-size and --share are for lockboxes of the store",
            name);
    return err_hint(e, "'airlock repack' makes it anew, cut in another way and signed by you");
}

static int deliver(struct app *app, const struct deliver_options *how, const char *name,
                   const struct write_words *w, struct delivery *ret, struct err *e)
{
    if (is_bundle_path(name))
        return check_bundle_options(how, name, e) ||
                       deliver_bundle(name, w->places, w->place_count, how, ret, e)
                   ? -1
                   : 0;
    if (how->split)
        return err_set(e, ERR_USAGE, "--split is for FILE.lockbox; lockbox '%s' gets volumes without it",
                       name);
    if (deliver_lockbox(&app->store, app->profile, name, w->places, w->place_count, how, ret, e))
        return err_context(e, "lockbox '%s'", name);
    return 0;
}

static int write_one(struct app *app, const struct deliver_options *given, const char *name,
                     const struct write_words *w, struct batch *b, struct err *e)
{
    AUTO(delivery) struct delivery d = {0};
    AUTO_FREE bool *told = mem_zeroed(w->place_count, sizeof *told);
    struct telling telling = {.app = app, .name = name, .batch = b, .told = told};
    struct deliver_options how = *given;
    how.listener = (struct deliver_listener){.foretold = foretell, .ctx = &telling};
    if (deliver(app, &how, name, w, &d, e))
        return -1;
    tell_failures(&telling, &d);
    for (size_t i = 0; i < d.place_count; i++) {
        const struct delivered *at = &d.places[i];
        if (at->failed)
            continue;
        if (!app->global.json)
            (how.dry_run ? print_plan : print_delivery)(&d, at, app->now);
        cJSON_AddItemToArray(b->done, json_delivery(&d, at, how.dry_run));
    }
    expiry_warn(&(struct expiry){d.valid_until, d.valid_until_role, d.lockbox}, app->now);
    return 0;
}

/* Whoever only carries bundles on needs no store, and perhaps cannot have one. */
static bool needs_store(const char **names, size_t count)
{
    bool needed = false;
    for (size_t i = 0; i < count; i++)
        needed = needed || (names[i] && !is_bundle_path(names[i]));
    return needed;
}

#define KEY_FILE_BYTES (64u << 10) /* RSA keys of 16 384 bits have 13 KiB */

static int load_squashfs_key(const struct write_options *o, struct file_signer **ret, struct err *e)
{
    AUTO(buf) struct buf pem = {0};
    if (!o->squashfs_key)
        return 0;
    int rc = fs_read_file(o->squashfs_key, KEY_FILE_BYTES, &pem, e) ||
             file_signer_parse(pem.data, pem.len, ret, e);
    if (pem.len)
        explicit_bzero(pem.data, pem.len);
    return rc ? err_context(e, "--squashfs-key '%s'", o->squashfs_key) : 0;
}

static int load_device_base(struct app *app, const struct write_options *o, struct base *ret, struct err *e)
{
    AUTO(device_file) struct device_file file = {0};
    return device_options_take(app, o->base, o->device.trusted, &file, e) ||
                   base_load_device(&app->store, &file.device, o->base, ret, e)
               ? -1
               : 0;
}

int write_load_base(struct app *app, const struct write_options *o, const struct write_words *w,
                    struct base *ret, struct err *e)
{
    AUTO(pins) struct pins pins = {0};
    struct judge judge;
    if (!o->base)
        return 0;
    if (!*o->base)
        return err_set(e, ERR_USAGE, "--base needs a lockbox that the device has");
    for (size_t i = 0; i < w->name_count; i++)
        if (!strcmp(w->names[i], o->base))
            return err_set(e, ERR_USAGE, "--base '%s' is what is to be written; name what the device has",
                           o->base);
    if (base_is_device_file(o->base))
        return load_device_base(app, o, ret, e) ? err_context(e, "--base") : 0;
    if (device_options_judge(app, o->trust, NULL, &pins, &judge, e))
        return -1;
    return base_load(&app->store, app->profile, &judge, o->base, ret, e) ? err_context(e, "--base") : 0;
}

static int write_names(struct app *app, const struct write_options *o, const struct base *base,
                       const struct file_signer *squashfs_key, const struct write_words *w, struct batch *b,
                       struct err *e)
{
    AUTO(pins) struct pins pins = {0};
    static const struct text_list every_hwid = {0};
    AUTO(device_file) struct device_file device = {0};
    AUTO(own_signer) struct own_signer signer = {.app = app};
    AUTO(volumes) struct volumes volumes = {.given = &o->volumes_in};
    const struct bundle_elsewhere elsewhere = volumes_elsewhere(&volumes);
    struct deliver_options how = {
        .as = kind_of(o),
        .squashfs_key = squashfs_key,
        .single = o->single,
        .split = o->split,
        .share = o->share,
        .dry_run = o->dry_run,
        .memory = o->memory,
        .volume_bytes = o->volume_size,
        .needed_until = o->needed_until.given ? o->needed_until.last : INT64_MIN,
        .base = o->base ? base : NULL,
        .signer = own_signer(&signer),
        .elsewhere = &elsewhere,
        .progress = app->progress,
    };
    if (device_options_judge(app, o->trust, NULL, &pins, &how.judge, e) ||
        device_options_read(app, &o->device, o->trust, &every_hwid, &device, &how.judge, e))
        return -1;
    device_options_note_trust(&how.judge);
    for (size_t i = 0; i < w->place_count && !o->dry_run; i++)
        reports_collect_before_writing(app, w->places[i]);
    for (size_t i = 0; i < w->name_count; i++)
        if (w->names[i] && write_one(app, &how, w->names[i], w, b, e))
            batch_fail(b, w->names[i], NULL, e);
    return 0;
}

int write_all(struct app *app, const struct write_options *o, const struct base *base,
              const struct write_words *w, struct batch *b, struct err *e)
{
    struct file_signer *key = NULL;
    if (load_squashfs_key(o, &key, e))
        return -1;
    int rc = write_names(app, o, base, key, w, b, e);
    file_signer_delete(key);
    return rc;
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    const struct write_options *o = values;
    const struct write_words w = write_take_words(words, count);
    AUTO(base) struct base base = {0};
    AUTO(batch) struct batch batch = batch_begin(app, w.name_count * w.place_count);
    if (write_check(o, &w, e) ||
        (needs_store(w.names, w.name_count) ? app_open_store(app, e) : app_look_store(app, e)) ||
        write_load_base(app, o, &w, &base, e) || write_all(app, o, &base, &w, &batch, e))
        return -1;
    return batch_end(&batch, o->dry_run ? "planned" : "written", exit_code, e);
}

const struct command cmd_write = {
    .name = "write",
    .words = "NAME|FILE.lockbox... TO...",
    .summary = "write fetched lockboxes to a stick",
    .details =
        "NAME is a lockbox that was fetched; FILE.lockbox a bundle that somebody else fetched (no login "
        "needed).\n"
        "TO is a mounted stick or any folder; several are written at once, from one reading of the store\n"
        "(a path with a '/' before the last word is one, too). Bundles go to TO/airlock/, or to TO where it "
        "ends in\n"
        "'.lockbox'. With --as plain a stock device installs from TO/update/. What a device would refuse is "
        "not\n"
        "written. What was written is read back from the medium before it gets its name.",
    .min_words = 2,
    .max_words = 64,
    .options = options,
    .options_size = sizeof(struct write_options),
    .run = run,
};
