/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/deliver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "lockbox/assemble.h"
#include "lockbox/content_check.h"
#include "lockbox/incumbent.h"
#include "lockbox/manifest.h"
#include "lockbox/place.h"
#include "usb-tools/export_plain.h"
#include "usb-tools/readme.h"
#include "usb-tools/unpack.h"

/* What the device would refuse, or what ends too early, is not carried there. */
static int admit(const struct verdict *v, const struct deliver_options *o, struct err *e)
{
    char ends[CLOCK_TEXT_SIZE], needed[CLOCK_TEXT_SIZE];
    if (judge_refuse(v, e))
        return -1;
    if (v->valid_until > o->needed_until) /* at its last second a role is expired already */
        return 0;
    clock_format(v->valid_until, ends);
    clock_format(o->needed_until, needed);
    err_set(e, ERR_EXPIRES_TOO_SOON, "%s ends at %s, needed until %s", v->valid_until_role, ends, needed);
    return err_hint(e, "%s", verdict_renewal(v->valid_until_role, v->lockbox));
}

static char *bundle_name(const struct verdict *v, const struct roles *roles)
{
    char account[ACCOUNT_TEXT_SIZE];
    manifest_account(roles, account);
    return mem_format("%s-v%" PRId64 "-%s.lockbox", v->lockbox, v->lockbox_version, account);
}

static void describe(const struct verdict *v, struct delivery *d)
{
    d->lockbox = mem_strdup(v->lockbox);
    d->version = v->lockbox_version;
    d->valid_until = v->valid_until;
    d->valid_until_role = mem_strdup(v->valid_until_role);
}

static int refuse_older(const struct place *place, enum incumbent_kind kind, const struct verdict *v,
                        const struct roles *roles, const struct deliver_options *o, struct err *e)
{
    char account[ACCOUNT_TEXT_SIZE];
    manifest_account(roles, account);
    const struct newcomer n = {v->lockbox, v->lockbox_version, account};
    return incumbent_check(place, kind, &o->judge, &n, e);
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

static uint64_t images_bytes(const struct assembly *a)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < a->count; i++)
        sum += strncmp(a->members[i].path, "images/", strlen("images/")) ? 0 : a->members[i].size;
    return sum;
}

static int write_bundle(const struct assembly *a, const struct verdict *v, const struct roles *roles,
                        const char *to, const struct deliver_options *o, struct delivery *d, struct err *e)
{
    AUTO_FREE char *name = bundle_name(v, roles);
    AUTO_FREE char *manifest = manifest_make(v, roles, &d->needs, images_bytes(a));
    AUTO(place) struct place place = {.dirfd = -1};
    struct bundle_summary summary;
    const struct bundle_options options = {
        .single = o->single, .memory = o->memory, .volume_bytes = o->volume_bytes};
    const struct bundle_plan plan = {.manifest_json = manifest,
                                     .manifest_len = strlen(manifest),
                                     .members = a->members,
                                     .member_count = a->count,
                                     .signer = o->signer,
                                     .comment = ""};
    if (place_bundle(to, name, &place, e))
        return -1;
    const struct medium medium = medium_posix(&place.dirfd);
    if (refuse_older(&place, INCUMBENT_BUNDLE, v, roles, o, e) || begin_bundle(&place, e) ||
        bundle_write(&plan, &options, &medium, place.name, o->progress, &summary, e))
        return err_context(e, "'%s'", place.shown);
    d->path = mem_strdup(place.shown);
    d->stored = summary.head_bytes + summary.payload_bytes;
    d->newer_beside = find_newer(&place, v, roles);
    return 0;
}

static int write_plain(const struct assembly *a, const struct verdict *v, const struct roles *roles,
                       const char *to, const struct deliver_options *o, struct delivery *d, struct err *e)
{
    AUTO(place) struct place place = {.dirfd = -1};
    if (place_folder(to, "update", &place, e))
        return -1;
    if (refuse_older(&place, INCUMBENT_FOLDER, v, roles, o, e) ||
        export_plain(place.dirfd, place.name, a->members, a->count, o->progress, e))
        return err_context(e, "'%s'", place.shown);
    d->path = mem_strdup(place.shown);
    d->stored = d->raw;
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
    if (judge_roles(&o->judge, &roles, name, &verdict, e) || admit(&verdict, o, e))
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
    if (o->as == DELIVER_PLAIN ? write_plain(&assembly, &verdict, &roles, to, o, &d, e)
                               : write_bundle(&assembly, &verdict, &roles, to, o, &d, e))
        return mend_store(s, &record, name, e);
    *ret = d;
    d = (struct delivery){0};
    return 0;
}

/* ---- from a bundle ---- */

/* An opened bundle that was judged fit to be carried on. */
struct admitted {
    struct place from;
    struct bundle *bundle;
    struct roles roles;
    struct verdict verdict;
};

static void admitted_free(struct admitted *a)
{
    place_free(&a->from);
    bundle_close(a->bundle);
    roles_free(&a->roles);
    verdict_free(&a->verdict);
}

static int admit_bundle(const char *path, const struct deliver_options *o, struct admitted *a,
                        struct delivery *d, struct err *e)
{
    struct stat st;
    if (stat(path, &st) && errno == ENOENT)
        return err_set(e, ERR_NO_SUCH_PATH, "there is no such file");
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        err_set(e, ERR_NOT_A_LOCKBOX, "it is a folder; a bundle is a file x.lockbox");
        return err_hint(e, "name the bundle's head, such as STICK/airlock/x.lockbox");
    }
    if (place_path(path, &a->from, e) || bundle_open(a->from.dirfd, a->from.name, &a->bundle, e) ||
        roles_from_bundle(a->bundle, &a->roles, e) || judge_roles(&o->judge, &a->roles, NULL, &a->verdict, e))
        return -1;
    if (needs_from_bundle(a->bundle, &d->needs, e))
        return -1;
    needs_judge(&d->needs, o->judge.device, &a->verdict);
    if (content_check_bundle(a->bundle, &d->needs, &a->verdict, CONTENT_IMAGES, o->progress, e) ||
        admit(&a->verdict, o, e))
        return -1;
    bundle_sizes(a->bundle, &d->stored, &d->raw);
    d->members = bundle_member_count(a->bundle);
    describe(&a->verdict, d);
    return 0;
}

static int copy_bundle(const struct admitted *a, const char *to, const struct deliver_options *o,
                       struct delivery *d, struct err *e)
{
    AUTO_FREE char *name = bundle_name(&a->verdict, &a->roles);
    AUTO(place) struct place place = {.dirfd = -1};
    if (place_bundle(to, name, &place, e))
        return -1;
    const struct medium medium = medium_posix(&place.dirfd);
    if (refuse_older(&place, INCUMBENT_BUNDLE, &a->verdict, &a->roles, o, e) || begin_bundle(&place, e) ||
        bundle_copy(a->bundle, &medium, place.name, o->single, o->progress, e))
        return err_context(e, "'%s'", place.shown);
    d->path = mem_strdup(place.shown);
    d->newer_beside = find_newer(&place, &a->verdict, &a->roles);
    return 0;
}

static int unpack_bundle(const struct admitted *a, const struct place *to, const struct deliver_options *o,
                         struct delivery *d, struct err *e)
{
    if (refuse_older(to, INCUMBENT_FOLDER, &a->verdict, &a->roles, o, e) ||
        unpack(a->bundle, to->dirfd, to->name, o->progress, e)) {
        bool from = err_exit_code(e->id) == EXIT_REFUSED && e->id != ERR_NEWER_IS_THERE;
        return err_context(e, "'%s'", from ? a->from.shown : to->shown);
    }
    d->path = mem_strdup(to->shown);
    d->stored = d->raw;
    return 0;
}

enum carry { CARRY_COPY, CARRY_UPDATE, CARRY_FOLDER };

static int carry_bundle(const char *path, enum carry how, const char *to, const struct deliver_options *o,
                        struct delivery *ret, struct err *e)
{
    AUTO(admitted) struct admitted a = {.from = {.dirfd = -1}};
    AUTO(place) struct place place = {.dirfd = -1};
    AUTO(delivery) struct delivery d = {0};
    if (admit_bundle(path, o, &a, &d, e))
        return err_context(e, "'%s'", path);
    if (how == CARRY_COPY
            ? copy_bundle(&a, to, o, &d, e)
            : (how == CARRY_UPDATE ? place_folder(to, "update", &place, e) : place_path(to, &place, e)) ||
                  unpack_bundle(&a, &place, o, &d, e))
        return -1;
    *ret = d;
    d = (struct delivery){0};
    return 0;
}

int deliver_bundle(const char *bundle, const char *to, const struct deliver_options *o, struct delivery *ret,
                   struct err *e)
{
    return carry_bundle(bundle, o->as == DELIVER_PLAIN ? CARRY_UPDATE : CARRY_COPY, to, o, ret, e);
}

int deliver_apply(const char *bundle, const char *dir, const struct deliver_options *o, struct delivery *ret,
                  struct err *e)
{
    return carry_bundle(bundle, CARRY_FOLDER, dir, o, ret, e);
}

int deliver_signature(const char *bundle, const char *comment, const struct deliver_options *o,
                      struct delivery *ret, struct err *e)
{
    AUTO(admitted) struct admitted a = {.from = {.dirfd = -1}};
    AUTO(delivery) struct delivery d = {.path = mem_strdup(bundle)};
    if (admit_bundle(bundle, o, &a, &d, e))
        return err_context(e, "'%s'", bundle);
    const struct medium medium = medium_posix(&a.from.dirfd);
    if (lock_folder(&a.from, e) ||
        bundle_countersign(a.bundle, &medium, a.from.name, o->signer, comment, o->progress, e))
        return err_context(e, "'%s'", bundle);
    *ret = d;
    d = (struct delivery){0};
    return 0;
}

void delivery_free(struct delivery *d)
{
    free(d->path);
    free(d->lockbox);
    free(d->valid_until_role);
    *d = (struct delivery){0};
}
