/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing a bundle. The order makes every moment harmless: metadata is packed into memory (the index needs
 * its frames), the payload volumes are written, read back and named, the head likewise; its rename is the
 * commit. Afterwards what the older bundle of that name has left is tidied away.
 *
 * A single file begins with the head, which knows every frame of the payload: so there the payload is packed
 * twice, once to know the frames and once to write them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bundle-format/bundle.h"
#include "bundle-format/destination.h"
#include "bundle-format/first.h"
#include "bundle-format/head.h"
#include "bundle-format/loan.h"
#include "bundle-format/pack.h"
#include "bundle-format/plan.h"
#include "bundle-format/volume.h"

#define FIRST_LEVEL 9 /* F0 is small, and always the same for the same members */

struct writer {
    const struct bundle_plan *plan;
    struct bundle_options options; /* with defaults filled in */
    unsigned workers;
    struct index index;
    struct buf first, signed_parts, index_bytes, metadata; /* F0; H and S; I; M */
    struct buf head;                                       /* all four */
    struct destinations to;
    uint64_t payload_done; /* raw bytes: progress goes on from there after a read-back */
    size_t written;        /* frames of a single file's second pass */
};

static int pack_part(struct writer *w, enum stream_part part, struct progress *progress,
                     int (*emit)(void *, const struct index_frame *, const void *, struct err *),
                     struct err *e)
{
    struct packing packing = {
        .index = &w->index,
        .part = part,
        .members = w->plan->members,
        .level = w->options.level,
        .workers = w->workers,
        .progress = progress,
        .emit = emit,
        .ctx = w,
    };
    return pack_stream(&packing, e);
}

/* ---- metadata ---- */

static int emit_metadata(void *ctx, const struct index_frame *frame, const void *stored, struct err *e)
{
    (void)e;
    struct writer *w = ctx;
    struct index_frame f = *frame;
    f.volume = 0;
    f.offset = w->metadata.len;
    index_add_frame(&w->index, &f);
    buf_add(&w->metadata, stored, f.stored);
    return 0;
}

static int pack_metadata(struct writer *w, struct err *e)
{
    struct index_volume v = {.number = 0};
    if (pack_part(w, STREAM_METADATA, NULL, emit_metadata, e))
        return -1;
    v.bytes = w->metadata.len;
    index_add_volume(&w->index, &v);
    return 0;
}

/* ---- payload volumes ---- */

static struct index_volume *last_volume(struct writer *w)
{
    return &w->index.volumes[w->index.volume_count - 1];
}

static bool in_own_volume(struct writer *w)
{
    return last_volume(w)->number > 0 && !last_volume(w)->borrowed;
}

/* Is there no room for this frame in the volume? A volume holds at least one, however small it should be. */
static bool volume_is_full(struct writer *w, const struct index_frame *f)
{
    const struct index_volume *v = last_volume(w);
    return !in_own_volume(w) || (v->bytes > VOLUME_SIZE && v->bytes + f->stored > w->options.volume_bytes);
}

/* Gives a frame of the payload its place, in a new volume where the last one is full. */
static int place_frame(struct writer *w, const struct index_frame *frame, struct err *e)
{
    struct index_frame f = *frame;
    if (volume_is_full(w, &f)) {
        unsigned number = 1 + index_own_volumes(&w->index);
        struct index_volume v = {.number = (uint16_t)number, .bytes = VOLUME_SIZE};
        if (number > LIMIT_VOLUMES)
            return err_set(e, ERR_BUNDLE_LIMIT, "more than %u volumes", LIMIT_VOLUMES);
        plan_volume_id(&w->index, &w->options, w->plan->loans, v.number, v.id);
        index_add_volume(&w->index, &v);
    }
    struct index_volume *v = last_volume(w);
    f.volume = (uint16_t)(w->index.volume_count - 1);
    f.offset = v->bytes;
    v->bytes += f.stored;
    index_add_frame(&w->index, &f);
    return 0;
}

static void begin_phase(struct writer *w, const char *phase)
{
    several_phase(w->to.at, phase, stream_size(&w->index, STREAM_IMAGES));
    for (size_t i = 0; i < w->to.at->count; i++)
        progress_skip(several_progress(w->to.at, i), w->payload_done);
}

static int finish_volume(struct writer *w, struct err *e)
{
    return destinations_finish_volume(&w->to, &w->index, w->index.volume_count - 1, e);
}

static int emit_to_volume(void *ctx, const struct index_frame *frame, const void *stored, struct err *e)
{
    struct writer *w = ctx;
    bool full = volume_is_full(w, frame);
    if (full && in_own_volume(w)) {
        if (finish_volume(w, e))
            return -1;
        begin_phase(w, "write");
    }
    if (place_frame(w, frame, e) || (full && destinations_begin_volume(&w->to, last_volume(w), e)))
        return -1;
    w->payload_done += frame->raw;
    return destinations_write(&w->to, stored, frame->stored, frame->raw, e);
}

static int write_volumes(struct writer *w, struct err *e)
{
    return pack_part(w, STREAM_IMAGES, NULL, emit_to_volume, e) || finish_volume(w, e) ? -1 : 0;
}

/* ---- the head ---- */

static int pack_first(struct writer *w, struct err *e)
{
    AUTO(buf) struct buf slice = {0};
    size_t stored;
    first_add(&slice, w->plan->manifest_json, w->plan->manifest_len, &w->index);
    if (slice.len > LIMIT_FIRST_FRAME)
        return err_set(e, ERR_BUNDLE_LIMIT, "the list of files is too long");
    struct frame_packer *packer = frame_packer_new(FIRST_LEVEL);
    int rc =
        frame_pack(packer, slice.data, slice.len, buf_reserve(&w->first, frame_bound(slice.len)), &stored, e);
    frame_packer_delete(packer);
    w->first.len = rc ? 0 : stored;
    return rc;
}

/* F0, H, S and I; M is packed before. */
static int make_head(struct writer *w, struct err *e)
{
    struct head head;
    struct head_digests digests;
    if (index_check(&w->index, e) || pack_first(w, e) || index_encode(&w->index, &w->index_bytes, e))
        return -1;
    hash_of(w->first.data, w->first.len, head.first_frame);
    hash_of(w->index_bytes.data, w->index_bytes.len, digests.index);
    memcpy(head.bundle_id, digests.index, BUNDLE_ID_SIZE);
    head_add(&w->signed_parts, &head);
    hash_of(w->signed_parts.data, w->signed_parts.len, digests.head);
    if (head_add_signature(&w->signed_parts, &digests, w->plan->signer, w->plan->comment, e))
        return -1;
    struct buf *parts[] = {&w->first, &w->signed_parts, &w->index_bytes, &w->metadata};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        buf_add(&w->head, parts[i]->data, parts[i]->len);
        buf_free(parts[i]);
    }
    return 0;
}

static int write_head(struct writer *w, struct err *e)
{
    return destinations_begin_head(&w->to, e) || destinations_write(&w->to, w->head.data, w->head.len, 0, e)
               ? -1
               : 0;
}

/* ---- a single file ---- */

static int emit_nowhere(void *ctx, const struct index_frame *frame, const void *stored, struct err *e)
{
    (void)stored;
    return place_frame(ctx, frame, e);
}

static int emit_to_single(void *ctx, const struct index_frame *frame, const void *stored, struct err *e)
{
    struct writer *w = ctx;
    const struct index_frame *planned = &w->index.frames[w->written++];
    AUTO(buf) struct buf start = {0};
    if (frame->stored != planned->stored || memcmp(frame->sha256, planned->sha256, HASH_SIZE))
        return err_set(e, ERR_INTERNAL, "the same bytes were packed differently a second time");
    if (planned->offset == VOLUME_SIZE)
        volume_start(&w->index.volumes[planned->volume], &start);
    buf_add(&start, stored, frame->stored);
    return destinations_write(&w->to, start.data, start.len, frame->raw, e);
}

static int write_single(struct writer *w, struct err *e)
{
    w->written = w->index.frame_count;
    begin_phase(w, "compress");
    if (pack_part(w, STREAM_IMAGES, w->to.at->whole, emit_nowhere, e))
        return -1;
    progress_end(w->to.at->whole);
    if (make_head(w, e) || write_head(w, e))
        return -1;
    begin_phase(w, "write");
    if (pack_part(w, STREAM_IMAGES, NULL, emit_to_single, e) || destinations_settle(&w->to, e))
        return -1;
    several_phase_end(w->to.at);
    return 0;
}

static int write_split(struct writer *w, struct err *e)
{
    begin_phase(w, "write");
    return write_volumes(w, e) || make_head(w, e) || write_head(w, e) || destinations_settle(&w->to, e) ? -1
                                                                                                        : 0;
}

/* ---- all of it ---- */

static bool is_planned(const void *ctx, const struct volume_id *v)
{
    const struct writer *w = ctx;
    uint8_t id[BUNDLE_ID_SIZE];
    plan_volume_id(&w->index, &w->options, w->plan->loans, v->number, id);
    return !w->options.single && !memcmp(id, v->id, BUNDLE_ID_SIZE);
}

static void summarize(const struct writer *w, struct bundle_summary *ret)
{
    *ret = (struct bundle_summary){
        .head_bytes = w->head.len,
        .raw_bytes = stream_size(&w->index, STREAM_METADATA) + stream_size(&w->index, STREAM_IMAGES),
        .frames = w->index.frame_count,
        .contents = w->index.content_count,
        .members = w->index.member_count,
    };
    for (size_t i = index_own_volume(&w->index); i < w->index.volume_count; i++)
        ret->payload_bytes += w->index.volumes[i].bytes;
}

static int write_all(struct writer *w, struct err *e)
{
    const struct dependents_keep keep = {.keeps = is_planned, .ctx = w};
    if (plan_index(w->plan, &w->index, e) || pack_workers(&w->options, &w->workers, e) ||
        destinations_prepare(&w->to, &keep, e) || pack_metadata(w, e) ||
        loans_place(w->plan->loans, &w->index, e))
        return -1;
    if ((w->options.single ? write_single(w, e) : write_split(w, e)) ||
        destinations_name_head(&w->to, &w->head, &w->index, w->options.single, e))
        return -1;
    return destinations_tidy(&w->to, w->options.single ? 1 : 1 + index_own_volumes(&w->index), e);
}

int bundle_write(const struct bundle_plan *plan, const struct bundle_options *options,
                 const struct bundle_place *places, struct several *at, struct bundle_summary *ret,
                 struct err *e)
{
    struct writer w = {.plan = plan, .options = *options};
    if (w.options.level == 0)
        w.options.level = BUNDLE_LEVEL_DEFAULT;
    if (w.options.memory == 0)
        w.options.memory = BUNDLE_MEMORY_DEFAULT;
    if (w.options.volume_bytes == 0)
        w.options.volume_bytes = BUNDLE_VOLUME_DEFAULT;
    destinations_open(&w.to, places, at, options->keep_cache);
    int rc = write_all(&w, e);
    if (rc == 0)
        summarize(&w, ret);
    rc = destinations_close(&w.to, rc, "cannot write the bundle", e);
    index_free(&w.index);
    buf_free(&w.first);
    buf_free(&w.signed_parts);
    buf_free(&w.index_bytes);
    buf_free(&w.metadata);
    buf_free(&w.head);
    return rc;
}
