/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "lockbox/admit.h"
#include "lockbox/assemble.h"
#include "lockbox/incumbent.h"
#include "lockbox/manifest.h"
#include "lockbox/place.h"
#include "lockbox/room.h"
#include "usb-tools/export_plain.h"
#include "usb-tools/export_squashfs.h"
#include "usb-tools/readme.h"
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

static int refuse_older(const struct place *place, enum incumbent_kind kind, const struct verdict *v,
                        const struct roles *roles, const struct deliver_options *o, struct delivery *d,
                        struct err *e)
{
    char account[ACCOUNT_TEXT_SIZE];
    manifest_account(roles, account);
    const struct newcomer n = {v->lockbox, v->lockbox_version, account};
    return incumbent_check(place, kind, &o->judge, &n, &d->there, e);
}

/* On a stick, versions stand beside each other. */
static int64_t find_newer(const struct place *place, const struct verdict *v, const struct roles *roles)
{
    char account[ACCOUNT_TEXT_SIZE];
    manifest_account(roles, account);
    const struct newcomer n = {v->lockbox, v->lockbox_version, account};
    int64_t highest = place->on_stick ? incumbent_beside(place->dirfd, &n) : 0;
    return highest > v->lockbox_version ? highest : 0;
}

/* Two that write the same names would read back each other's bytes and blame the stick. A file system that
 * knows no locks is not refused. */
static int lock_folder(const struct place *place, struct err *e)
{
    if (flock(place->dirfd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
        return err_set(e, ERR_STORE_LOCKED, "another airlock is writing beside it");
    return 0;
}

static int begin_bundle(const struct place *place, struct err *e)
{
    if (lock_folder(place, e))
        return -1;
    if (place->on_stick)
        readme_write(place->dirfd);
    return 0;
}

static uint64_t images_bytes(const struct member *members, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += strncmp(members[i].path, "images/", strlen("images/")) ? 0 : members[i].size;
    return sum;
}

/* A bundle in the making. */
struct packing {
    const struct member *members;
    size_t count;
    const struct verdict *verdict;
    const struct roles *roles;
    struct bundle_loans *loans; /* NULL: it stands for itself */
};

/* Nothing compressed, with a header and an entry of the index for each member. */
#define MEMBER_OVERHEAD 1536u
#define BUNDLE_OVERHEAD (1u << 20)

static uint64_t packed_at_most(const struct packing *p, const struct delivery *d)
{
    uint64_t sum = BUNDLE_OVERHEAD + (uint64_t)p->count * MEMBER_OVERHEAD;
    for (size_t i = 0; i < p->count; i++)
        sum += p->members[i].size;
    return sum - d->shared;
}

static void remember_loans(const struct bundle_loans *loans, struct delivery *d)
{
    d->shares_with_count = bundle_loans_count(loans);
    d->shares_with = mem_zeroed(d->shares_with_count, sizeof *d->shares_with);
    for (size_t i = 0; i < d->shares_with_count; i++)
        d->shares_with[i] = mem_strdup(bundle_loans_at(loans, i).file);
    d->shared = bundle_loans_bytes(loans);
}

static int pack(const struct packing *p, const struct place *place, const struct deliver_options *o,
                struct delivery *d, struct err *e)
{
    AUTO_FREE char *manifest =
        manifest_make(p->verdict, p->roles, &d->needs, p->loans, images_bytes(p->members, p->count));
    const struct medium medium = medium_posix(&place->dirfd);
    struct bundle_summary summary;
    const struct bundle_options options = {
        .single = o->single, .memory = o->memory, .volume_bytes = o->volume_bytes};
    struct bundle_plan plan = {.manifest_json = manifest,
                               .manifest_len = strlen(manifest),
                               .members = p->members,
                               .member_count = p->count,
                               .comment = "",
                               .loans = p->loans};
    d->path = mem_strdup(place->shown);
    d->newer_beside = find_newer(place, p->verdict, p->roles);
    if (refuse_older(place, INCUMBENT_BUNDLE, p->verdict, p->roles, o, d, e) ||
        room_for_bundle(place, 0, packed_at_most(p, d), o->single, o->volume_bytes, &d->forecast, e))
        return err_context(e, "'%s'", place->shown);
    if (o->dry_run)
        return 0;
    if (o->signer.get(o->signer.ctx, &plan.signer, e) || begin_bundle(place, e) ||
        bundle_write(&plan, &options, &medium, place->name, o->progress, &summary, e))
        return err_context(e, "'%s'", place->shown);
    d->stored = summary.head_bytes + summary.payload_bytes;
    return 0;
}

/* Where something beside it can be shared, the place has another name. A whole bundle that is there is
 * renewed as it is. */
static int find_loans(struct packing *p, const char *to, const struct deliver_options *o, struct place *place,
                      struct err *e)
{
    AUTO_FREE char *name = bundle_name(p->verdict, p->roles, true);
    AUTO(place) struct place shared = {.dirfd = -1};
    if (place->on_stick && faccessat(place->dirfd, place->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    if (place_bundle(to, name, !o->dry_run, &shared, e))
        return -1;
    const struct medium medium = medium_posix(&shared.dirfd);
    /* from here on nobody removes what is found; the lock goes with the place */
    if (!o->dry_run && lock_folder(&shared, e))
        return err_context(e, "'%s'", shared.shown);
    if (bundle_loans_find(&medium, shared.name, p->members, p->count, o->progress, &p->loans, e))
        return err_context(e, "'%s'", shared.shown);
    if (!p->loans)
        return 0;
    struct place whole = *place;
    *place = shared;
    shared = whole;
    return 0;
}

static int write_bundle(const struct assembly *a, const struct verdict *v, const struct roles *roles,
                        const char *to, const struct deliver_options *o, struct delivery *d, struct err *e)
{
    AUTO_FREE char *name = bundle_name(v, roles, false);
    AUTO(place) struct place place = {.dirfd = -1};
    struct packing p = {.members = a->members, .count = a->count, .verdict = v, .roles = roles};
    if (place_bundle(to, name, !o->dry_run, &place, e) || (o->share && find_loans(&p, to, o, &place, e)))
        return -1;
    if (p.loans)
        remember_loans(p.loans, d);
    int rc = pack(&p, &place, o, d, e);
    bundle_loans_free(p.loans);
    return rc;
}

static int write_plain(const struct assembly *a, const struct verdict *v, const struct roles *roles,
                       const char *to, const struct deliver_options *o, struct delivery *d, struct err *e)
{
    AUTO(place) struct place place = {.dirfd = -1};
    if (place_folder(to, "update", &place, e))
        return -1;
    d->path = mem_strdup(place.shown);
    d->stored = d->raw;
    if (refuse_older(&place, INCUMBENT_FOLDER, v, roles, o, d, e) ||
        room_for_folder(&place, a->members, a->count, o->judge.device, &d->forecast, e))
        return err_context(e, "'%s'", place.shown);
    if (o->dry_run)
        return 0;
    if (export_plain(place.dirfd, place.name, a->members, a->count, o->progress, e))
        return err_context(e, "'%s'", place.shown);
    return 0;
}

static int write_squashfs(const struct member *members, size_t count, const char *to,
                          const struct deliver_options *o, struct delivery *d, struct err *e)
{
    AUTO(place) struct place place = {.dirfd = -1};
    if (place_folder(to, SQUASHFS_NAME, &place, e))
        return -1;
    d->path = mem_strdup(place.shown);
    if (room_for_image(&place, members, count, &d->forecast, e))
        return err_context(e, "'%s'", place.shown);
    if (o->dry_run)
        return 0;
    if (lock_folder(&place, e) ||
        export_squashfs(place.dirfd, members, count, o->squashfs_key, o->progress, &d->stored, e))
        return err_context(e, "'%s'", place.shown);
    return 0;
}

/* An object of the store that turned out damaged or missing is removed, so that fetching mends it. */
static int mend_store(const struct store *s, const struct record *r, const char *name, struct err *e)
{
    struct err ignored;
    size_t bad = 0;
    bool suspect = e->id == ERR_WRONG_HASH || e->id == ERR_WRONG_LENGTH || e->id == ERR_NO_SUCH_PATH ||
                   e->id == ERR_BAD_IMAGE; /* a layer that does not unpack */
    if (!suspect || record_drop_damaged(s, r, &bad, &ignored) || bad == 0)
        return -1;
    if (e->id == ERR_NO_SUCH_PATH)
        e->id = ERR_NOT_FETCHED;
    return err_hint(e, "the store lacks %zu of its files now; fetch them again: airlock fetch %s", bad, name);
}

static int write_assembly(const struct assembly *a, const struct verdict *v, const struct roles *roles,
                          const char *to, const struct deliver_options *o, struct delivery *d, struct err *e)
{
    switch (o->as) {
    case DELIVER_PLAIN:
        return write_plain(a, v, roles, to, o, d, e);
    case DELIVER_SQUASHFS:
        return write_squashfs(a->members, a->count, to, o, d, e);
    case DELIVER_BUNDLE:
        break;
    }
    return write_bundle(a, v, roles, to, o, d, e);
}

int deliver_lockbox(const struct store *s, const char *profile, const char *name, const char *to,
                    const struct deliver_options *o, struct delivery *ret, struct err *e)
{
    AUTO(record) struct record record = {0};
    AUTO(roles) struct roles roles = {0};
    AUTO(verdict) struct verdict verdict = {0};
    AUTO(assembly) struct assembly assembly = {0};
    AUTO(delivery) struct delivery d = {0};
    if (record_load(s, profile, name, &record, e))
        return -1;
    if (roles_from_store(s, &record, &roles, e))
        return mend_store(s, &record, name, e);
    if (judge_roles(&o->judge, &roles, name, &verdict, e) || admit_verdict(&verdict, o->needed_until, e))
        return -1;
    if (o->base && base_plan(o->base, s, &verdict, &d.needs, e))
        return mend_store(s, &record, name, e);
    assemble(s, &record, &d.needs, &assembly);
    if (o->base)
        base_leave_out(o->base, &assembly, &d.left_out_files, &d.left_out_bytes);
    d.members = assembly.count;
    for (size_t i = 0; i < assembly.count; i++)
        d.raw += assembly.members[i].size;
    describe(&verdict, &d);
    if (write_assembly(&assembly, &verdict, &roles, to, o, &d, e))
        return mend_store(s, &record, name, e);
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
    if (admit_bundle(path, &how, a, e))
        return err_context(e, "'%s'", path);
    d->needs = a->needs;
    bundle_sizes(a->bundle, &d->stored, &d->raw);
    d->members = bundle_member_count(a->bundle);
    describe(&a->verdict, d);
    return 0;
}

static int copy_bundle(const struct admitted *a, const char *to, const struct deliver_options *o,
                       struct delivery *d, struct err *e)
{
    AUTO_FREE char *name = bundle_name(&a->verdict, &a->roles, false);
    AUTO(place) struct place place = {.dirfd = -1};
    enum bundle_form form = o->single ? BUNDLE_SINGLE : o->split ? BUNDLE_SPLIT : BUNDLE_AS_IT_IS;
    bool single = o->single || (bundle_is_single(a->bundle) && !o->split);
    if (bundle_is_shared(a->bundle))
        return err_set(e, ERR_BUNDLE_SHARED, "'%s' borrows contents of other bundles: it is not copied",
                       a->from.shown);
    if (place_bundle(to, name, !o->dry_run, &place, e))
        return -1;
    const struct medium medium = medium_posix(&place.dirfd);
    d->path = mem_strdup(place.shown);
    d->newer_beside = find_newer(&place, &a->verdict, &a->roles);
    if (refuse_older(&place, INCUMBENT_BUNDLE, &a->verdict, &a->roles, o, d, e) ||
        room_for_bundle(&place, d->stored, d->stored, single, o->volume_bytes, &d->forecast, e))
        return err_context(e, "'%s'", place.shown);
    if (o->dry_run)
        return 0;
    if (begin_bundle(&place, e) || bundle_copy(a->bundle, &medium, place.name, form, o->progress, e))
        return err_context(e, "'%s'", place.shown);
    return 0;
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

static int unpack_bundle(const struct admitted *a, const struct place *to, const struct deliver_options *o,
                         struct delivery *d, struct err *e)
{
    AUTO_FREE struct member *members = list_members(a->bundle);
    d->path = mem_strdup(to->shown);
    d->stored = d->raw;
    if (refuse_older(to, INCUMBENT_FOLDER, &a->verdict, &a->roles, o, d, e) ||
        room_for_folder(to, members, bundle_member_count(a->bundle), o->judge.device, &d->forecast, e))
        return err_context(e, "'%s'", to->shown);
    if (o->dry_run)
        return 0;
    if (unpack(a->bundle, to->dirfd, to->name, o->progress, e))
        return err_context(e, "'%s'", err_exit_code(e->id) == EXIT_REFUSED ? a->from.shown : to->shown);
    return 0;
}

static int convert_to_squashfs(const struct admitted *a, const char *to, const struct deliver_options *o,
                               struct delivery *d, struct err *e)
{
    struct bundle_parts parts;
    bundle_take_apart(a->bundle, &parts);
    int rc = write_squashfs(parts.members, parts.count, to, o, d, e);
    bundle_parts_free(&parts);
    return rc;
}

/* To the lockbox directory, which is TO/update or, where so named, `to` itself. */
static int carry_to_folder(const struct admitted *a, bool update, const char *to,
                           const struct deliver_options *o, struct delivery *d, struct err *e)
{
    AUTO(place) struct place place = {.dirfd = -1};
    if (update ? place_folder(to, "update", &place, e) : place_path(to, &place, e))
        return -1;
    return unpack_bundle(a, &place, o, d, e);
}

int deliver_bundle(const char *bundle, const char *to, const struct deliver_options *o, struct delivery *ret,
                   struct err *e)
{
    AUTO(admitted) struct admitted a = {.from = {.dirfd = -1}};
    AUTO(delivery) struct delivery d = {0};
    if (admit(bundle, o, &a, &d, e))
        return -1;
    if (o->as == DELIVER_SQUASHFS ? convert_to_squashfs(&a, to, o, &d, e)
        : o->as == DELIVER_PLAIN  ? carry_to_folder(&a, true, to, o, &d, e)
                                  : copy_bundle(&a, to, o, &d, e))
        return -1;
    *ret = d;
    d = (struct delivery){0};
    return 0;
}

int deliver_apply(const char *bundle, const char *dir, const struct deliver_options *o, struct delivery *ret,
                  struct err *e)
{
    AUTO(admitted) struct admitted a = {.from = {.dirfd = -1}};
    AUTO(delivery) struct delivery d = {0};
    if (admit(bundle, o, &a, &d, e) || carry_to_folder(&a, false, dir, o, &d, e))
        return -1;
    *ret = d;
    d = (struct delivery){0};
    return 0;
}

int deliver_signature(const char *bundle, const char *comment, const struct deliver_options *o,
                      struct delivery *ret, struct err *e)
{
    AUTO(admitted) struct admitted a = {.from = {.dirfd = -1}};
    AUTO(delivery) struct delivery d = {.path = mem_strdup(bundle)};
    if (admit(bundle, o, &a, &d, e))
        return -1;
    const struct medium medium = medium_posix(&a.from.dirfd);
    const struct sign_key *key;
    if (o->signer.get(o->signer.ctx, &key, e) || lock_folder(&a.from, e) ||
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

int deliver_repacked(const char *bundle, const char *to, const struct deliver_options *o,
                     struct delivery *ret, struct err *e)
{
    AUTO(admitted) struct admitted a = {.from = {.dirfd = -1}};
    AUTO(place) struct place place = {.dirfd = -1};
    AUTO(delivery) struct delivery d = {0};
    struct bundle_parts parts;
    if (admit(bundle, o, &a, &d, e))
        return -1;
    AUTO_FREE char *name = bundle_name(&a.verdict, &a.roles, false);
    AUTO_FREE char *beside = place_beside(bundle, name);
    if (place_bundle(to ? to : beside, name, true, &place, e))
        return -1;
    bundle_take_apart(a.bundle, &parts);
    const struct packing p = {
        .members = parts.members, .count = parts.count, .verdict = &a.verdict, .roles = &a.roles};
    int rc = pack(&p, &place, o, &d, e);
    bundle_parts_free(&parts);
    if (rc || retire(&a, &place, &d, e))
        return -1;
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
    if (lock_folder(&place, e) || bundle_remove(&medium, place.name, e))
        return err_context(e, "'%s'", bundle);
    return 0;
}

void delivery_free(struct delivery *d)
{
    free(d->path);
    free(d->lockbox);
    free(d->valid_until_role);
    for (size_t i = 0; i < d->shares_with_count; i++)
        free(d->shares_with[i]);
    free(d->shares_with);
    forecast_free(&d->forecast);
    *d = (struct delivery){0};
}
