/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/loan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bundle-format/lookup.h"
#include "bundle-format/pick.h"
#include "bundle-format/plan.h"
#include "bundle-format/reader.h"
#include "bundle-format/volume.h"

#define NOBODY UINT32_MAX

/* Another bundle of the folder. */
struct lender {
    struct bundle *bundle;
    uint32_t *lends; /* for each of its contents: the number that this has in the new bundle; NOBODY: none */
    struct borrowed_volume {
        bool is_borrowed;
        size_t old_frame, new_frame; /* where its frames begin in its own index and in the new one */
    } * volumes;
    bool damaged;
};

/* Where a content of the new bundle lies already. */
struct loan {
    uint32_t lender, content; /* lender NOBODY: nowhere */
};

struct bundle_loans {
    struct lender *lenders;
    size_t lender_count, lender_room;
    struct loan *loans; /* one for each content of the new bundle */
    size_t loan_count;
    struct bundle_loan *volumes;
    size_t volume_count, volume_room;
    uint64_t bytes;
    uint8_t identity[HASH_SIZE]; /* of the hashes of all that is borrowed */
};

/* ---- who could lend ---- */

struct search {
    const struct medium *medium;
    const char *name; /* of the bundle to be written */
    struct bundle_loans *loans;
};

static int look_at(void *ctx, const char *name, struct err *e)
{
    const struct search *s = ctx;
    struct bundle_loans *l = s->loans;
    struct lender lender = {0};
    struct err unreadable;
    (void)e;
    if (!volume_is_head_name(name) || !strcmp(name, s->name) ||
        bundle_open_on(s->medium, name, &lender.bundle, &unreadable))
        return 0;
    if (lender.bundle->single) { /* volumes are found by their own files */
        bundle_close(lender.bundle);
        return 0;
    }
    lender.lends = mem_zeroed(lender.bundle->index.content_count, sizeof *lender.lends);
    lender.volumes = mem_zeroed(lender.bundle->index.volume_count, sizeof *lender.volumes);
    mem_grow(&l->lenders, l->lender_count, &l->lender_room, sizeof *l->lenders);
    l->lenders[l->lender_count++] = lender;
    return 0;
}

/* ---- what they could lend ---- */

/* What lies in its own volumes, is wanted by the images, and is lent by nobody yet. */
static void match(struct bundle_loans *l, uint32_t number, const struct lookup *wanted, size_t first_image)
{
    struct lender *lender = &l->lenders[number];
    const struct index *x = &lender->bundle->index;
    size_t own = index_own_frame(x);
    for (size_t i = 0; i < x->content_count; i++) {
        const struct index_content *c = &x->contents[i];
        lender->lends[i] = NOBODY;
        if (lender->damaged || c->frame < own)
            continue;
        uint32_t place = *lookup_place(wanted, c->sha256, c->size);
        if (place == 0 || place - 1 < first_image || l->loans[place - 1].lender != NOBODY)
            continue;
        lender->lends[i] = place - 1;
        l->loans[place - 1] = (struct loan){.lender = number, .content = (uint32_t)i};
    }
}

static void match_all(struct bundle_loans *l, const struct index *x, const struct lookup *wanted)
{
    size_t metadata = index_metadata_count(x), first_image = 0;
    for (size_t r = 0; r < (metadata < x->member_count ? x->members[metadata].first_ref : x->ref_count); r++)
        first_image = x->refs[r] >= first_image ? x->refs[r] + 1 : first_image;
    for (size_t i = 0; i < l->loan_count; i++)
        l->loans[i].lender = NOBODY;
    for (uint32_t i = 0; i < l->lender_count; i++)
        match(l, i, wanted, first_image);
}

/* ---- whether they can be believed ---- */

/* What was written a moment ago would come from memory, and say nothing of the stick. */
static int drop_cache(const struct medium *medium, const struct bundle *b, struct err *e)
{
    for (size_t i = index_own_volume(&b->index); i < b->index.volume_count; i++)
        if (medium->drop_cache(medium->ctx, b->volumes[i].fd, e))
            return -1;
    return 0;
}

static int prove_lender(const struct medium *medium, struct lender *lender, struct progress *progress,
                        struct err *e)
{
    struct picker *picker = picker_new(lender->bundle);
    const struct index *x = &lender->bundle->index;
    int rc = drop_cache(medium, lender->bundle, e);
    for (uint32_t i = 0; i < x->content_count && rc == 0; i++) {
        if (lender->lends[i] == NOBODY)
            continue;
        rc = picker_prove(picker, i, e);
        progress_add(progress, x->contents[i].size);
    }
    picker_delete(picker);
    return rc;
}

static uint64_t borrowed_bytes(const struct bundle_loans *l, const struct index *x)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < l->loan_count; i++)
        sum += l->loans[i].lender == NOBODY ? 0 : x->contents[i].size;
    return sum;
}

/* Finds one that is damaged, which changes who lends what. */
static bool all_proven(const struct medium *medium, struct bundle_loans *l, struct progress *progress)
{
    struct err damage;
    for (size_t i = 0; i < l->lender_count; i++)
        if (!l->lenders[i].damaged && prove_lender(medium, &l->lenders[i], progress, &damage))
            return !(l->lenders[i].damaged = true);
    return true;
}

static void match_what_holds(const struct medium *medium, struct bundle_loans *l, const struct index *x,
                             struct progress *progress)
{
    AUTO(lookup) struct lookup wanted = lookup_new(x, x->content_count);
    for (size_t i = 0; i < x->content_count; i++)
        *lookup_place(&wanted, x->contents[i].sha256, x->contents[i].size) = (uint32_t)i + 1;
    do {
        match_all(l, x, &wanted);
        l->bytes = borrowed_bytes(l, x);
        progress_begin(progress, "compare", l->bytes);
    } while (!all_proven(medium, l, progress));
    progress_end(progress);
}

/* ---- which volumes hold it ---- */

/* Marks the volumes of all frames that a content goes through. */
static void mark_volumes(struct lender *lender, const struct index_content *c)
{
    const struct index *x = &lender->bundle->index;
    uint64_t end = c->offset + c->size;
    for (size_t f = c->frame;; f++) {
        lender->volumes[x->frames[f].volume].is_borrowed = true;
        if (end <= x->frames[f].raw)
            break;
        end -= x->frames[f].raw;
    }
}

static void add_volume(struct bundle_loans *l, const struct bundle *b, size_t volume)
{
    const struct index_volume *v = &b->index.volumes[volume];
    struct bundle_loan loan = {.file = volume_name(b->name, v->number, false)};
    memcpy(loan.id, v->id, sizeof loan.id);
    mem_grow(&l->volumes, l->volume_count, &l->volume_room, sizeof *l->volumes);
    l->volumes[l->volume_count++] = loan;
}

static void find_volumes(struct bundle_loans *l)
{
    for (size_t i = 0; i < l->loan_count; i++)
        if (l->loans[i].lender != NOBODY) {
            struct lender *lender = &l->lenders[l->loans[i].lender];
            mark_volumes(lender, &lender->bundle->index.contents[l->loans[i].content]);
        }
    for (size_t i = 0; i < l->lender_count; i++)
        for (size_t v = 1; v < l->lenders[i].bundle->index.volume_count; v++)
            if (l->lenders[i].volumes[v].is_borrowed)
                add_volume(l, l->lenders[i].bundle, v);
}

static void identify(struct bundle_loans *l, const struct index *x)
{
    AUTO_HASH struct hash *h = hash_new();
    for (size_t i = 0; i < l->loan_count; i++)
        if (l->loans[i].lender != NOBODY)
            hash_update(h, x->contents[i].sha256, HASH_SIZE);
    hash_final(h, l->identity);
}

int bundle_loans_find(const struct medium *medium, const char *name, const struct member *members,
                      size_t member_count, struct progress *progress, struct bundle_loans **ret,
                      struct err *e)
{
    AUTO(index) struct index x = {0};
    if (plan_members(members, member_count, &x, e))
        return -1;
    struct bundle_loans *l = mem_zeroed(1, sizeof *l);
    struct search search = {.medium = medium, .name = name, .loans = l};
    l->loans = mem_zeroed(x.content_count, sizeof *l->loans);
    l->loan_count = x.content_count;
    if (medium->list(medium->ctx, look_at, &search, e)) {
        bundle_loans_free(l);
        return -1;
    }
    match_what_holds(medium, l, &x, progress);
    find_volumes(l);
    identify(l, &x);
    if (l->volume_count == 0) {
        bundle_loans_free(l);
        l = NULL;
    }
    *ret = l;
    return 0;
}

/* ---- into the index ---- */

/* The borrowed volume with all its frames: they still follow each other from its start to its end. */
static int place_volume(struct lender *lender, size_t volume, struct index *x, struct err *e)
{
    const struct index *from = &lender->bundle->index;
    struct index_volume v = from->volumes[volume];
    v.borrowed = true;
    index_add_volume(x, &v);
    if (x->volume_count > LIMIT_BORROWED + 1)
        return err_set(e, ERR_BUNDLE_LIMIT, "more than %u borrowed volumes", LIMIT_BORROWED);
    size_t first = 0;
    while (from->frames[first].volume != volume)
        first++;
    lender->volumes[volume].old_frame = first;
    lender->volumes[volume].new_frame = x->frame_count;
    for (size_t i = first; i < from->frame_count && from->frames[i].volume == volume; i++) {
        struct index_frame f = from->frames[i];
        f.volume = (uint16_t)(x->volume_count - 1);
        index_add_frame(x, &f);
    }
    return 0;
}

static void place_content(const struct bundle_loans *l, size_t number, struct index *x)
{
    const struct loan *loan = &l->loans[number];
    if (loan->lender == NOBODY)
        return;
    const struct lender *lender = &l->lenders[loan->lender];
    const struct index *from = &lender->bundle->index;
    const struct index_content *c = &from->contents[loan->content];
    const struct borrowed_volume *v = &lender->volumes[from->frames[c->frame].volume];
    x->contents[number].frame = (uint32_t)(v->new_frame + c->frame - v->old_frame);
    x->contents[number].offset = c->offset;
}

int loans_place(const struct bundle_loans *l, struct index *x, struct err *e)
{
    if (!l)
        return 0;
    for (size_t i = 0; i < l->lender_count; i++)
        for (size_t v = 1; v < l->lenders[i].bundle->index.volume_count; v++)
            if (l->lenders[i].volumes[v].is_borrowed && place_volume(&l->lenders[i], v, x, e))
                return -1;
    for (size_t i = 0; i < l->loan_count; i++)
        place_content(l, i, x);
    return 0;
}

void loans_add_identity(const struct bundle_loans *l, struct buf *to)
{
    static const uint8_t nothing[HASH_SIZE];
    buf_add(to, l ? l->identity : nothing, HASH_SIZE);
}

/* ---- for the caller ---- */

size_t bundle_loans_count(const struct bundle_loans *l)
{
    return l->volume_count;
}

struct bundle_loan bundle_loans_at(const struct bundle_loans *l, size_t i)
{
    return l->volumes[i];
}

uint64_t bundle_loans_bytes(const struct bundle_loans *l)
{
    return l->bytes;
}

void bundle_loans_free(struct bundle_loans *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->lender_count; i++) {
        bundle_close(l->lenders[i].bundle);
        free(l->lenders[i].lends);
        free(l->lenders[i].volumes);
    }
    for (size_t i = 0; i < l->volume_count; i++)
        free(l->volumes[i].file);
    free(l->lenders);
    free(l->loans);
    free(l->volumes);
    free(l);
}
