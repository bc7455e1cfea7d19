/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying a bundle as it is, read once: what is proven is what is written. The same order as in writing:
 * payload volumes, read back and named, then the head.
 */
#include <string.h>

#include "base/mem.h"
#include "bundle-format/bundle.h"
#include "bundle-format/destination.h"
#include "bundle-format/pipeline.h"
#include "bundle-format/reader.h"
#include "bundle-format/volume.h"

struct copy {
    const struct bundle *from;
    bool single; /* the volumes one after the other in the head's file: the same bytes, the same signatures */
    const struct sign_key *key; /* who signs as well; NULL: nobody */
    const char *comment;
    struct destinations to;
    struct buf head; /* F0 to M */
    size_t volume;   /* being written; 0: none yet */
    uint64_t done;   /* raw bytes: progress goes on from there after a read-back */
};

/* The head as it stands or, with a key, with this key's signature in S. */
static int load_head(struct copy *c, struct err *e)
{
    const struct bundle *b = c->from;
    AUTO(buf) struct buf old = {0};
    uint8_t *to = buf_reserve(&old, (size_t)b->head_bytes);
    if (b->medium.read(b->medium.ctx, b->head_fd, to, (size_t)b->head_bytes, 0, e))
        return -1;
    old.len = (size_t)b->head_bytes;
    if (!c->key) {
        c->head = old;
        old = (struct buf){0};
        return 0;
    }
    size_t at = (size_t)b->signatures_at, len = (size_t)b->signatures_len;
    buf_add(&c->head, old.data, at);
    if (head_countersign(&c->head, old.data + at, len, &b->digests, c->key, c->comment, e))
        return -1;
    buf_add(&c->head, old.data + at + len, old.len - at - len);
    return 0;
}

static int copy_head(struct copy *c, struct err *e)
{
    return destinations_begin_head(&c->to, e) || destinations_write(&c->to, c->head.data, c->head.len, 0, e)
               ? -1
               : 0;
}

/* ---- the payload, proven while it is copied ---- */

static int finish_volume(struct copy *c, struct err *e)
{
    return destinations_finish_volume(&c->to, &c->from->index, c->volume, e);
}

static void begin_phase(struct copy *c)
{
    several_phase(c->to.at, "write", stream_size(&c->from->index, STREAM_IMAGES));
    for (size_t i = 0; i < c->to.at->count; i++)
        progress_skip(several_progress(c->to.at, i), c->done);
}

static int begin_volume(struct copy *c, size_t volume, struct err *e)
{
    const struct index_volume *v = &c->from->index.volumes[volume];
    AUTO(buf) struct buf start = {0};
    if (!c->single && c->volume > 0) {
        if (finish_volume(c, e))
            return -1;
        begin_phase(c);
    }
    c->volume = volume;
    if (!c->single)
        return destinations_begin_volume(&c->to, v, e);
    volume_start(v, &start);
    return destinations_write(&c->to, start.data, start.len, 0, e);
}

static int take_frame(void *ctx, size_t frame, const uint8_t *stored, struct err *e)
{
    struct copy *c = ctx;
    const struct index_frame *f = &c->from->index.frames[frame];
    if (f->volume != c->volume && begin_volume(c, f->volume, e))
        return -1;
    c->done += f->raw;
    return destinations_write(&c->to, stored, f->stored, f->raw, e);
}

/* The index only claims what the frames hold: unpacking them proves it. */
static int copy_payload(struct copy *c, struct bundle *b, struct err *e)
{
    const struct frame_sink frames = {.take = take_frame, .ctx = c};
    begin_phase(c);
    return bundle_unroll(b, STREAM_IMAGES, pipeline_workers(0), NULL, &frames, NULL, e);
}

static int copy_split(struct copy *c, struct bundle *b, struct err *e)
{
    return copy_payload(c, b, e) || finish_volume(c, e) || copy_head(c, e) || destinations_settle(&c->to, e)
               ? -1
               : 0;
}

static int copy_single(struct copy *c, struct bundle *b, struct err *e)
{
    if (copy_head(c, e) || copy_payload(c, b, e) || destinations_settle(&c->to, e))
        return -1;
    several_phase_end(c->to.at);
    return 0;
}

static bool is_copied(const void *ctx, const struct volume_id *v)
{
    const struct copy *c = ctx;
    const struct index *x = &c->from->index;
    for (size_t i = index_own_volume(x); i < x->volume_count && !c->single; i++)
        if (x->volumes[i].number == v->number && !memcmp(x->volumes[i].id, v->id, BUNDLE_ID_SIZE))
            return true;
    return false;
}

static int copy_all(struct copy *c, struct bundle *b, struct err *e)
{
    const struct dependents_keep keep = {.keeps = is_copied, .ctx = c};
    if (load_head(c, e) || destinations_prepare(&c->to, &keep, e) ||
        (c->single ? copy_single(c, b, e) : copy_split(c, b, e)) ||
        destinations_name_head(&c->to, &c->head, &c->from->index, c->single, e))
        return -1;
    return destinations_tidy(&c->to, c->single ? 1 : 1 + index_own_volumes(&c->from->index), e);
}

static int copy(struct copy *c, struct bundle *b, const struct bundle_place *places, struct several *at,
                const char *failing, struct err *e)
{
    destinations_open(&c->to, places, at, false);
    int rc = copy_all(c, b, e);
    buf_free(&c->head);
    return destinations_close(&c->to, rc, failing, e);
}

int bundle_copy(struct bundle *b, const struct bundle_place *places, struct several *at,
                enum bundle_form form, struct err *e)
{
    bool single = form == BUNDLE_SINGLE || (form == BUNDLE_AS_IT_IS && b->single);
    struct copy c = {.from = b, .single = single};
    if (bundle_is_shared(b))
        return err_set(e, ERR_BUNDLE_SHARED, "cannot copy the bundle: it borrows contents of others");
    return copy(&c, b, places, at, "cannot copy the bundle", e);
}

int bundle_countersign(struct bundle *b, const struct medium *where, const char *name,
                       const struct sign_key *key, const char *comment, struct progress *progress,
                       struct err *e)
{
    const struct bundle_place place = {.medium = where, .name = name};
    AUTO(several) struct several at;
    several_init(&at, 1, progress);
    struct copy c = {.from = b, .single = b->single, .key = key, .comment = comment};
    return copy(&c, b, &place, &at, "cannot sign the bundle", e);
}
