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

struct slot {
    const struct bundle *bundle;
    size_t frame;
    uint8_t *stored, *raw;
};

struct unroller {
    struct bundle *bundle;
    const struct bundle_sink *sink;
    struct progress *progress;
    size_t next_frame, last_frame; /* to read; last: one after */
    struct stream stream;
    struct run run;
    uint64_t left; /* bytes of the run */
    bool in_run;
    struct hash *content_hash, *member_hash;
};

/* ---- frames ---- */

static int read_frame(void *ctx, void *slot_, bool *ret_more, struct err *e)
{
    struct unroller *u = ctx;
    struct slot *slot = slot_;
    *ret_more = u->next_frame < u->last_frame;
    if (!*ret_more)
        return 0;
    slot->frame = u->next_frame++;
    return bundle_load_frame(u->bundle, slot->frame, slot->stored, e);
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
    return index_path(&u->bundle->index, u->run.member);
}

static const struct index_member *run_member(const struct unroller *u)
{
    return &u->bundle->index.members[u->run.member];
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
    switch (u->run.kind) {
    case RUN_HEADER:
        return u->sink ? u->sink->begin(u->sink->ctx, u->run.member, e) : 0;
    case RUN_CONTENT:
        return check_digest(u, u->content_hash, u->bundle->index.contents[u->run.content].sha256, e);
    case RUN_PADDING:
        if (run_member(u)->ref_count > 1 && check_digest(u, u->member_hash, run_member(u)->sha256, e))
            return -1;
        return u->sink ? u->sink->end(u->sink->ctx, e) : 0;
    case RUN_END:
        break;
    }
    return 0;
}

/* Ends the runs that are complete; afterwards the next byte belongs to u->run, if there is a run. */
static int next_run(struct unroller *u, struct err *e)
{
    while (u->in_run && u->left == 0) {
        if (end_run(u, e))
            return -1;
        u->in_run = stream_next(&u->stream, &u->run);
        u->left = u->in_run ? u->run.size : 0;
    }
    return 0;
}

static int take_bytes(struct unroller *u, const uint8_t *bytes, size_t n, struct err *e)
{
    if (u->run.kind != RUN_CONTENT) {
        if (memcmp(bytes, u->run.bytes + (u->run.size - u->left), n) == 0)
            return 0;
        if (u->run.kind == RUN_END)
            return err_set(e, ERR_BUNDLE_INCONSISTENT, "the archive does not end as it must");
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "the tar %s of '%s' disagrees with the index",
                       u->run.kind == RUN_HEADER ? "header" : "padding", run_path(u));
    }
    hash_update(u->content_hash, bytes, n);
    if (run_member(u)->ref_count > 1) /* a member of one content has the same hash */
        hash_update(u->member_hash, bytes, n);
    return u->sink ? u->sink->write(u->sink->ctx, bytes, n, e) : 0;
}

#define PIECE KIB(256) /* hashed and written while still in the processor's cache */

static int take_frame(void *ctx, void *slot_, struct err *e)
{
    struct unroller *u = ctx;
    const struct slot *slot = slot_;
    size_t len = u->bundle->index.frames[slot->frame].raw;
    for (size_t at = 0; at < len;) {
        if (next_run(u, e))
            return -1;
        size_t room = len - at < PIECE ? len - at : PIECE;
        size_t n = room < u->left ? room : (size_t)u->left;
        if (n == 0) /* index_check() has compared the sums */
            return err_set(e, ERR_INTERNAL, "more frames than members");
        if (take_bytes(u, slot->raw + at, n, e))
            return -1;
        at += n;
        u->left -= n;
    }
    progress_add(u->progress, len);
    return 0;
}

/* ---- all of it ---- */

#define SLOTS_MEMORY MIB(16) /* leaves a device's 24 MiB room for contexts and the index */

/* Slots large enough for the part's largest frame, and few enough for the memory. */
static unsigned make_slots(const struct unroller *u, unsigned workers, struct slot **ret)
{
    size_t stored = 1, raw = 1;
    for (size_t i = u->next_frame; i < u->last_frame; i++) {
        const struct index_frame *f = &u->bundle->index.frames[i];
        stored = f->stored > stored ? f->stored : stored;
        raw = f->raw > raw ? f->raw : raw;
    }
    size_t fit = SLOTS_MEMORY / (stored + raw);
    unsigned count = workers + 2 < fit ? workers + 2 : fit < 2 ? 2 : (unsigned)fit;
    struct slot *slots = mem_zeroed(count, sizeof *slots);
    for (unsigned i = 0; i < count; i++) {
        slots[i].bundle = u->bundle;
        slots[i].stored = mem_zeroed(stored, 1);
        slots[i].raw = mem_zeroed(raw, 1);
    }
    *ret = slots;
    return count;
}

static int run_pipeline(struct unroller *u, unsigned workers, struct err *e)
{
    struct slot *slots;
    unsigned count = make_slots(u, workers, &slots);
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
                  struct progress *progress, struct err *e)
{
    size_t metadata = index_metadata_frames(&b->index);
    bool payload = part == STREAM_IMAGES;
    struct unroller u = {
        .bundle = b,
        .sink = sink,
        .progress = progress,
        .next_frame = payload ? metadata : 0,
        .last_frame = payload ? b->index.frame_count : metadata,
        .content_hash = hash_new(),
        .member_hash = hash_new(),
    };
    stream_start(&u.stream, &b->index, part);
    u.in_run = stream_next(&u.stream, &u.run);
    u.left = u.in_run ? u.run.size : 0;
    int rc = 0;
    if (u.next_frame < u.last_frame)
        rc = run_pipeline(&u, workers, e);
    if (rc == 0)
        rc = next_run(&u, e);
    if (rc == 0 && u.in_run)
        rc = err_set(e, ERR_INTERNAL, "fewer frames than members");
    hash_delete(u.content_hash);
    hash_delete(u.member_hash);
    stream_free(&u.stream);
    return rc;
}
