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
#include "bundle-format/first.h"
#include "bundle-format/head.h"
#include "bundle-format/output.h"
#include "bundle-format/pack.h"
#include "bundle-format/plan.h"
#include "bundle-format/reader.h"
#include "bundle-format/volume.h"

#define FIRST_LEVEL 9 /* F0 is small, and always the same for the same members */

struct writer {
    const struct bundle_plan *plan;
    struct bundle_options options; /* with defaults filled in */
    const struct medium *medium;
    const char *name;
    struct progress *progress;
    unsigned workers;
    bool replaces;                   /* there is a head of that name */
    bool pending[LIMIT_VOLUMES + 1]; /* volumes whose name the older bundle still needs */
    struct index index;
    struct buf first, signed_parts, index_bytes, metadata; /* F0; H and S; I; M */
    struct output_set files;
    struct output out;     /* the volume or single file being written */
    uint64_t payload_done; /* raw bytes: progress goes on from there after a read-back */
    size_t written;        /* frames of a single file's second pass */
};

static int pack_part(struct writer *w, enum stream_part part,
                     int (*emit)(void *, const struct index_frame *, const void *, struct err *),
                     struct err *e)
{
    struct packing packing = {
        .index = &w->index,
        .part = part,
        .members = w->plan->members,
        .level = w->options.level,
        .workers = w->workers,
        .progress = part == STREAM_IMAGES ? w->progress : NULL,
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
    if (pack_part(w, STREAM_METADATA, emit_metadata, e))
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

static void volume_start(const struct index_volume *v, struct buf *to)
{
    struct volume_id id = {.number = v->number};
    memcpy(id.id, v->id, BUNDLE_ID_SIZE);
    head_add_volume(to, &id);
}

/* Is there no room for this frame in the volume? A volume holds at least one, however small it should be. */
static bool volume_is_full(const struct writer *w, const struct index_volume *v, const struct index_frame *f)
{
    return v->number == 0 || (v->bytes > VOLUME_SIZE && v->bytes + f->stored > w->options.volume_bytes);
}

/* Gives a frame of the payload its place, in a new volume where the last one is full. */
static int place_frame(struct writer *w, const struct index_frame *frame, struct err *e)
{
    struct index_frame f = *frame;
    if (volume_is_full(w, last_volume(w), &f)) {
        struct index_volume v = {.number = (uint16_t)w->index.volume_count, .bytes = VOLUME_SIZE};
        if (v.number > LIMIT_VOLUMES)
            return err_set(e, ERR_BUNDLE_LIMIT, "more than %u volumes", LIMIT_VOLUMES);
        plan_volume_id(&w->index, &w->options, v.number, v.id);
        index_add_volume(&w->index, &v);
    }
    struct index_volume *v = last_volume(w);
    f.volume = v->number;
    f.offset = v->bytes;
    v->bytes += f.stored;
    index_add_frame(&w->index, &f);
    return 0;
}

static int create_volume(struct writer *w, const struct index_volume *v, struct err *e)
{
    AUTO(buf) struct buf start = {0};
    AUTO_FREE char *name = volume_name(w->name, v->number, false);
    volume_start(v, &start);
    return output_create(&w->out, &w->files, name, e) || output_write(&w->out, start.data, start.len, e) ? -1
                                                                                                         : 0;
}

static int read_back_frame(struct writer *w, const struct index_frame *f, uint64_t base, uint8_t *stored,
                           struct err *e)
{
    uint8_t digest[HASH_SIZE];
    if (w->medium->read(w->medium->ctx, w->out.fd, stored, f->stored, base + f->offset, e))
        return err_context(e, "'%s'", w->out.part);
    hash_of(stored, f->stored, digest);
    if (memcmp(digest, f->sha256, HASH_SIZE))
        return err_set(e, ERR_READ_BACK, "'%s': the frame at byte %llu comes back changed", w->out.part,
                       (unsigned long long)(base + f->offset));
    progress_add(w->progress, f->stored);
    return 0;
}

/* Reads volume v back, which begins at `base` of the file. */
static int read_back_volume(struct writer *w, const struct index_volume *v, uint64_t base, struct err *e)
{
    AUTO(buf) struct buf start = {0};
    AUTO_FREE uint8_t *stored = mem_zeroed(LIMIT_FRAME_STORED, 1);
    volume_start(v, &start);
    if (output_compare(&w->out, start.data, start.len, base, e))
        return -1;
    progress_begin(w->progress, "read back", v->bytes);
    for (size_t i = index_metadata_frames(&w->index); i < w->index.frame_count; i++)
        if (w->index.frames[i].volume == v->number &&
            read_back_frame(w, &w->index.frames[i], base, stored, e))
            return -1;
    progress_end(w->progress);
    return 0;
}

/* The finished volume gets a name under which it can be found: its own, or, where the older bundle of this
 * name still needs that, the pending one. */
static int finish_volume(struct writer *w, struct err *e)
{
    const struct index_volume *v = last_volume(w);
    AUTO_FREE char *own = volume_name(w->name, v->number, false);
    if (output_settle(&w->out, e) || read_back_volume(w, v, 0, e))
        return -1;
    if (w->replaces && volume_exists(w->medium, own, &w->pending[v->number], e))
        return -1;
    AUTO_FREE char *name = volume_name(w->name, v->number, w->pending[v->number]);
    if (output_rename(&w->out, name, e) || w->medium->flush_folder(w->medium->ctx, e))
        return -1;
    output_free(&w->out);
    return 0;
}

static int emit_to_volume(void *ctx, const struct index_frame *frame, const void *stored, struct err *e)
{
    struct writer *w = ctx;
    bool full = volume_is_full(w, last_volume(w), frame);
    if (full && last_volume(w)->number > 0) {
        if (finish_volume(w, e))
            return -1;
        progress_begin(w->progress, "write", stream_size(&w->index, STREAM_IMAGES));
        progress_add(w->progress, w->payload_done);
    }
    if (place_frame(w, frame, e) || (full && create_volume(w, last_volume(w), e)))
        return -1;
    w->payload_done += frame->raw;
    return output_write(&w->out, stored, frame->stored, e);
}

static int write_volumes(struct writer *w, struct err *e)
{
    if (pack_part(w, STREAM_IMAGES, emit_to_volume, e))
        return -1;
    progress_end(w->progress);
    return finish_volume(w, e);
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
    return head_add_signature(&w->signed_parts, &digests, w->plan->signer, w->plan->comment, e);
}

static uint64_t head_bytes(const struct writer *w)
{
    return w->first.len + w->signed_parts.len + w->index_bytes.len + w->metadata.len;
}

static int write_head(struct writer *w, struct err *e)
{
    const struct buf *parts[] = {&w->first, &w->signed_parts, &w->index_bytes, &w->metadata};
    if (output_create(&w->out, &w->files, w->name, e))
        return -1;
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (output_write(&w->out, parts[i]->data, parts[i]->len, e))
            return -1;
    return 0;
}

static int read_back_head(struct writer *w, struct err *e)
{
    const struct buf *parts[] = {&w->first, &w->signed_parts, &w->index_bytes, &w->metadata};
    uint64_t at = 0;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (output_compare(&w->out, parts[i]->data, parts[i]->len, at, e))
            return -1;
        at += parts[i]->len;
    }
    return 0;
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
    if (output_write(&w->out, start.data, start.len, e))
        return -1;
    return output_write(&w->out, stored, frame->stored, e);
}

static int write_single(struct writer *w, struct err *e)
{
    w->written = w->index.frame_count;
    if (pack_part(w, STREAM_IMAGES, emit_nowhere, e))
        return -1;
    progress_end(w->progress);
    if (make_head(w, e) || write_head(w, e))
        return -1;
    progress_begin(w->progress, "write", stream_size(&w->index, STREAM_IMAGES));
    if (pack_part(w, STREAM_IMAGES, emit_to_single, e))
        return -1;
    progress_end(w->progress);
    if (output_settle(&w->out, e) || read_back_head(w, e))
        return -1;
    uint64_t base = head_bytes(w);
    for (size_t i = 1; i < w->index.volume_count; i++) {
        if (read_back_volume(w, &w->index.volumes[i], base, e))
            return -1;
        base += w->index.volumes[i].bytes;
    }
    return 0;
}

static int write_split(struct writer *w, struct err *e)
{
    if (write_volumes(w, e) || make_head(w, e) || write_head(w, e) || output_settle(&w->out, e))
        return -1;
    return read_back_head(w, e);
}

/* ---- the older bundle of the same name ---- */

static int rename_pending(struct writer *w, unsigned number, struct err *e)
{
    AUTO_FREE char *pending = volume_name(w->name, number, true);
    AUTO_FREE char *final = volume_name(w->name, number, false);
    return w->medium->rename(w->medium->ctx, pending, final, e);
}

/* Where an earlier writing ended between its head's rename and its volumes' last ones, does those: the names
 * for pending volumes are needed again. */
static int settle_older(struct writer *w, struct err *e)
{
    struct bundle *older;
    struct err unreadable;
    if (volume_exists(w->medium, w->name, &w->replaces, e))
        return -1;
    if (!w->replaces || bundle_open_on(w->medium, w->name, &older, &unreadable))
        return 0; /* none, or none that anybody could still read */
    int rc = 0;
    for (unsigned i = 1; i < older->index.volume_count && rc == 0; i++)
        if (older->volumes[i].pending)
            rc = rename_pending(w, i, e);
    bundle_close(older);
    return rc ? rc : w->medium->flush_folder(w->medium->ctx, e);
}

static int remove_volume(struct writer *w, unsigned number, bool pending, struct err *e)
{
    AUTO_FREE char *name = volume_name(w->name, number, pending);
    return w->medium->remove(w->medium->ctx, name, e);
}

/* Is there a volume of this number under either name? */
static int volume_is_left(struct writer *w, unsigned number, bool *ret, struct err *e)
{
    AUTO_FREE char *own = volume_name(w->name, number, false);
    AUTO_FREE char *pending = volume_name(w->name, number, true);
    if (volume_exists(w->medium, own, ret, e) || (!*ret && volume_exists(w->medium, pending, ret, e)))
        return -1;
    return 0;
}

/* Volumes that only an older bundle had go, the last one first: should this be interrupted, those that are
 * left can still be counted up to. */
static int remove_leftovers(struct writer *w, unsigned first, struct err *e)
{
    unsigned end = first;
    for (bool left = true; left && end <= LIMIT_VOLUMES; end += left)
        if (volume_is_left(w, end, &left, e))
            return -1;
    while (end-- > first)
        if (remove_volume(w, end, true, e) || remove_volume(w, end, false, e))
            return -1;
    return 0;
}

/* Pending volumes get their names; what older writings left behind goes. */
static int tidy(struct writer *w, struct err *e)
{
    unsigned volumes = w->options.single ? 1 : (unsigned)w->index.volume_count;
    for (unsigned number = 1; number < volumes; number++)
        if (w->pending[number] ? rename_pending(w, number, e) : remove_volume(w, number, true, e))
            return -1;
    if (remove_leftovers(w, volumes, e))
        return -1;
    return w->medium->flush_folder(w->medium->ctx, e);
}

/* ---- all of it ---- */

static void summarize(const struct writer *w, struct bundle_summary *ret)
{
    *ret = (struct bundle_summary){
        .head_bytes = head_bytes(w),
        .raw_bytes = stream_size(&w->index, STREAM_METADATA) + stream_size(&w->index, STREAM_IMAGES),
        .frames = w->index.frame_count,
        .contents = w->index.content_count,
        .members = w->index.member_count,
    };
    for (size_t i = 1; i < w->index.volume_count; i++)
        ret->payload_bytes += w->index.volumes[i].bytes;
}

static int write_all(struct writer *w, struct err *e)
{
    if (plan_index(w->plan, &w->index, e) || pack_workers(&w->options, &w->workers, e) ||
        settle_older(w, e) || pack_metadata(w, e))
        return -1;
    progress_begin(w->progress, w->options.single ? "compress" : "write",
                   stream_size(&w->index, STREAM_IMAGES));
    if (w->options.single ? write_single(w, e) : write_split(w, e))
        return -1;
    if (output_rename(&w->out, w->name, e))
        return -1;
    output_set_keep(&w->files);
    return w->medium->flush_folder(w->medium->ctx, e) || tidy(w, e) ? -1 : 0;
}

int bundle_write(const struct bundle_plan *plan, const struct bundle_options *options,
                 const struct medium *medium, const char *name, struct progress *progress,
                 struct bundle_summary *ret, struct err *e)
{
    struct writer w = {.plan = plan,
                       .options = *options,
                       .medium = medium,
                       .name = name,
                       .progress = progress,
                       .files = {.medium = medium, .keep_cache = options->keep_cache}};
    if (w.options.level == 0)
        w.options.level = BUNDLE_LEVEL_DEFAULT;
    if (w.options.memory == 0)
        w.options.memory = BUNDLE_MEMORY_DEFAULT;
    if (w.options.volume_bytes == 0)
        w.options.volume_bytes = BUNDLE_VOLUME_DEFAULT;
    int rc = write_all(&w, e);
    if (rc == 0)
        summarize(&w, ret);
    output_free(&w.out);
    output_set_free(&w.files);
    index_free(&w.index);
    buf_free(&w.first);
    buf_free(&w.signed_parts);
    buf_free(&w.index_bytes);
    buf_free(&w.metadata);
    return rc ? err_context(e, "cannot write bundle '%s'", name) : 0;
}
