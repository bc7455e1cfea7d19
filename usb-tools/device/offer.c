/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/offer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/fs.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/name.h"
#include "uptane/refusal.h"
#include "usb-tools/device/room.h"
#include "usb-tools/needs.h"
#include "usb-tools/roles.h"
#include "usb-tools/target_index.h"

void offer_free(struct offer *o)
{
    free(o->file);
    bundle_close(o->bundle);
    free(o->lockbox);
    *o = (struct offer){0};
}

/* ---- one bundle ---- */

static bool is_wanted(const struct verdict *v)
{
    for (size_t i = 0; i < v->target_count; i++)
        if (v->targets[i].wanted)
            return true;
    return false;
}

/* What a differential lockbox left out is in the device's own repository, or it is not for this device. */
static int check_needs(struct bundle *b, int root_fd, struct err *e)
{
    struct needs needs;
    if (needs_from_bundle(b, &needs, e))
        return -1;
    for (size_t i = 0; i < needs.count; i++) {
        char hex[HASH_HEX_SIZE];
        AUTO_FD int fd = -1;
        hash_hex(needs.commits[i], hex);
        AUTO_FREE char *path = mem_format("ostree/repo/objects/%.2s/%s.commit", hex, hex + 2);
        if (fs_open_at(root_fd, path, O_RDONLY, 0, &fd, e) == 0)
            return 0;
        if (e->id != ERR_NO_SUCH_PATH)
            return err_context(e, "'/%s'", path);
    }
    if (needs.count == 0)
        return 0;
    return err_set(e, ERR_BASE_MISSING,
                   "the bundle lacks what another OSTree image holds, which is not here");
}

static int check_targets(const struct bundle *b, const struct verdict *v, struct err *e)
{
    AUTO(target_index) struct target_index index = {0};
    target_index_make(b, &index);
    for (size_t i = 0; i < v->target_count; i++)
        if (v->targets[i].wanted && target_index_check(&index, &v->targets[i], e))
            return err_context(e, "target '%s'", v->targets[i].name);
    return 0;
}

static int judge(struct bundle *b, const struct offer_terms *t, struct verdict *ret, struct err *e)
{
    AUTO(roles) struct roles roles = {0};
    if (roles_from_bundle(b, &roles, e))
        return -1;
    const struct verdict_input in = {
        .files = roles.files, .file_count = roles.count, .now = t->now, .device = &t->facts->device};
    return verdict_decide(&in, ret, e);
}

static int check_bundle(struct bundle *b, const struct offer_terms *t, struct offer *o, struct err *e)
{
    AUTO(verdict) struct verdict v = {0};
    struct device *device = &t->facts->device;
    if (signer_keys_check(t->signers, b, e))
        return -1;
    int no_room = room_check(b, t->place_fd, &device->free_space, e);
    const struct err why = *e;
    device->has_free_space = !no_room;
    if (judge(b, t, &v, e))
        return -1;
    if (v.lockbox && t->lockbox && strcmp(v.lockbox, t->lockbox) != 0)
        return err_set(e, ERR_NOTHING_TO_INSTALL, "it is another lockbox than '%s'", t->lockbox);
    if (refusal_check(&v, e))
        return -1;
    if (v.outcome != VERDICT_INSTALL || !is_wanted(&v))
        return err_set(e, ERR_NOTHING_TO_INSTALL, "it holds nothing that this device lacks");
    if (no_room) { /* said only of a bundle that is for this device */
        *e = why;
        return -1;
    }
    if (check_targets(b, &v, e) || check_needs(b, t->root_fd, e))
        return -1;
    o->lockbox = mem_strdup(v.lockbox);
    o->version = v.lockbox_version;
    return 0;
}

/* `o` has the file's name; what is open of it stays there. */
static int open_offer(int dirfd, const struct offer_terms *t, struct offer *o, struct err *e)
{
    return name_check_text(o->file, e) || bundle_open(dirfd, o->file, &o->bundle, e) ||
                   check_bundle(o->bundle, t, o, e)
               ? -1
               : 0;
}

/* ---- all of a stick ---- */

#define BUNDLES_MAX 256u /* heads on a stick: each is opened and judged, which a person waits for */

struct search {
    int dirfd;
    const struct offer_terms *terms;
    const struct offer_listener *listener;
    struct offer best; /* file NULL: none yet */
    struct err first;  /* fault of a bundle; ERR_NONE: none */
    size_t count;
};

static bool is_head(const char *name)
{
    static const char ending[] = ".lockbox";
    size_t len = strlen(name);
    return name[0] != '.' && len > strlen(ending) && !strcmp(name + len - strlen(ending), ending);
}

/* Of two good ones; -1 where nobody can say which is meant. */
static int choose(struct search *s, struct offer *o, struct err *e)
{
    if (s->best.file && strcmp(s->best.lockbox, o->lockbox) != 0) {
        err_set(e, ERR_SEVERAL_LOCKBOXES, "the stick has '%s' and '%s' for this device", s->best.lockbox,
                o->lockbox);
        return err_hint(e, "name one with --lockbox, or leave only one on the stick");
    }
    if (s->best.file && s->best.version >= o->version)
        return 0;
    struct offer before = s->best;
    s->best = *o;
    *o = before;
    return 0;
}

static int look_at(void *ctx, const char *name, struct err *e)
{
    struct search *s = ctx;
    AUTO(offer) struct offer o = {0};
    struct err why;
    if (!is_head(name))
        return 0;
    if (s->count++ == BUNDLES_MAX)
        return err_set(e, ERR_TOO_LARGE, "the stick has more than %u bundles", BUNDLES_MAX);
    o.file = mem_strdup(name);
    if (open_offer(s->dirfd, s->terms, &o, &why) == 0)
        return choose(s, &o, e);
    if (s->first.id == ERR_NONE && why.id != ERR_NOTHING_TO_INSTALL)
        s->first = why;
    s->listener->pass(s->listener->ctx, name, o.bundle, &why);
    return 0;
}

int offer_find(int dirfd, const struct offer_terms *t, const struct offer_listener *l, struct offer *ret,
               struct err *e)
{
    struct search s = {.dirfd = dirfd, .terms = t, .listener = l};
    if (fs_each(dirfd, look_at, &s, e)) {
        offer_free(&s.best);
        return -1;
    }
    if (s.best.file) {
        *ret = s.best;
        return 0;
    }
    if (s.first.id != ERR_NONE) {
        *e = s.first;
        return -1;
    }
    return err_set(e, ERR_NOTHING_TO_INSTALL, "the stick has no bundle for this device");
}
