/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/pick.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bundle-format/reader.h"

#define NO_FRAME SIZE_MAX

/* Contents that follow each other lie in one sequence of frames or, in a bundle that shares contents, in two
 * side by side. */
struct kept {
    size_t frame;
    uint8_t *raw;
};

struct picker {
    struct bundle *bundle;
    struct frame_unpacker *unpacker;
    uint8_t *stored;
    struct kept kept[2]; /* the one used last comes first */
};

struct picker *picker_new(struct bundle *b)
{
    struct picker *p = mem_zeroed(1, sizeof *p);
    *p = (struct picker){
        .bundle = b, .unpacker = frame_unpacker_new(), .stored = mem_zeroed(LIMIT_FRAME_STORED, 1)};
    for (size_t i = 0; i < COUNT_OF(p->kept); i++)
        p->kept[i] = (struct kept){.frame = NO_FRAME, .raw = mem_zeroed(LIMIT_FRAME_RAW, 1)};
    return p;
}

void picker_delete(struct picker *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < COUNT_OF(p->kept); i++)
        free(p->kept[i].raw);
    frame_unpacker_delete(p->unpacker);
    free(p->stored);
    free(p);
}

static int load(struct picker *p, size_t frame, uint8_t *raw, struct err *e)
{
    const struct index_frame *f = &p->bundle->index.frames[frame];
    uint8_t digest[HASH_SIZE];
    if (bundle_load_frame(p->bundle, frame, p->stored, e))
        return -1;
    hash_of(p->stored, f->stored, digest);
    if (memcmp(digest, f->sha256, HASH_SIZE))
        return bundle_frame_error(p->bundle, frame, e);
    return frame_unpack(p->unpacker, p->stored, f->stored, raw, f->raw, e);
}

/* The frame's raw bytes, until two other frames have been asked for. */
static int get_frame(struct picker *p, size_t frame, const uint8_t **ret, struct err *e)
{
    if (p->kept[0].frame != frame) {
        struct kept k = p->kept[1];
        p->kept[1] = p->kept[0];
        p->kept[0] = k;
    }
    struct kept *k = &p->kept[0];
    if (k->frame != frame) {
        k->frame = NO_FRAME;
        if (load(p, frame, k->raw, e))
            return -1;
        k->frame = frame;
    }
    *ret = k->raw;
    return 0;
}

/* ---- a content as a stream ---- */

struct pick {
    struct picker *picker;
    size_t frame;
    uint32_t offset; /* within the frame */
    uint64_t left;
};

static struct pick start(struct picker *p, uint32_t content)
{
    const struct index_content *c = &p->bundle->index.contents[content];
    return (struct pick){.picker = p, .frame = c->frame, .offset = c->offset, .left = c->size};
}

/* The next bytes of the content; *ret_n = 0 at its end. */
static int next_bytes(struct pick *s, const uint8_t **ret, size_t *ret_n, struct err *e)
{
    const uint8_t *raw;
    *ret_n = 0;
    if (s->left == 0)
        return 0;
    if (s->offset == s->picker->bundle->index.frames[s->frame].raw) {
        s->frame++; /* index_check(): there is one */
        s->offset = 0;
    }
    if (get_frame(s->picker, s->frame, &raw, e))
        return -1;
    size_t room = s->picker->bundle->index.frames[s->frame].raw - s->offset;
    *ret = raw + s->offset;
    *ret_n = s->left < room ? (size_t)s->left : room;
    return 0;
}

static void advance(struct pick *s, size_t n)
{
    s->offset += (uint32_t)n;
    s->left -= n;
}

static int pick_open(void *ctx, void **ret_stream, struct err *e)
{
    const struct picked *picked = ctx;
    struct pick *s = mem_zeroed(1, sizeof *s);
    (void)e;
    *s = start(picked->picker, picked->content);
    *ret_stream = s;
    return 0;
}

static ssize_t pick_read(void *stream, void *to, size_t n, struct err *e)
{
    struct pick *s = stream;
    const uint8_t *bytes;
    size_t got;
    if (next_bytes(s, &bytes, &got, e))
        return -1;
    got = got < n ? got : n;
    if (got)
        memcpy(to, bytes, got);
    advance(s, got);
    return (ssize_t)got;
}

const struct content_source content_from_bundle = {pick_open, pick_read, free};

int picker_prove(struct picker *p, uint32_t content, struct err *e)
{
    AUTO_HASH struct hash *h = hash_new();
    struct pick s = start(p, content);
    uint8_t digest[HASH_SIZE];
    const uint8_t *bytes;
    size_t n;
    for (;;) {
        if (next_bytes(&s, &bytes, &n, e))
            return -1;
        if (n == 0)
            break;
        hash_update(h, bytes, n);
        advance(&s, n);
    }
    hash_final(h, digest);
    if (memcmp(digest, p->bundle->index.contents[content].sha256, HASH_SIZE))
        return err_set(e, ERR_WRONG_HASH, "a content of bundle '%s' does not match its hash",
                       p->bundle->name);
    return 0;
}
