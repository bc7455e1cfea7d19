/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of the index. Sums cannot overflow: LIMIT_MEMBERS members of LIMIT_MEMBER_SIZE are 2^60 bytes,
 * LIMIT_FRAMES frames of LIMIT_FRAME_STORED less.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "bundle-format/index.h"
#include "bundle-format/limits.h"
#include "bundle-format/stream.h"

static int inconsistent(struct err *e, const char *what)
{
    return err_set(e, ERR_BUNDLE_INCONSISTENT, "the index contradicts itself: %s", what);
}

/* 0 for metadata/…, 1 for images/…, -1 for anything else. */
static int folder_rank(const char *path)
{
    return !strncmp(path, "metadata/", 9) ? 0 : !strncmp(path, "images/", 7) ? 1 : -1;
}

static int check_path(const struct index *x, size_t i, struct err *e)
{
    const char *path = index_path(x, i);
    if (name_check_text(path, e))
        return -1;
    int rank = folder_rank(path), before = i ? folder_rank(index_path(x, i - 1)) : 0;
    if (rank < 0)
        return err_set(e, ERR_UNSAFE_NAME, "'%s' is neither in metadata/ nor in images/", path);
    if (rank < before || (i && rank == before && strcmp(index_path(x, i - 1), path) >= 0))
        return inconsistent(e, "members out of order");
    return 0;
}

/* Sums up a member's contents; *next_new is the lowest content number that no member has used yet. */
static int check_contents(const struct index *x, const struct index_member *m, uint32_t *next_new,
                          struct err *e)
{
    uint64_t sum = 0;
    if (m->size > LIMIT_MEMBER_SIZE || m->ref_count > LIMIT_MEMBER_CONTENTS)
        return err_set(e, ERR_BUNDLE_LIMIT, "a member is too large or has too many contents");
    for (uint32_t r = 0; r < m->ref_count; r++) {
        uint32_t number = x->refs[m->first_ref + r];
        if (number >= x->content_count || number > *next_new)
            return inconsistent(e, "contents out of order");
        *next_new += number == *next_new;
        uint64_t size = x->contents[number].size;
        if (size == 0 || size > m->size - sum)
            return inconsistent(e, "a member's size is not the sum of its contents");
        sum += size;
    }
    if (sum != m->size)
        return inconsistent(e, "a member's size is not the sum of its contents");
    uint8_t hash_of_nothing[HASH_SIZE];
    hash_of("", 0, hash_of_nothing);
    const uint8_t *known = m->ref_count == 0   ? hash_of_nothing
                           : m->ref_count == 1 ? x->contents[x->refs[m->first_ref]].sha256
                                               : m->sha256; /* found when it is read */
    if (memcmp(m->sha256, known, HASH_SIZE))
        return inconsistent(e, "a member has another hash than its only content");
    return 0;
}

static int check_twins(const struct index *x, struct err *e)
{
    const char **paths = mem_zeroed(x->member_count, sizeof *paths);
    for (size_t i = 0; i < x->member_count; i++)
        paths[i] = index_path(x, i);
    int rc = name_check_twins(paths, x->member_count, e);
    free(paths);
    return rc;
}

int index_check_members(const struct index *x, struct err *e)
{
    uint32_t used = 0;
    if (x->member_count > LIMIT_MEMBERS || x->content_count > LIMIT_CONTENTS ||
        x->ref_count > LIMIT_REFERENCES || x->paths.len > LIMIT_PATH_BYTES)
        return err_set(e, ERR_BUNDLE_LIMIT, "too many members or contents");
    for (size_t i = 0; i < x->member_count; i++)
        if (check_path(x, i, e) || check_contents(x, &x->members[i], &used, e))
            return -1;
    if (used != x->content_count)
        return inconsistent(e, "a content that no member uses");
    if (stream_size(x, STREAM_METADATA) > LIMIT_METADATA_RAW)
        return err_set(e, ERR_BUNDLE_LIMIT, "more than 64 MiB of metadata");
    return check_twins(x, e);
}

static int check_borrowed(const struct index *x, size_t own, struct err *e)
{
    if (own > 1 && !x->shared)
        return inconsistent(e, "it borrows from another bundle, and has not the feature for it");
    if (own > LIMIT_BORROWED + 1)
        return err_set(e, ERR_BUNDLE_LIMIT, "more than 999 borrowed volumes");
    for (size_t i = 1; i < own; i++)
        if (x->volumes[i].number == 0 || x->volumes[i].number > LIMIT_VOLUMES)
            return inconsistent(e, "a borrowed volume has a number that no volume has");
    return 0;
}

static int check_volumes(const struct index *x, struct err *e)
{
    static const uint8_t no_id[BUNDLE_ID_SIZE];
    size_t own = index_own_volume(x);
    if (x->volume_count > LIMIT_VOLUMES + own)
        return err_set(e, ERR_BUNDLE_LIMIT, "more than 999 volumes");
    if (x->volume_count <= own)
        return inconsistent(e, "no payload volume");
    if (x->volumes[0].number != 0 || x->volumes[0].borrowed ||
        memcmp(x->volumes[0].id, no_id, BUNDLE_ID_SIZE))
        return inconsistent(e, "the metadata has a number or an id");
    for (size_t i = own; i < x->volume_count; i++)
        if (x->volumes[i].borrowed || x->volumes[i].number != i - own + 1)
            return inconsistent(e, "volumes out of order");
    return check_borrowed(x, own, e);
}

/* Frames stand side by side from the start of each volume (after V) to its end. */
static int check_frames(const struct index *x, struct err *e)
{
    size_t i = 0;
    for (size_t number = 0; number < x->volume_count; number++) {
        uint64_t at = number ? VOLUME_SIZE : 0;
        size_t first = i;
        for (; i < x->frame_count && x->frames[i].volume == number; i++) {
            const struct index_frame *f = &x->frames[i];
            if (f->raw > LIMIT_FRAME_RAW || f->stored > LIMIT_FRAME_STORED)
                return err_set(e, ERR_BUNDLE_LIMIT, "a frame is larger than 4 MiB");
            if (f->offset != at || f->raw == 0 || f->stored == 0)
                return inconsistent(e, "frames overlap, are out of order or leave gaps");
            at += f->stored;
        }
        if (x->volumes[number].bytes != at || (number && i == first))
            return inconsistent(e, "the frames do not fill a volume");
    }
    if (i < x->frame_count)
        return inconsistent(e, "frames out of order");
    return 0;
}

/* A place in the tar stream: `within` bytes after the start of a frame's content. */
struct place {
    size_t frame, last; /* last: one after the part's frames */
    uint64_t within;
};

/* Moves on to the frame that holds the byte at the place. */
static void place_settle(struct place *p, const struct index *x)
{
    while (p->frame < p->last && p->within >= x->frames[p->frame].raw)
        p->within -= x->frames[p->frame++].raw;
}

/* Raw bytes before each frame, and after the last: one number more than there are frames. */
static uint64_t *sum_up_frames(const struct index *x)
{
    uint64_t *sums = mem_zeroed(x->frame_count + 1, sizeof *sums);
    for (size_t i = 0; i < x->frame_count; i++)
        sums[i + 1] = sums[i] + x->frames[i].raw;
    return sums;
}

/* A borrowed content lies in borrowed frames with its first and its last byte. */
static int check_loan(const struct index *x, const struct index_content *c, const uint64_t *sums,
                      struct err *e)
{
    size_t end = index_own_frame(x);
    if (c->offset >= x->frames[c->frame].raw || sums[c->frame] + c->offset + c->size > sums[end])
        return inconsistent(e, "a borrowed content lies beyond what is borrowed");
    return 0;
}

static int check_first_use(const struct index *x, const struct run *run, const struct place *p,
                           const uint64_t *sums, struct err *e)
{
    const struct index_content *c = &x->contents[run->content];
    if (run->elsewhere)
        return check_loan(x, c, sums, e);
    if (c->frame != p->frame || c->offset != p->within)
        return inconsistent(e, "a content is not where its members put it");
    return 0;
}

static int check_runs(const struct index *x, enum stream_part part, struct place p, const uint64_t *sums,
                      uint32_t *next_new, struct err *e)
{
    AUTO(stream) struct stream s;
    struct run run;
    stream_start(&s, x, part);
    while (stream_next(&s, &run)) {
        place_settle(&p, x);
        if (run.kind == RUN_CONTENT && run.content == *next_new) {
            if (check_first_use(x, &run, &p, sums, e))
                return -1;
            ++*next_new;
        }
        p.within += run.elsewhere ? 0 : run.size;
    }
    place_settle(&p, x);
    if (p.frame != p.last || p.within != 0)
        return inconsistent(e, "frames and members have different sizes");
    return 0;
}

int index_check(const struct index *x, struct err *e)
{
    uint32_t next_new = 0;
    if (check_volumes(x, e) || check_frames(x, e) || index_check_members(x, e))
        return -1;
    AUTO_FREE uint64_t *sums = x->shared ? sum_up_frames(x) : NULL;
    struct place metadata = {.frame = 0, .last = index_metadata_frames(x)};
    struct place payload = {.frame = index_own_frame(x), .last = x->frame_count};
    if (check_runs(x, STREAM_METADATA, metadata, sums, &next_new, e) ||
        check_runs(x, STREAM_IMAGES, payload, sums, &next_new, e))
        return -1;
    return 0;
}
