/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/deliver.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "lockbox/admit.h"
#include "lockbox/assemble.h"
#include "lockbox/manifest.h"
#include "lockbox/spread.h"
#include "usb-tools/unpack.h"

static char *bundle_name(const struct verdict *v, const struct roles *roles, bool shared)
{
    char account[ACCOUNT_TEXT_SIZE];
    manifest_account(roles, account);
    return mem_format("%s-v%" PRId64 "-%s%s.lockbox", v->lockbox, v->lockbox_version, account,
                      shared ? ".shared" : "");
}

static void describe(const struct verdict *v, struct delivery *d)
{
    d->lockbox = mem_strdup(v->lockbox);
    d->version = v->lockbox_version;
    d->valid_until = v->valid_until;
    d->valid_until_role = mem_strdup(v->valid_until_role);
}

/* ---- from the store ---- */

static void remember_loans(const struct bundle_loans *loans, struct delivery *d)
{
    d->shares_with_count = bundle_loans_count(loans);
    d->shares_with = mem_zeroed(d->shares_with_count, sizeof *d->shares_with);
    for (size_t i = 0; i < d->shares_with_count; i++)
        d->shares_with[i] = mem_strdup(bundle_loans_at(loans, i).file);
    d->shared = bundle_loans_bytes(loans);
}

/* Where something beside it can be shared, the place has another name. A whole bundle that is there is
 * renewed as it is. */
static int find_loans(struct spread *s, struct err *e)
{
    const struct deliver_options *o = s->options;
    const char *to = s->delivery->places[0].to;
    AUTO_FREE char *name = bundle_name(s->verdict, s->roles, true);
    AUTO(place) struct place whole = {.dirfd = -1};
    AUTO(place) struct place shared = {.dirfd = -1};
    if (place_bundle(to, s->name, !o->dry_run, &whole, e))
        return -1;
    if (whole.on_stick && faccessat(whole.dirfd, whole.name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    if (place_bundle(to, name, !o->dry_run, &shared, e))
        return -1;
    const struct medium medium = medium_posix(&shared.dirfd);
    /* from here on nobody removes what is found; the lock goes with the place */
    if ((!o->dry_run && place_lock(&shared, e)) ||
        bundle_loans_find(&medium, shared.name, s->members, s->count, o->progress, &s->loans, e))
        return err_context(e, "'%s'", shared.shown);
    if (!s->loans)
        return 0;
    remember_loans(s->loans, s->delivery);
    s->places[0] = shared;
    shared = (struct place){.dirfd = -1};
    return 0;
}

static int spread_assembly(struct spread *s, struct err *e)
{
    switch (s->options->as) {
    case DELIVER_PLAIN:
        return spread_folders(s, e);
    case DELIVER_SQUASHFS:
        return spread_images(s, e);
    case DELIVER_BUNDLE:
        break;
    }
    if (s->options->share && find_loans(s, e))
        return -1;
    return spread_bundles(s, e);
}

/* An object of the store that turned out damaged or missing is removed, so that fetching mends it. Was it
 * that? */
static bool mend_store(const struct store *s, const struct record *r, const char *name, struct err *e)
{
    struct err ignored;
    size_t bad = 0;
    bool suspect = e->id == ERR_WRONG_HASH || e->id == ERR_WRONG_LENGTH || e->id == ERR_NO_SUCH_PATH ||
                   e->id == ERR_BAD_IMAGE; /* a layer that does not unpack */
    if (!suspect || record_drop_damaged(s, r, &bad, &ignored) || bad == 0)
        return false;
    if (e->id == ERR_NO_SUCH_PATH)
        e->id = ERR_NOT_FETCHED;
    err_hint(e, "the store lacks %zu of its files now; fetch them again: airlock fetch %s", bad, name);
    return true;
}

/* What is wrong with the store is wrong for every place; what is wrong with a place stands there. */
static int spread_record(struct spread *s, const struct store *store, const struct record *r,
                         const char *name, struct err *e)
{
    int rc = spread_assembly(s, e);
    spread_close(s, rc ? e : NULL);
    return rc && mend_store(store, r, name, e) ? -1 : 0;
}

int deliver_lockbox(const struct store *s, const char *profile, const char *name, const char *const *to,
                    size_t to_count, const struct deliver_options *o, struct delivery *ret, struct err *e)
{
    AUTO(record) struct record record = {0};
    AUTO(roles) struct roles roles = {0};
    AUTO(verdict) struct verdict verdict = {0};
    AUTO(assembly) struct assembly assembly = {0};
    AUTO(delivery) struct delivery d = {0};
    struct spread spread;
    if (record_load(s, profile, name, &record, e))
        return -1;
    if (roles_from_store(s, &record, &roles, e)) {
        mend_store(s, &record, name, e);
        return -1;
    }
    if (judge_roles(&o->judge, &roles, name, &verdict, e) || admit_verdict(&verdict, o->needed_until, e))
        return -1;
    if (o->base && base_plan(o->base, s, &verdict, &d.needs, e)) {
        mend_store(s, &record, name, e);
        return -1;
    }
    assemble(s, &record, &d.needs, &assembly);
    if (o->base)
        base_leave_out(o->base, &assembly, &d.left_out_files, &d.left_out_bytes);
    d.members = assembly.count;
    for (size_t i = 0; i < assembly.count; i++)
        d.raw += assembly.members[i].size;
    describe(&verdict, &d);
    AUTO_FREE char *bundle = bundle_name(&verdict, &roles, false);
    spread_open(&spread, &d, to, to_count, o, &verdict, &roles);
    spread.name = bundle;
    spread.members = assembly.members;
    spread.count = assembly.count;
    if (spread_record(&spread, s, &record, name, e))
        return -1;
    *ret = d;
    d = (struct delivery){0};
    return 0;
}

/* ---- from a bundle ---- */

static int admit(const char *path, const struct deliver_options *o, struct admitted *a, struct delivery *d,
                 struct err *e)
{
    const struct admit_options how = {.judge = &o->judge,
                                      .needed_until = o->needed_until,
                                      .elsewhere = o->elsewhere,
                                      .progress = o->progress};
    uint64_t stored;
    if (admit_bundle(path, &how, a, e))
        return err_context(e, "'%s'", path);
    d->needs = a->needs;
    bundle_sizes(a->bundle, &stored, &d->raw);
    d->members = bundle_member_count(a->bundle);
    describe(&a->verdict, d);
    return 0;
}

static int copy_bundle(const struct admitted *a, struct spread *s, struct err *e)
{
    const struct deliver_options *o = s->options;
    enum bundle_form form = o->single ? BUNDLE_SINGLE : o->split ? BUNDLE_SPLIT : BUNDLE_AS_IT_IS;
    uint64_t raw;
    s->single = o->single || (bundle_is_single(a->bundle) && !o->split);
    bundle_sizes(a->bundle, &s->most, &raw);
    s->least = s->most;
    for (size_t i = 0; i < s->at.count; i++)
        s->delivery->places[i].stored = s->most;
    if (spread_find_bundles(s, e))
        return -1;
    if (o->dry_run)
        return 0;
    return spread_begin_bundles(s, e) || bundle_copy(a->bundle, spread_bundle_places(s), &s->at, form, e) ? -1
                                                                                                          : 0;
}

/* Paths and sizes alone. */
static struct member *list_members(const struct bundle *b)
{
    struct member *members = mem_zeroed(bundle_member_count(b), sizeof *members);
    for (size_t i = 0; i < bundle_member_count(b); i++) {
        struct bundle_member_info info = bundle_member_at(b, i);
        members[i] = (struct member){.path = info.path, .size = info.size};
    }
    return members;
}

/* To one folder: unpacked on all cores. */
static int unpack_bundle(const struct admitted *a, struct spread *s, bool update, struct err *e)
{
    AUTO_FREE struct member *members = list_members(a->bundle);
    s->members = members;
    s->count = bundle_member_count(a->bundle);
    s->delivery->places[0].stored = s->delivery->raw;
    if (update ? spread_find_folders(s, e) : spread_find_named_folder(s, e))
        return -1;
    if (s->options->dry_run)
        return 0;
    return unpack(a->bundle, s->places[0].dirfd, s->places[0].name, s->options->progress, e);
}

/* As images, or as folders in several places: from the members, each content proven as it is taken out. */
static int convert(const struct admitted *a, struct spread *s, struct err *e)
{
    struct bundle_parts parts;
    bundle_take_apart(a->bundle, &parts);
    s->members = parts.members;
    s->count = parts.count;
    int rc = s->options->as == DELIVER_SQUASHFS ? spread_images(s, e) : spread_folders(s, e);
    bundle_parts_free(&parts);
    return rc;
}

static int spread_admitted(const struct admitted *a, struct spread *s, struct err *e)
{
    switch (s->options->as) {
    case DELIVER_PLAIN:
        return s->at.count == 1 ? unpack_bundle(a, s, true, e) : convert(a, s, e);
    case DELIVER_SQUASHFS:
        return convert(a, s, e);
    case DELIVER_BUNDLE:
        break;
    }
    return copy_bundle(a, s, e);
}

int deliver_bundle(const char *bundle, const char *const *to, size_t to_count,
                   const struct deliver_options *o, struct delivery *ret, struct err *e)
{
    AUTO(admitted) struct admitted a = {.from = {.dirfd = -1}};
    AUTO(delivery) struct delivery d = {0};
    struct spread spread;
    if (admit(bundle, o, &a, &d, e))
        return -1;
    if (o->as == DELIVER_BUNDLE && bundle_is_shared(a.bundle))
        return err_set(e, ERR_BUNDLE_SHARED, "'%s' borrows contents of other bundles: it is not copied",
                       a.from.shown);
    AUTO_FREE char *name = bundle_name(&a.verdict, &a.roles, false);
    spread_open(&spread, &d, to, to_count, o, &a.verdict, &a.roles);
    spread.name = name;
    spread.from = a.from.shown;
    int rc = spread_admitted(&a, &spread, e);
    spread_close(&spread, rc ? e : NULL);
    *ret = d;
    d = (struct delivery){0};
    return 0;
}

/* For what goes to one place. */
static int failed_at_its_place(const struct delivery *d, struct err *e)
{
    if (!d->places[0].failed)
        return 0;
    *e = d->places[0].failure;
    return -1;
}

int deliver_apply(const char *bundle, const char *dir, const struct deliver_options *o, struct delivery *ret,
                  struct err *e)
{
    AUTO(admitted) struct admitted a = {.from = {.dirfd = -1}};
    AUTO(delivery) struct delivery d = {0};
    struct spread spread;
    if (admit(bundle, o, &a, &d, e))
        return -1;
    spread_open(&spread, &d, &dir, 1, o, &a.verdict, &a.roles);
    spread.from = a.from.shown;
    int rc = unpack_bundle(&a, &spread, false, e);
    spread_close(&spread, rc ? e : NULL);
    if (failed_at_its_place(&d, e))
        return -1;
    *ret = d;
    d = (struct delivery){0};
    return 0;
}

int deliver_signature(const char *bundle, const char *comment, const struct deliver_options *o,
                      struct delivery *ret, struct err *e)
{
    AUTO(admitted) struct admitted a = {.from = {.dirfd = -1}};
    AUTO(delivery) struct delivery d = {0};
    if (admit(bundle, o, &a, &d, e))
        return -1;
    const struct medium medium = medium_posix(&a.from.dirfd);
    const struct sign_key *key;
    if (o->signer.get(o->signer.ctx, &key, e) || place_lock(&a.from, e) ||
        bundle_countersign(a.bundle, &medium, a.from.name, key, comment, o->progress, e))
        return err_context(e, "'%s'", bundle);
    *ret = d;
    d = (struct delivery){0};
    return 0;
}

/* ---- made anew, and removed ---- */

/* The one whose contents stand in the new bundle goes, if nobody else borrows from it. */
static int retire(const struct admitted *a, const struct place *whole, struct delivery *d, struct err *e)
{
    const struct medium medium = medium_posix(&a->from.dirfd);
    struct stat from, to;
    if (!bundle_is_shared(a->bundle) || !strcmp(a->from.name, whole->name) || fstat(a->from.dirfd, &from) ||
        fstat(whole->dirfd, &to) || from.st_ino != to.st_ino || from.st_dev != to.st_dev)
        return 0;
    if (bundle_remove(&medium, a->from.name, e) == 0)
        return 0;
    if (e->id != ERR_BUNDLE_NEEDED)
        return err_context(e, "'%s'", a->from.shown);
    d->still_lends = true;
    return 0;
}

static int repack(const struct admitted *a, struct spread *s, struct err *e)
{
    struct bundle_parts parts;
    bundle_take_apart(a->bundle, &parts);
    s->members = parts.members;
    s->count = parts.count;
    int rc = spread_bundles(s, e);
    bundle_parts_free(&parts);
    return rc || retire(a, &s->places[0], s->delivery, e) ? -1 : 0;
}

int deliver_repacked(const char *bundle, const char *to, const struct deliver_options *o,
                     struct delivery *ret, struct err *e)
{
    AUTO(admitted) struct admitted a = {.from = {.dirfd = -1}};
    AUTO(delivery) struct delivery d = {0};
    struct spread spread;
    if (admit(bundle, o, &a, &d, e))
        return -1;
    AUTO_FREE char *name = bundle_name(&a.verdict, &a.roles, false);
    AUTO_FREE char *beside = place_beside(bundle, name);
    const char *place = to ? to : beside;
    spread_open(&spread, &d, &place, 1, o, &a.verdict, &a.roles);
    spread.name = name;
    int rc = repack(&a, &spread, e);
    spread_close(&spread, rc ? e : NULL);
    if (failed_at_its_place(&d, e))
        return -1;
    d.places[0].to = NULL;
    *ret = d;
    d = (struct delivery){0};
    return 0;
}

int deliver_removal(const char *bundle, struct err *e)
{
    AUTO(place) struct place place = {.dirfd = -1};
    if (!place_is_file(bundle))
        return err_set(e, ERR_USAGE, "'%s' is no bundle: its name does not end in '.lockbox'", bundle);
    if (place_path(bundle, &place, e))
        return -1;
    const struct medium medium = medium_posix(&place.dirfd);
    if (place_lock(&place, e) || bundle_remove(&medium, place.name, e))
        return err_context(e, "'%s'", bundle);
    return 0;
}

void delivery_free(struct delivery *d)
{
    for (size_t i = 0; i < d->place_count; i++) {
        free(d->places[i].path);
        forecast_free(&d->places[i].forecast);
    }
    free(d->places);
    free(d->lockbox);
    free(d->valid_until_role);
    for (size_t i = 0; i < d->shares_with_count; i++)
        free(d->shares_with[i]);
    free(d->shares_with);
    *d = (struct delivery){0};
}
