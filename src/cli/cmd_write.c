/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock write NAME… TO: from the store (or a bundle) to the stick.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
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

int write_check(const struct write_options *o, size_t names, const char *to, struct err *e)
{
    enum deliver_as kind = kind_of(o);
    bool bundle = kind == DELIVER_BUNDLE;
    if (kind == COUNT_OF(kinds))
        return err_set(e, ERR_USAGE, "--as '%s' is none of bundle, plain and squashfs", o->as);
    if (!bundle && names > 1)
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
    if (bundle && names > 1 && place_is_file(to))
        return err_set(e, ERR_USAGE, "'%s' is one file: name one lockbox, or a folder", to);
    return place_check(to, bundle, e);
}

/* A path to a bundle rather than a lockbox's name, in which neither '/' nor '.' can stand. */
static bool is_bundle_path(const char *name)
{
    return strchr(name, '/') || strchr(name, '.');
}

static int write_one(struct app *app, const struct deliver_options *how, const char *name, const char *to,
                     cJSON *written, struct err *e)
{
    AUTO(delivery) struct delivery d = {0};
    if (is_bundle_path(name)) {
        if (how->base)
            return err_set(e, ERR_USAGE, "'%s' is carried on as it is: --base is for lockboxes of the store",
                           name);
        if (how->as == DELIVER_BUNDLE && (how->memory || how->volume_bytes || how->share)) {
            err_set(
                e, ERR_USAGE,
                "'%s' is copied as it is: --memory, --volume-size and --share are for lockboxes of the store",
                name);
            return err_hint(e, "'airlock repack' makes it anew, cut in another way and signed by you");
        }
        if (deliver_bundle(name, to, how, &d, e))
            return -1;
    } else if (how->split) {
        return err_set(e, ERR_USAGE, "--split is for FILE.lockbox; lockbox '%s' gets volumes without it",
                       name);
    } else if (deliver_lockbox(&app->store, app->profile, name, to, how, &d, e)) {
        return err_context(e, "lockbox '%s'", name);
    }
    if (!app->global.json)
        (how->dry_run ? print_plan : print_delivery)(&d, app->now);
    if (!how->dry_run)
        warn_of_remarks(&d);
    if (d.newer_beside) /* also with -q: it is a warning */
        fprintf(stderr,
                "airlock: warning: version %" PRId64
                " of lockbox '%s' lies beside it, and this is version %" PRId64
                "\nhint: a device that has used the newer one refuses this one; leave only what is meant\n",
                d.newer_beside, d.lockbox, d.version);
    expiry_warn(&(struct expiry){d.valid_until, d.valid_until_role, d.lockbox}, app->now);
    cJSON_AddItemToArray(written, json_delivery(&d, how->dry_run));
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

int write_load_base(struct app *app, const struct write_options *o, const char **names, size_t count,
                    struct base *ret, struct err *e)
{
    AUTO(pins) struct pins pins = {0};
    struct judge judge;
    if (!o->base)
        return 0;
    if (!*o->base)
        return err_set(e, ERR_USAGE, "--base needs a lockbox that the device has");
    for (size_t i = 0; i < count; i++)
        if (!strcmp(names[i], o->base))
            return err_set(e, ERR_USAGE, "--base '%s' is what is to be written; name what the device has",
                           o->base);
    if (base_is_device_file(o->base))
        return load_device_base(app, o, ret, e) ? err_context(e, "--base") : 0;
    if (device_options_judge(app, o->trust, NULL, &pins, &judge, e))
        return -1;
    return base_load(&app->store, app->profile, &judge, o->base, ret, e) ? err_context(e, "--base") : 0;
}

static int write_names(struct app *app, const struct write_options *o, const struct base *base,
                       const struct file_signer *squashfs_key, const char **names, size_t count,
                       const char *to, struct batch *b, struct err *e)
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
    if (!o->dry_run)
        reports_collect_before_writing(app, to);
    for (size_t i = 0; i < count; i++)
        if (names[i] && write_one(app, &how, names[i], to, b->done, e))
            batch_fail(b, names[i], e);
    return 0;
}

int write_all(struct app *app, const struct write_options *o, const struct base *base, const char **names,
              size_t count, const char *to, struct batch *b, struct err *e)
{
    struct file_signer *key = NULL;
    if (load_squashfs_key(o, &key, e))
        return -1;
    int rc = write_names(app, o, base, key, names, count, to, b, e);
    file_signer_delete(key);
    return rc;
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    const struct write_options *o = values;
    size_t names = count - 1;
    const char *to = words[names];
    AUTO(base) struct base base = {0};
    AUTO(batch) struct batch batch = batch_begin(app, names);
    if (write_check(o, names, to, e) ||
        (needs_store(words, names) ? app_open_store(app, e) : app_look_store(app, e)) ||
        write_load_base(app, o, words, names, &base, e) ||
        write_all(app, o, &base, words, names, to, &batch, e))
        return -1;
    return batch_end(&batch, o->dry_run ? "planned" : "written", exit_code, e);
}

const struct command cmd_write = {
    .name = "write",
    .words = "NAME|FILE.lockbox... TO",
    .summary = "write fetched lockboxes to a stick",
    .details =
        "NAME is a lockbox that was fetched; FILE.lockbox a bundle that somebody else fetched (no login "
        "needed).\n"
        "TO is a mounted stick or any folder; bundles go to TO/airlock/, or to TO itself where it ends in\n"
        "'.lockbox'. With --as plain a stock device installs from TO/update/. What a device would refuse is "
        "not\n"
        "written. What was written is read back from the medium before it gets its name.",
    .min_words = 2,
    .max_words = 64,
    .options = options,
    .options_size = sizeof(struct write_options),
    .run = run,
};
