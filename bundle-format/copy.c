/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying a bundle as it is, read once: what is proven is what is written. The same order as in writing:
 * payload volumes, read back and named, then the head.
 */
#include <string.h>

#include "base/mem.h"
#include "bundle-format/bundle.h"
#include "bundle-format/dependents.h"
#include "bundle-format/output.h"
#include "bundle-format/pipeline.h"
#include "bundle-format/reader.h"
#include "bundle-format/replace.h"
#include "bundle-format/volume.h"
#include "bundle-format/volume_output.h"

struct copy {
    const struct bundle *from;
    const struct medium *to;
    const char *name;
    bool single; /* the volumes one after the other in the head's file: the same bytes, the same signatures */
    const struct sign_key *key; /* who signs as well; NULL: nobody */
    const char *comment;
    struct progress *progress;
    struct replacement replacement;
    struct output_set files;
    struct output out; /* the file being written */
    struct buf head;   /* F0 to M */
    size_t volume;     /* being written; 0: none yet */
    uint64_t done;     /* raw bytes: progress goes on from there after a read-back */
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
    return output_replace(&c->out, &c->files, c->name, e) ||
                   output_write(&c->out, c->head.data, c->head.len, e)
               ? -1
               : 0;
}

/* ---- the payload, proven while it is copied ---- */

static int finish_volume(struct copy *c, struct err *e)
{
    return volume_finish(&c->out, &c->replacement, &c->from->index, c->volume, c->progress, e);
}

static void begin_progress(const struct copy *c)
{
    progress_begin(c->progress, "write", stream_size(&c->from->index, STREAM_IMAGES));
    progress_add(c->progress, c->done);
}

static int begin_volume(struct copy *c, size_t volume, struct err *e)
{
    const struct index_volume *v = &c->from->index.volumes[volume];
    AUTO(buf) struct buf start = {0};
    if (!c->single && c->volume > 0) {
        if (finish_volume(c, e))
            return -1;
        begin_progress(c);
    }
    c->volume = volume;
    if (!c->single)
        return volume_begin(&c->out, &c->files, &c->replacement, v, e);
    volume_start(v, &start);
    return output_write(&c->out, start.data, start.len, e);
}

static int take_frame(void *ctx, size_t frame, const uint8_t *stored, struct err *e)
{
    struct copy *c = ctx;
    const struct index_frame *f = &c->from->index.frames[frame];
    if (f->volume != c->volume && begin_volume(c, f->volume, e))
        return -1;
    c->done += f->raw;
    return output_write(&c->out, stored, f->stored, e);
}

/* The index only claims what the frames hold: unpacking them proves it. */
static int copy_payload(struct copy *c, struct bundle *b, struct err *e)
{
    const struct frame_sink frames = {.take = take_frame, .ctx = c};
    begin_progress(c);
    if (bundle_unroll(b, STREAM_IMAGES, pipeline_workers(0), NULL, &frames, c->progress, e))
        return -1;
    progress_end(c->progress);
    return 0;
}

static int copy_split(struct copy *c, struct bundle *b, struct err *e)
{
    return copy_payload(c, b, e) || finish_volume(c, e) || copy_head(c, e) || output_settle(&c->out, e) ? -1
                                                                                                        : 0;
}

static int copy_single(struct copy *c, struct bundle *b, struct err *e)
{
    return copy_head(c, e) || copy_payload(c, b, e) || output_settle(&c->out, e) ? -1 : 0;
}

static int read_back(struct copy *c, struct err *e)
{
    const struct index *x = &c->from->index;
    uint64_t base = c->head.len;
    if (output_compare(&c->out, c->head.data, c->head.len, 0, e))
        return -1;
    for (size_t i = index_own_volume(x); c->single && i < x->volume_count; i++) {
        if (volume_read_back(&c->out, x, i, base, c->progress, e))
            return -1;
        base += x->volumes[i].bytes;
    }
    return 0;
}

/* The settled head or single file is read back and gets its name, unless it is the one that is there. */
static int commit(struct copy *c, struct err *e)
{
    if (output_is_held(&c->out))
        return 0;
    return read_back(c, e) || output_rename(&c->out, c->name, e) ? -1 : 0;
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

/* What an older bundle of this name lends to others stays as it is, or nothing is written. */
static int check_dependents(const struct copy *c, struct err *e)
{
    const struct dependents_keep keep = {.keeps = is_copied, .ctx = c};
    return c->replacement.replaces ? dependents_check(c->to, c->name, &keep, e) : 0;
}

static int copy_all(struct copy *c, struct bundle *b, struct err *e)
{
    unsigned volumes = c->single ? 1 : 1 + index_own_volumes(&c->from->index);
    if (load_head(c, e) || replace_begin(&c->replacement, c->to, c->name, e) || check_dependents(c, e) ||
        (c->single ? copy_single(c, b, e) : copy_split(c, b, e)) || commit(c, e))
        return -1;
    output_set_keep(&c->files);
    return c->to->flush_folder(c->to->ctx, e) || replace_end(&c->replacement, volumes, e) ? -1 : 0;
}

static int copy(struct copy *c, struct bundle *b, struct err *e)
{
    c->files.medium = c->to;
    int rc = copy_all(c, b, e);
    output_free(&c->out);
    output_set_end(&c->files, rc ? e : NULL);
    buf_free(&c->head);
    return rc;
}

int bundle_copy(struct bundle *b, const struct medium *to, const char *name, enum bundle_form form,
                struct progress *progress, struct err *e)
{
    bool single = form == BUNDLE_SINGLE || (form == BUNDLE_AS_IT_IS && b->single);
    struct copy c = {.from = b, .to = to, .name = name, .single = single, .progress = progress};
    if (bundle_is_shared(b))
        return err_set(e, ERR_BUNDLE_SHARED, "cannot copy the bundle: it borrows contents of others");
    return copy(&c, b, e) ? err_context(e, "cannot copy the bundle") : 0;
}

int bundle_countersign(struct bundle *b, const struct medium *where, const char *name,
                       const struct sign_key *key, const char *comment, struct progress *progress,
                       struct err *e)
{
    struct copy c = {.from = b,
                     .to = where,
                     .name = name,
                     .single = b->single,
                     .key = key,
                     .comment = comment,
                     .progress = progress};
    return copy(&c, b, e) ? err_context(e, "cannot sign the bundle") : 0;
}
