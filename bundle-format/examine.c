/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/examine.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bundle-format/limits.h"
#include "bundle-format/reader.h"
#include "bundle-format/trail.h"
#include "bundle-format/volume.h"

const char *part_state_word(enum part_state state)
{
    static const char *const words[] = {
        [PART_OK] = "ok", [PART_FOREIGN] = "foreign", [PART_MISSING] = "missing", [PART_DAMAGED] = "damaged"};
    return words[state];
}

static enum part_state state_of_error(enum err_id id)
{
    if (id == ERR_VOLUME_MISSING)
        return PART_MISSING;
    return id == ERR_VOLUME_FOREIGN || id == ERR_NOT_A_BUNDLE ? PART_FOREIGN : PART_DAMAGED;
}

static enum part_state worse(enum part_state a, enum part_state b)
{
    return a > b ? a : b;
}

/* ---- frames ---- */

static enum part_state examine_frame(const struct bundle *b, size_t frame, uint8_t *stored)
{
    const struct index_frame *f = &b->index.frames[frame];
    const struct volume_place *place = &b->volumes[f->volume];
    uint8_t digest[HASH_SIZE];
    uint64_t size;
    struct err e;
    if (place->fault == ERR_VOLUME_MISSING || place->fault == ERR_VOLUME_FOREIGN)
        return state_of_error(place->fault);
    if (place->fd < 0 || volume_file_size(place->fd, &size, &e))
        return PART_DAMAGED;
    if (place->start + f->offset + f->stored > size)
        return PART_MISSING;
    if (bundle_load_frame(b, frame, stored, &e))
        return PART_DAMAGED;
    hash_of(stored, f->stored, digest);
    return memcmp(digest, f->sha256, HASH_SIZE) ? PART_DAMAGED : PART_OK;
}

static void examine_frames(const struct bundle *b, struct progress *progress, struct examination *x)
{
    AUTO_FREE uint8_t *stored = mem_zeroed(LIMIT_FRAME_STORED, 1);
    uint64_t bytes, raw;
    bundle_sizes(b, &bytes, &raw);
    progress_begin(progress, "examine", bytes);
    x->frame_count = b->index.frame_count;
    x->frames = mem_zeroed(x->frame_count, sizeof *x->frames);
    for (size_t i = 0; i < x->frame_count; i++) {
        const struct index_frame *f = &b->index.frames[i];
        x->frames[i] = (struct part_frame){.offset = f->offset,
                                           .stored = f->stored,
                                           .volume = f->volume,
                                           .state = examine_frame(b, i, stored)};
        progress_add(progress, f->stored);
    }
    progress_end(progress);
}

/* ---- members ---- */

static void spread(const struct bundle *b, enum stream_part part, struct examination *x)
{
    struct trail t;
    struct piece p;
    trail_start(&t, &b->index, part);
    while (trail_next(&t, &p))
        if (p.size > 0 && p.run.kind != RUN_END)
            x->members[p.run.member].state = worse(x->members[p.run.member].state, x->frames[p.frame].state);
    trail_free(&t);
}

static void examine_members(const struct bundle *b, struct examination *x)
{
    x->member_count = bundle_member_count(b);
    x->members = mem_zeroed(x->member_count, sizeof *x->members);
    for (size_t i = 0; i < x->member_count; i++) {
        struct bundle_member_info info = bundle_member_at(b, i);
        x->members[i] = (struct part_member){.path = mem_strdup(info.path), .size = info.size};
    }
    spread(b, STREAM_METADATA, x);
    spread(b, STREAM_IMAGES, x);
}

/* ---- all of it ---- */

static int check_strictly(const struct medium *medium, const char *name, struct progress *progress,
                          struct err *e)
{
    struct bundle *b;
    if (bundle_open_on(medium, name, &b, e))
        return -1;
    int rc = bundle_check(b, 0, progress, e);
    bundle_close(b);
    return rc;
}

void bundle_examine(int dirfd, const char *name, struct progress *progress, struct examination *ret)
{
    const struct medium medium = medium_posix(&dirfd);
    struct examination x = {0};
    struct err no_head;
    struct bundle *b;
    if (check_strictly(&medium, name, progress, &x.reason))
        x.state = state_of_error(x.reason.id);
    if (bundle_open_loosely(&medium, name, &b, &no_head) == 0) {
        if (x.state == PART_OK) { /* every frame was read just now */
            x.frame_count = b->index.frame_count;
            x.frames = mem_zeroed(x.frame_count, sizeof *x.frames);
            for (size_t i = 0; i < x.frame_count; i++)
                x.frames[i] = (struct part_frame){.offset = b->index.frames[i].offset,
                                                  .stored = b->index.frames[i].stored,
                                                  .volume = b->index.frames[i].volume};
        } else {
            examine_frames(b, progress, &x);
        }
        examine_members(b, &x);
        bundle_close(b);
    }
    *ret = x;
}

void examination_free(struct examination *x)
{
    for (size_t i = 0; i < x->member_count; i++)
        free(x->members[i].path);
    free(x->members);
    free(x->frames);
    *x = (struct examination){0};
}
