/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/out.h"
#include "bundle-format/frame.h"
#include "bundle-format/pipeline.h"

#define READ_SIZE KIB(256) /* read and hashed while still in the processor's cache */

struct slot {
    uint8_t *raw, *stored;
    struct index_frame frame;
};

struct packer {
    const struct packing *p;
    struct stream stream;
    struct run run;
    uint64_t left; /* bytes of the run */
    bool in_run;
    uint32_t frame; /* number of the frame being filled */

    const struct content *content; /* next of the member's */
    void *source;                  /* its open stream, or NULL */
    uint8_t *unstored;             /* room for what is read and not stored; NULL: not needed yet */
    struct hash *content_hash, *member_hash;
};

static const struct member *run_member(const struct packer *k)
{
    return &k->p->members[k->run.member];
}

static int start_content(struct packer *k, uint32_t offset, struct err *e)
{
    struct index_content *place = &k->p->index->contents[k->run.content];
    if (place->frame == UINT32_MAX) { /* its first use */
        place->frame = k->frame;
        place->offset = offset;
    }
    while (k->content->size == 0) /* not in the index */
        k->content++;
    return k->content->source->open(k->content->ctx, &k->source, e);
}

static int finish_content(struct packer *k, struct err *e)
{
    const struct member *m = run_member(k);
    uint8_t digest[HASH_SIZE], more;
    ssize_t got = k->content->source->read(k->source, &more, 1, e);
    if (got < 0)
        return -1;
    if (got > 0)
        return err_set(e, ERR_WRONG_LENGTH, "a content is longer than its %llu bytes",
                       (unsigned long long)k->content->size);
    k->content->source->close(steal_ptr(k->source));
    hash_final(k->content_hash, digest);
    if (memcmp(digest, k->content->sha256, HASH_SIZE))
        return err_set(e, ERR_WRONG_HASH, "a content does not match its hash");
    k->content++;
    uint32_t count = k->p->index->members[k->run.member].ref_count;
    if (count == 1 || k->run.nth + 1 < count) /* a member of one content has the same hash */
        return 0;
    hash_final(k->member_hash, digest);
    if (memcmp(digest, m->sha256, HASH_SIZE))
        return err_set(e, ERR_WRONG_HASH, "its contents do not match its hash");
    return 0;
}

static int read_content(struct packer *k, uint8_t *to, size_t room, size_t *ret, struct err *e)
{
    size_t wanted = room < READ_SIZE ? room : READ_SIZE;
    ssize_t got = k->content->source->read(k->source, to, wanted < k->left ? wanted : (size_t)k->left, e);
    if (got < 0)
        return -1;
    if (got == 0)
        return err_set(e, ERR_WRONG_LENGTH, "a content ends %llu bytes early", (unsigned long long)k->left);
    hash_update(k->content_hash, to, (size_t)got);
    if (k->p->index->members[k->run.member].ref_count > 1)
        hash_update(k->member_hash, to, (size_t)got);
    *ret = (size_t)got;
    return 0;
}

/* A content whose bytes lie elsewhere was proven there. It is read only where the hash of a member of several
 * contents needs it. */
static int pass_over(struct packer *k, struct err *e)
{
    size_t n;
    if (k->p->index->members[k->run.member].ref_count == 1) {
        k->left = 0;
        return 0;
    }
    if (!k->unstored)
        k->unstored = mem_zeroed(READ_SIZE, 1);
    if (start_content(k, 0, e))
        return -1;
    for (; k->left > 0; k->left -= n)
        if (read_content(k, k->unstored, READ_SIZE, &n, e))
            return -1;
    return finish_content(k, e);
}

/* Ends the run before and begins the next that has bytes here; *ret_more = false after the last. */
static int next_run(struct packer *k, uint32_t offset, bool *ret_more, struct err *e)
{
    if (k->in_run && k->run.kind == RUN_CONTENT && !k->run.elsewhere && finish_content(k, e))
        return err_context(e, "'%s'", run_member(k)->path);
    k->in_run = stream_next(&k->stream, &k->run);
    k->left = k->in_run ? k->run.size : 0;
    *ret_more = k->in_run;
    if (k->in_run && k->run.kind == RUN_HEADER)
        k->content = run_member(k)->contents;
    if (k->in_run && k->run.kind == RUN_CONTENT &&
        (k->run.elsewhere ? pass_over(k, e) : start_content(k, offset, e)))
        return err_context(e, "'%s'", run_member(k)->path);
    return 0;
}

static int fill(void *ctx, void *slot_, bool *ret_more, struct err *e)
{
    struct packer *k = ctx;
    struct slot *slot = slot_;
    size_t len = 0;
    bool more = true;
    while (len < PACK_FRAME_RAW) {
        size_t room = PACK_FRAME_RAW - len, n = room < k->left ? room : (size_t)k->left;
        if (k->left == 0) {
            if (next_run(k, (uint32_t)len, &more, e))
                return -1;
            if (!more)
                break;
            continue;
        }
        if (k->run.kind != RUN_CONTENT)
            memcpy(slot->raw + len, k->run.bytes + (k->run.size - k->left), n);
        else if (read_content(k, slot->raw + len, room, &n, e))
            return err_context(e, "'%s'", run_member(k)->path);
        len += n;
        k->left -= n;
    }
    slot->frame = (struct index_frame){.raw = (uint32_t)len};
    k->frame++;
    *ret_more = len > 0;
    return 0;
}

static int pack(void *worker, void *slot_, struct err *e)
{
    struct slot *slot = slot_;
    size_t stored;
    if (frame_pack(worker, slot->raw, slot->frame.raw, slot->stored, &stored, e))
        return -1;
    slot->frame.stored = (uint32_t)stored;
    hash_of(slot->stored, stored, slot->frame.sha256);
    return 0;
}

static int emit(void *ctx, void *slot_, struct err *e)
{
    const struct packer *k = ctx;
    const struct slot *slot = slot_;
    if (k->p->emit(k->p->ctx, &slot->frame, slot->stored, e))
        return -1;
    progress_add(k->p->progress, slot->frame.raw);
    return 0;
}

/* One being worked on and one waiting for each worker, since frames differ in effort and leave in order; one
 * being filled, one being handed on. */
#define SLOTS(workers) (2 * (workers) + 2)
#define SLOT_MEMORY (PACK_FRAME_RAW + frame_bound(PACK_FRAME_RAW))

static int run_pipeline(struct packer *k, struct err *e)
{
    unsigned workers = k->p->workers, slots = SLOTS(workers);
    struct slot *slot = mem_zeroed(slots, sizeof *slot);
    void **slot_list = mem_zeroed(slots, sizeof *slot_list);
    void **worker_list = mem_zeroed(workers, sizeof *worker_list);
    for (unsigned i = 0; i < slots; i++) {
        slot[i].raw = mem_zeroed(PACK_FRAME_RAW, 1);
        slot[i].stored = mem_zeroed(frame_bound(PACK_FRAME_RAW), 1);
        slot_list[i] = &slot[i];
    }
    for (unsigned i = 0; i < workers; i++)
        worker_list[i] = frame_packer_new(k->p->level);

    int rc = pipeline_run(&(struct pipeline){.produce = fill,
                                             .work = pack,
                                             .consume = emit,
                                             .ctx = k,
                                             .slots = slot_list,
                                             .slot_count = slots,
                                             .workers = worker_list,
                                             .worker_count = workers},
                          e);
    for (unsigned i = 0; i < workers; i++)
        frame_packer_delete(worker_list[i]);
    for (unsigned i = 0; i < slots; i++) {
        free(slot[i].raw);
        free(slot[i].stored);
    }
    free(slot);
    free(slot_list);
    free(worker_list);
    return rc;
}

int pack_stream(const struct packing *packing, struct err *e)
{
    struct packer k = {
        .p = packing,
        .frame = (uint32_t)packing->index->frame_count,
        .content_hash = hash_new(),
        .member_hash = hash_new(),
    };
    stream_start(&k.stream, packing->index, packing->part);
    int rc = run_pipeline(&k, e);
    if (k.source)
        k.content->source->close(k.source);
    hash_delete(k.content_hash);
    hash_delete(k.member_hash);
    free(k.unstored);
    stream_free(&k.stream);
    return rc;
}

int pack_workers(const struct bundle_options *options, unsigned *ret, struct err *e)
{
    uint64_t memory = options->memory;
    uint64_t fixed = SLOTS(0) * SLOT_MEMORY;
    uint64_t each = frame_packer_memory(options->level, PACK_FRAME_RAW) + 2 * SLOT_MEMORY;
    uint64_t fit = memory > fixed ? (memory - fixed) / each : 0;
    unsigned wanted = pipeline_workers(options->workers);
    char needed[OUT_SIZE_TEXT];
    if (fit == 0) {
        out_size(fixed + each, needed);
        return err_set(e, ERR_USAGE, "level %d needs %s of memory", options->level, needed);
    }
    *ret = fit < wanted ? (unsigned)fit : wanted;
    return 0;
}
