/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/spread.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lockbox/incumbent.h"
#include "lockbox/manifest.h"
#include "lockbox/room.h"
#include "usb-tools/export_plain.h"
#include "usb-tools/export_squashfs.h"
#include "usb-tools/readme.h"

void spread_open(struct spread *ret, struct delivery *d, const char *const *to, size_t to_count,
                 const struct deliver_options *o, const struct verdict *v, const struct roles *roles)
{
    *ret = (struct spread){.delivery = d,
                           .options = o,
                           .verdict = v,
                           .roles = roles,
                           .places = mem_zeroed(to_count, sizeof *ret->places)};
    several_init(&ret->at, to_count, o->progress);
    d->places = mem_zeroed(to_count, sizeof *d->places);
    d->place_count = to_count;
    for (size_t i = 0; i < to_count; i++) {
        ret->places[i].dirfd = -1;
        d->places[i].to = to[i];
    }
}

static void take_failures(struct spread *s)
{
    for (size_t i = 0; i < s->at.count; i++) {
        struct delivered *d = &s->delivery->places[i];
        if (!s->at.ones[i].out || d->failed)
            continue;
        d->failed = true;
        d->failure = s->at.ones[i].failure;
        if (s->found)
            err_context(&d->failure, "'%s'",
                        s->from && err_exit_code(d->failure.id) == EXIT_REFUSED ? s->from : d->path);
    }
}

/* ---- finding ---- */

static struct newcomer newcomer(const struct spread *s, char account[ACCOUNT_TEXT_SIZE])
{
    manifest_account(s->roles, account);
    return (struct newcomer){s->verdict->lockbox, s->verdict->lockbox_version, account};
}

static int refuse_older(struct spread *s, size_t i, enum incumbent_kind kind, struct err *e)
{
    char account[ACCOUNT_TEXT_SIZE];
    const struct newcomer n = newcomer(s, account);
    return incumbent_check(&s->places[i], kind, &s->options->judge, &n, &s->delivery->places[i].there, e);
}

/* On a stick, versions stand beside each other. */
static int64_t find_newer(const struct spread *s, const struct place *place)
{
    char account[ACCOUNT_TEXT_SIZE];
    const struct newcomer n = newcomer(s, account);
    int64_t highest = place->on_stick ? incumbent_beside(place->dirfd, &n) : 0;
    return highest > n.version ? highest : 0;
}

static int find_bundle(void *ctx, size_t i, struct err *e)
{
    struct spread *s = ctx;
    struct delivered *d = &s->delivery->places[i];
    struct place *place = &s->places[i];
    /* where something is shared, the place is known by now */
    if (place->dirfd < 0 && place_bundle(d->to, s->name, !s->options->dry_run, place, e))
        return -1;
    d->path = mem_strdup(place->shown);
    d->newer_beside = find_newer(s, place);
    if (refuse_older(s, i, INCUMBENT_BUNDLE, e) ||
        room_for_bundle(place, s->least, s->most, s->single, s->options->volume_bytes, &d->forecast, e))
        return err_context(e, "'%s'", place->shown);
    return 0;
}

static int check_folder(struct spread *s, size_t i, struct err *e)
{
    struct delivered *d = &s->delivery->places[i];
    struct place *place = &s->places[i];
    d->path = mem_strdup(place->shown);
    if (refuse_older(s, i, INCUMBENT_FOLDER, e) ||
        room_for_folder(place, s->members, s->count, s->options->judge.device, &d->forecast, e))
        return err_context(e, "'%s'", place->shown);
    return 0;
}

static int find_folder(void *ctx, size_t i, struct err *e)
{
    struct spread *s = ctx;
    return place_folder(s->delivery->places[i].to, "update", &s->places[i], e) || check_folder(s, i, e) ? -1
                                                                                                        : 0;
}

static int find_named_folder(void *ctx, size_t i, struct err *e)
{
    struct spread *s = ctx;
    return place_path(s->delivery->places[i].to, &s->places[i], e) || check_folder(s, i, e) ? -1 : 0;
}

static int find_image(void *ctx, size_t i, struct err *e)
{
    struct spread *s = ctx;
    struct delivered *d = &s->delivery->places[i];
    struct place *place = &s->places[i];
    if (place_folder(d->to, SQUASHFS_NAME, place, e))
        return -1;
    d->path = mem_strdup(place->shown);
    if (refuse_older(s, i, INCUMBENT_IMAGE, e) ||
        room_for_image(place, s->members, s->count, &d->forecast, e))
        return err_context(e, "'%s'", place->shown);
    return 0;
}

static int find(struct spread *s, int (*find_one)(void *ctx, size_t i, struct err *e), struct err *e)
{
    int rc = several_in_turn(&s->at, find_one, s, e);
    take_failures(s);
    s->found = true;
    if (s->options->listener.foretold)
        s->options->listener.foretold(s->options->listener.ctx, s->delivery);
    return rc;
}

int spread_find_bundles(struct spread *s, struct err *e)
{
    return find(s, find_bundle, e);
}

int spread_find_folders(struct spread *s, struct err *e)
{
    return find(s, find_folder, e);
}

int spread_find_named_folder(struct spread *s, struct err *e)
{
    return find(s, find_named_folder, e);
}

/* ---- writing ---- */

static int begin_bundle(void *ctx, size_t i, struct err *e)
{
    struct spread *s = ctx;
    if (place_lock(&s->places[i], e))
        return -1;
    if (s->places[i].on_stick)
        readme_write(s->places[i].dirfd);
    return 0;
}

int spread_begin_bundles(struct spread *s, struct err *e)
{
    return several_in_turn(&s->at, begin_bundle, s, e);
}

const struct bundle_place *spread_bundle_places(struct spread *s)
{
    s->media = mem_zeroed(s->at.count, sizeof *s->media);
    s->bundle_places = mem_zeroed(s->at.count, sizeof *s->bundle_places);
    for (size_t i = 0; i < s->at.count; i++) {
        s->media[i] = medium_posix(&s->places[i].dirfd);
        s->bundle_places[i] = (struct bundle_place){.medium = &s->media[i], .name = s->places[i].name};
    }
    return s->bundle_places;
}

static void note_size(struct spread *s, uint64_t stored)
{
    for (size_t i = 0; i < s->at.count; i++)
        s->delivery->places[i].stored = stored;
}

static uint64_t images_bytes(const struct spread *s)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s->count; i++)
        sum += strncmp(s->members[i].path, "images/", strlen("images/")) ? 0 : s->members[i].size;
    return sum;
}

/* Nothing compressed, with a header and an entry of the index for each member. */
#define MEMBER_OVERHEAD 1536u
#define BUNDLE_OVERHEAD (1u << 20)

static uint64_t packed_at_most(const struct spread *s)
{
    uint64_t sum = BUNDLE_OVERHEAD + (uint64_t)s->count * MEMBER_OVERHEAD;
    for (size_t i = 0; i < s->count; i++)
        sum += s->members[i].size;
    return sum - s->delivery->shared;
}

int spread_bundles(struct spread *s, struct err *e)
{
    const struct deliver_options *o = s->options;
    AUTO_FREE char *manifest =
        manifest_make(s->verdict, s->roles, &s->delivery->needs, s->loans, images_bytes(s));
    const struct bundle_options options = {
        .single = o->single, .memory = o->memory, .volume_bytes = o->volume_bytes};
    struct bundle_plan plan = {.manifest_json = manifest,
                               .manifest_len = strlen(manifest),
                               .members = s->members,
                               .member_count = s->count,
                               .comment = "",
                               .loans = s->loans};
    struct bundle_summary summary;
    s->most = packed_at_most(s);
    s->single = o->single;
    if (spread_find_bundles(s, e))
        return -1;
    if (o->dry_run)
        return 0;
    if (o->signer.get(o->signer.ctx, &plan.signer, e) || spread_begin_bundles(s, e) ||
        bundle_write(&plan, &options, spread_bundle_places(s), &s->at, &summary, e))
        return -1;
    note_size(s, summary.head_bytes + summary.payload_bytes);
    return 0;
}

int spread_folders(struct spread *s, struct err *e)
{
    AUTO_FREE struct export_place *places = mem_zeroed(s->at.count, sizeof *places);
    note_size(s, s->delivery->raw);
    if (spread_find_folders(s, e))
        return -1;
    if (s->options->dry_run)
        return 0;
    for (size_t i = 0; i < s->at.count; i++)
        places[i] = (struct export_place){.dirfd = s->places[i].dirfd, .name = s->places[i].name};
    return export_plain(places, &s->at, s->members, s->count, e);
}

static int lock_image(void *ctx, size_t i, struct err *e)
{
    struct spread *s = ctx;
    return place_lock(&s->places[i], e);
}

int spread_images(struct spread *s, struct err *e)
{
    AUTO_FREE int *dirfds = mem_zeroed(s->at.count, sizeof *dirfds);
    uint64_t stored = 0;
    if (find(s, find_image, e))
        return -1;
    if (s->options->dry_run)
        return 0;
    for (size_t i = 0; i < s->at.count; i++)
        dirfds[i] = s->places[i].dirfd;
    if (several_in_turn(&s->at, lock_image, s, e) ||
        export_squashfs(dirfds, &s->at, s->members, s->count, s->options->squashfs_key, &stored, e))
        return -1;
    note_size(s, stored);
    return 0;
}

/* ---- the end ---- */

void spread_close(struct spread *s, const struct err *failure)
{
    if (failure)
        several_fail(&s->at, failure);
    take_failures(s);
    for (size_t i = 0; i < s->at.count; i++)
        place_free(&s->places[i]);
    free(s->places);
    free(s->media);
    free(s->bundle_places);
    bundle_loans_free(s->loans);
    several_free(&s->at);
}
