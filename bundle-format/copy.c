/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying a bundle as it is. The same order as in writing: payload volumes, read back and named, then the
 * head.
 */
#include <string.h>

#include "base/mem.h"
#include "bundle-format/bundle.h"
#include "bundle-format/dependents.h"
#include "bundle-format/output.h"
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
    uint8_t *stored;   /* one frame */
};

static int copy_frame(struct copy *c, size_t frame, struct err *e)
{
    const struct index_frame *f = &c->from->index.frames[frame];
    uint8_t digest[HASH_SIZE];
    if (bundle_load_frame(c->from, frame, c->stored, e))
        return -1;
    hash_of(c->stored, f->stored, digest);
    if (memcmp(digest, f->sha256, HASH_SIZE))
        return bundle_frame_error(c->from, frame, e);
    if (output_write(&c->out, c->stored, f->stored, e))
        return -1;
    progress_add(c->progress, f->stored);
    return 0;
}

/* The frames of one volume, after its V. */
static int copy_frames(struct copy *c, size_t volume, struct err *e)
{
    const struct index *x = &c->from->index;
    progress_begin(c->progress, "write", x->volumes[volume].bytes);
    progress_add(c->progress, VOLUME_SIZE);
    for (size_t i = index_own_frame(x); i < x->frame_count; i++)
        if (x->frames[i].volume == volume && copy_frame(c, i, e))
            return -1;
    progress_end(c->progress);
    return 0;
}

static int copy_volume_file(struct copy *c, size_t volume, struct err *e)
{
    const struct index *x = &c->from->index;
    if (volume_begin(&c->out, &c->files, &c->replacement, &x->volumes[volume], e) ||
        copy_frames(c, volume, e))
        return -1;
    return volume_finish(&c->out, &c->replacement, x, volume, c->progress, e);
}

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

static int copy_split(struct copy *c, struct err *e)
{
    for (size_t i = index_own_volume(&c->from->index); i < c->from->index.volume_count; i++)
        if (copy_volume_file(c, i, e))
            return -1;
    return copy_head(c, e) || output_settle(&c->out, e) ? -1 : 0;
}

static int copy_single(struct copy *c, struct err *e)
{
    const struct index *x = &c->from->index;
    if (copy_head(c, e))
        return -1;
    for (size_t i = index_own_volume(x); i < x->volume_count; i++) {
        AUTO(buf) struct buf start = {0};
        volume_start(&x->volumes[i], &start);
        if (output_write(&c->out, start.data, start.len, e) || copy_frames(c, i, e))
            return -1;
    }
    return output_settle(&c->out, e);
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

static int copy_all(struct copy *c, struct err *e)
{
    unsigned volumes = c->single ? 1 : 1 + index_own_volumes(&c->from->index);
    if (load_head(c, e) || replace_begin(&c->replacement, c->to, c->name, e) || check_dependents(c, e) ||
        (c->single ? copy_single(c, e) : copy_split(c, e)) || commit(c, e))
        return -1;
    output_set_keep(&c->files);
    return c->to->flush_folder(c->to->ctx, e) || replace_end(&c->replacement, volumes, e) ? -1 : 0;
}

/* The index only claims what the frames hold: unpacking proves it, before anything is carried on. */
static int prove_and_copy(struct copy *c, struct bundle *b, struct err *e)
{
    c->files.medium = c->to;
    c->stored = mem_zeroed(LIMIT_FRAME_STORED, 1);
    int rc = bundle_check(b, 0, c->progress, e) || copy_all(c, e) ? -1 : 0;
    output_free(&c->out);
    output_set_end(&c->files, rc ? e : NULL);
    buf_free(&c->head);
    free(c->stored);
    return rc;
}

int bundle_copy(struct bundle *b, const struct medium *to, const char *name, bool single,
                struct progress *progress, struct err *e)
{
    struct copy c = {.from = b, .to = to, .name = name, .single = single || b->single, .progress = progress};
    if (bundle_is_shared(b))
        return err_set(e, ERR_BUNDLE_SHARED, "cannot copy the bundle: it borrows contents of others");
    return prove_and_copy(&c, b, e) ? err_context(e, "cannot copy the bundle") : 0;
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
    return prove_and_copy(&c, b, e) ? err_context(e, "cannot sign the bundle") : 0;
}
