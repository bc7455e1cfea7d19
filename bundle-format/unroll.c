/* SPDX-License-Identifier: Apache-2.0
 *
 * Through the frames of a bundle: one thread reads them ahead, workers check hashes and decompress, the
 * caller's thread holds the tar stream against the index and hashes contents.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bundle-format/limits.h"
#include "bundle-format/pipeline.h"
#include "bundle-format/reader.h"
#include "bundle-format/trail.h"

struct slot {
    const struct bundle *bundle;
    size_t frame;
    bool elsewhere; /* as the pieces that it holds */
    uint8_t *stored, *raw;
};

/* Two frames are at hand: the one that the sequence has come to [0], and one elsewhere [1]. */
#define NO_FRAME SIZE_MAX

struct held {
    size_t frame;
    uint8_t *raw;
};

struct unroller {
    struct bundle *bundle;
    const struct bundle_sink *sink;
    const struct frame_sink *frames;
    struct progress *progress;
    struct trail ahead;    /* which frames are to be read next */
    size_t ahead_frame[2]; /* the ones that were read last */
    struct trail trail;    /* how far the bytes have been taken */
    struct piece piece;    /* the next one */
    bool more;             /* there is one */
    struct held held[2];
    struct hash *content_hash, *member_hash;
};

/* ---- frames ---- */

static int read_frame(void *ctx, void *slot_, bool *ret_more, struct err *e)
{
    struct unroller *u = ctx;
    struct slot *slot = slot_;
    struct piece piece;
    while ((*ret_more = trail_next(&u->ahead, &piece))) {
        size_t *last = &u->ahead_frame[piece.run.elsewhere];
        if (piece.size == 0 || piece.frame == *last)
            continue;
        *last = slot->frame = piece.frame;
        slot->elsewhere = piece.run.elsewhere;
        return bundle_load_frame(u->bundle, slot->frame, slot->stored, e);
    }
    return 0;
}

static int unpack_slot(void *unpacker, void *slot_, struct err *e)
{
    struct slot *slot = slot_;
    const struct index_frame *f = &slot->bundle->index.frames[slot->frame];
    uint8_t digest[HASH_SIZE];
    hash_of(slot->stored, f->stored, digest);
    if (memcmp(digest, f->sha256, HASH_SIZE))
        return bundle_frame_error(slot->bundle, slot->frame, e);
    return frame_unpack(unpacker, slot->stored, f->stored, slot->raw, f->raw, e);
}

/* ---- the tar stream ---- */

static const char *run_path(const struct unroller *u)
{
    return index_path(&u->bundle->index, u->piece.run.member);
}

static const struct index_member *run_member(const struct unroller *u)
{
    return &u->bundle->index.members[u->piece.run.member];
}

static int check_digest(const struct unroller *u, struct hash *h, const uint8_t *expected, struct err *e)
{
    uint8_t digest[HASH_SIZE];
    hash_final(h, digest);
    if (memcmp(digest, expected, HASH_SIZE))
        return err_set(e, ERR_WRONG_HASH, "'%s' in bundle '%s' does not match its hash", run_path(u),
                       u->bundle->name);
    return 0;
}

static int end_run(struct unroller *u, struct err *e)
{
    const struct run *run = &u->piece.run;
    switch (run->kind) {
    case RUN_HEADER:
        return u->sink ? u->sink->begin(u->sink->ctx, run->member, e) : 0;
    case RUN_CONTENT:
        return check_digest(u, u->content_hash, u->bundle->index.contents[run->content].sha256, e);
    case RUN_PADDING:
        if (run_member(u)->ref_count > 1 && check_digest(u, u->member_hash, run_member(u)->sha256, e))
            return -1;
        return u->sink ? u->sink->end(u->sink->ctx, e) : 0;
    case RUN_END:
        break;
    }
    return 0;
}

static int take_bytes(struct unroller *u, const uint8_t *bytes, size_t n, struct err *e)
{
    hash_update(u->content_hash, bytes, n);
    if (run_member(u)->ref_count > 1) /* a member of one content has the same hash */
        hash_update(u->member_hash, bytes, n);
    return u->sink ? u->sink->write(u->sink->ctx, bytes, n, e) : 0;
}

static int compare_bytes(const struct unroller *u, const uint8_t *bytes, struct err *e)
{
    const struct piece *p = &u->piece;
    if (p->size == 0 || memcmp(bytes, p->run.bytes + p->at, p->size) == 0)
        return 0;
    if (p->run.kind == RUN_END)
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "the archive does not end as it must");
    return err_set(e, ERR_BUNDLE_INCONSISTENT, "the tar %s of '%s' disagrees with the index",
                   p->run.kind == RUN_HEADER ? "header" : "padding", run_path(u));
}

#define PIECE KIB(256) /* hashed and written while still in the processor's cache */

static int take_piece(struct unroller *u, struct err *e)
{
    const struct piece *p = &u->piece;
    const uint8_t *bytes = u->held[p->run.elsewhere].raw + p->offset;
    if (p->run.kind != RUN_CONTENT && compare_bytes(u, bytes, e))
        return -1;
    for (size_t at = 0, n; p->run.kind == RUN_CONTENT && at < p->size; at += n) {
        n = p->size - at < PIECE ? p->size - at : PIECE;
        if (take_bytes(u, bytes + at, n, e))
            return -1;
    }
    return p->last ? end_run(u, e) : 0;
}

/* Takes all pieces that lie in the frames at hand. */
static int take_pieces(struct unroller *u, struct err *e)
{
    while (u->more && (u->piece.size == 0 || u->held[u->piece.run.elsewhere].frame == u->piece.frame)) {
        if (take_piece(u, e))
            return -1;
        u->more = trail_next(&u->trail, &u->piece);
    }
    return 0;
}

static int take_frame(void *ctx, void *slot_, struct err *e)
{
    struct unroller *u = ctx;
    struct slot *slot = slot_;
    struct held *held = &u->held[slot->elsewhere];
    uint8_t *before = held->raw;
    *held = (struct held){.frame = slot->frame, .raw = slot->raw};
    slot->raw = before;
    progress_add(u->progress, u->bundle->index.frames[slot->frame].raw);
    if (take_pieces(u, e))
        return -1;
    return u->frames && !slot->elsewhere ? u->frames->take(u->frames->ctx, slot->frame, slot->stored, e) : 0;
}

/* ---- all of it ---- */

#define SLOTS_MEMORY MIB(16) /* leaves a device's 24 MiB room for contexts and the index */

/* Slots large enough for the part's largest frame, and few enough for the memory. */
static unsigned make_slots(struct unroller *u, enum stream_part part, unsigned workers, struct slot **ret)
{
    const struct index *x = &u->bundle->index;
    size_t stored = 1, raw = 1, metadata = index_metadata_frames(x);
    size_t first = part == STREAM_METADATA ? 0 : metadata;
    size_t end = part == STREAM_METADATA ? metadata : x->frame_count;
    for (size_t i = first; i < end; i++) {
        stored = x->frames[i].stored > stored ? x->frames[i].stored : stored;
        raw = x->frames[i].raw > raw ? x->frames[i].raw : raw;
    }
    size_t fit = SLOTS_MEMORY / (stored + raw);
    unsigned count = workers + 2 < fit ? workers + 2 : fit < 2 ? 2 : (unsigned)fit;
    struct slot *slots = mem_zeroed(count, sizeof *slots);
    for (unsigned i = 0; i < count; i++) {
        slots[i].bundle = u->bundle;
        slots[i].stored = mem_zeroed(stored, 1);
        slots[i].raw = mem_zeroed(raw, 1);
    }
    for (unsigned i = 0; i < (x->shared ? 2 : 1); i++)
        u->held[i].raw = mem_zeroed(raw, 1);
    *ret = slots;
    return count;
}

static int run_pipeline(struct unroller *u, enum stream_part part, unsigned workers, struct err *e)
{
    struct slot *slots;
    unsigned count = make_slots(u, part, workers, &slots);
    void **slot_list = mem_zeroed(count, sizeof *slot_list);
    void **unpackers = mem_zeroed(workers, sizeof *unpackers);
    for (unsigned i = 0; i < count; i++)
        slot_list[i] = &slots[i];
    for (unsigned i = 0; i < workers; i++)
        unpackers[i] = frame_unpacker_new();
    int rc = pipeline_run(&(struct pipeline){.produce = read_frame,
                                             .work = unpack_slot,
                                             .consume = take_frame,
                                             .ctx = u,
                                             .slots = slot_list,
                                             .slot_count = count,
                                             .workers = unpackers,
                                             .worker_count = workers},
                          e);
    for (unsigned i = 0; i < workers; i++)
        frame_unpacker_delete(unpackers[i]);
    for (unsigned i = 0; i < count; i++) {
        free(slots[i].stored);
        free(slots[i].raw);
    }
    free(slots);
    free(slot_list);
    free(unpackers);
    return rc;
}

int bundle_unroll(struct bundle *b, enum stream_part part, unsigned workers, const struct bundle_sink *sink,
                  const struct frame_sink *frames, struct progress *progress, struct err *e)
{
    struct unroller u = {
        .bundle = b,
        .sink = sink,
        .frames = frames,
        .progress = progress,
        .ahead_frame = {NO_FRAME, NO_FRAME},
        .held = {{.frame = NO_FRAME}, {.frame = NO_FRAME}},
        .content_hash = hash_new(),
        .member_hash = hash_new(),
    };
    trail_start(&u.ahead, &b->index, part);
    trail_start(&u.trail, &b->index, part);
    u.more = trail_next(&u.trail, &u.piece);
    int rc = u.more ? run_pipeline(&u, part, workers, e) : 0;
    if (rc == 0 && u.more)
        rc = err_set(e, ERR_INTERNAL, "fewer frames than members");
    for (unsigned i = 0; i < COUNT_OF(u.held); i++)
        free(u.held[i].raw);
    hash_delete(u.content_hash);
    hash_delete(u.member_hash);
    trail_free(&u.ahead);
    trail_free(&u.trail);
    return rc;
}
