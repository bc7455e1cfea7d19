/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening a bundle, in the order of trust: F0 is measured and hashed, H read, S verified over H and I. Only
 * then is anything decompressed: I, then F0, which must know how I is to be read and list what it lists, then
 * M.
 */
#include "bundle-format/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bundle-format/first.h"
#include "bundle-format/limits.h"
#include "bundle-format/volume.h"

/* What is known of the head's file while it is being opened. */
struct opening {
    struct bundle *b;
    uint64_t size;                             /* of the file */
    bool loosely;                              /* faulty volumes are noted */
    uint64_t at;                               /* how far it has been read */
    struct buf first, head, signatures, index; /* as stored; freed when unpacked, for small devices */
    struct buf slice;                          /* F0 unpacked */
};

static int opening_read(const struct opening *o, void *to, size_t n, uint64_t offset, struct err *e)
{
    return o->b->medium.read(o->b->medium.ctx, o->b->head_fd, to, n, offset, e);
}

static int measure_read(void *ctx, void *to, size_t n, uint64_t offset, struct err *e)
{
    return opening_read(ctx, to, n, offset, e);
}

/* The next n bytes of the head. */
static int read_next(struct opening *o, uint64_t n, struct buf *ret, struct err *e)
{
    if (n > o->size - o->at)
        return err_set(e, ERR_BUNDLE_TRUNCATED, "it ends within its head");
    if (opening_read(o, buf_reserve(ret, (size_t)n), (size_t)n, o->at, e))
        return -1;
    ret->len = (size_t)n;
    o->at += n;
    return 0;
}

/* The skippable frame of this tag that must come next. */
static int read_skippable(struct opening *o, const char *tag, uint64_t limit, struct buf *ret, struct err *e)
{
    uint8_t start[FRAME_SKIP_HEADER + FRAME_TAG];
    uint64_t len;
    if (sizeof start > o->size - o->at)
        return err_set(e, ERR_BUNDLE_TRUNCATED, "it ends within its head");
    if (opening_read(o, start, sizeof start, o->at, e))
        return -1;
    if (!frame_is_skippable(start, tag, &len))
        return err_set(e, ERR_BUNDLE_DAMAGED, "its part '%s' is damaged", tag);
    if (len > limit)
        return err_set(e, ERR_BUNDLE_LIMIT, "its part '%s' is too large", tag);
    return read_next(o, len, ret, e);
}

static int read_head(struct opening *o, struct head *ret, struct err *e)
{
    struct frame_input in = {.read = measure_read, .ctx = o, .size = o->size};
    uint64_t first_len;
    if (frame_measure(&in, &first_len, e) || read_next(o, first_len, &o->first, e))
        return -1;
    if (o->size == o->at)
        return err_set(e, ERR_NOT_A_BUNDLE, "nothing follows its first frame");
    if (read_next(o, HEAD_SIZE, &o->head, e))
        return -1;
    return head_parse(o->head.data, ret, e);
}

/* F0, H, S, I are read and hold together; nothing of them has been interpreted. */
static int authenticate(struct opening *o, struct err *e)
{
    struct head head;
    struct bundle *b = o->b;
    uint8_t first[HASH_SIZE];
    if (read_head(o, &head, e))
        return -1;
    b->signatures_at = o->at;
    if (read_skippable(o, SIGN_TAG, SIGN_BYTES_MAX, &o->signatures, e) ||
        read_skippable(o, INDEX_TAG, LIMIT_INDEX_STORED, &o->index, e))
        return -1;
    b->signatures_len = o->signatures.len;
    hash_of(o->head.data, o->head.len, b->digests.head);
    hash_of(o->index.data, o->index.len, b->digests.index);
    if (memcmp(b->digests.index, head.bundle_id, BUNDLE_ID_SIZE))
        return err_set(e, ERR_BUNDLE_DAMAGED, "its index is damaged");
    if (head_check_signatures(o->signatures.data, o->signatures.len, &b->digests, &b->signatures, e))
        return -1;
    hash_of(o->first.data, o->first.len, first);
    if (memcmp(first, head.first_frame, HASH_SIZE))
        return err_set(e, ERR_BUNDLE_DAMAGED, "its first frame is damaged");
    return 0;
}

static int decode_index(struct opening *o, struct err *e)
{
    int rc = index_decode(o->index.data, o->index.len, &o->b->index, e);
    buf_free(&o->index);
    return rc;
}

static int unpack_first(struct opening *o, struct err *e)
{
    size_t len;
    if (frame_raw_size(o->first.data, o->first.len, LIMIT_FIRST_FRAME, &len, e))
        return -1;
    struct frame_unpacker *unpacker = frame_unpacker_new();
    int rc = frame_unpack(unpacker, o->first.data, o->first.len, buf_reserve(&o->slice, len), len, e);
    frame_unpacker_delete(unpacker);
    buf_free(&o->first);
    o->slice.len = rc ? 0 : len;
    return rc;
}

static int read_first(struct opening *o, struct err *e)
{
    const uint8_t *manifest;
    size_t len;
    if (unpack_first(o, e) || first_manifest(o->slice.data, o->slice.len, &manifest, &len, e))
        return err_context(e, "its first frame");
    buf_add(&o->b->manifest, manifest, len);
    return manifest_check(manifest, len, &o->b->index.shared, e);
}

/* The index, which is decoded, holds in itself and with the first frame. */
static int check_index(struct opening *o, struct err *e)
{
    struct bundle *b = o->b;
    if (index_check(&b->index, e))
        return -1;
    if (first_check(o->slice.data, o->slice.len, b->manifest.data, b->manifest.len, &b->index, e))
        return err_context(e, "its first frame");
    buf_free(&o->slice);
    return 0;
}

/* In a single file the payload volumes follow the head. */
static int find_volumes_inside(struct opening *o, struct err *e)
{
    struct bundle *b = o->b;
    uint64_t at = b->head_bytes;
    b->single = true;
    for (size_t i = index_own_volume(&b->index); i < b->index.volume_count; i++) {
        const struct index_volume *v = &b->index.volumes[i];
        if (v->bytes > o->size - at)
            return err_set(e, ERR_BUNDLE_TRUNCATED, "it ends within volume %u", v->number);
        b->volumes[i] = (struct volume_place){.fd = b->head_fd, .start = at};
        if (volume_check(&b->medium, b->head_fd, at, v, e))
            return err_context(e, "volume %u", v->number);
        at += v->bytes;
    }
    if (at != o->size)
        return err_set(e, ERR_BUNDLE_DAMAGED, "bytes follow its end");
    return 0;
}

/* As they should lie there; what does not is found frame by frame. */
static void place_volumes_inside(struct opening *o)
{
    struct bundle *b = o->b;
    uint64_t at = b->head_bytes;
    b->single = true;
    for (size_t i = index_own_volume(&b->index); i < b->index.volume_count; i++) {
        b->volumes[i] = (struct volume_place){.fd = b->head_fd, .start = at};
        at += b->index.volumes[i].bytes;
    }
}

/* Two of its volumes swapped, or one copied twice, is another matter than the volume of another bundle. */
static int say_whose(const struct bundle *b, const struct index_volume *v, struct err *e)
{
    AUTO_FREE char *name = volume_name(b->name, v->number, false);
    struct volume_id found;
    struct err unreadable;
    if (e->id != ERR_VOLUME_FOREIGN || volume_read_id(&b->medium, name, &found, &unreadable))
        return -1;
    for (size_t i = index_own_volume(&b->index); i < b->index.volume_count; i++)
        if (!memcmp(b->index.volumes[i].id, found.id, BUNDLE_ID_SIZE))
            return err_set(e, ERR_VOLUME_FOREIGN, "volume '%s': it is this bundle's volume %u", name,
                           b->index.volumes[i].number);
    return -1;
}

static int open_volume(struct opening *o, size_t i, struct err *e)
{
    struct bundle *b = o->b;
    struct volume_place *place = &b->volumes[i];
    const struct index_volume *v = &b->index.volumes[i];
    struct err unreadable;
    if (volume_open(&b->medium, b->name, v, &place->fd, &place->pending, e) == 0)
        return 0;
    if (b->elsewhere.open && e->id == ERR_VOLUME_MISSING) {
        place->elsewhere = true;
        return 0;
    }
    if (!o->loosely)
        return say_whose(b, v, e);
    place->fault = e->id;
    AUTO_FREE char *name = volume_name(b->name, v->number, false);
    if (b->medium.open(b->medium.ctx, name, &place->fd, &unreadable))
        place->fd = -1;
    return 0;
}

/* ---- volumes of other bundles ---- */

static int look_for_loan(void *ctx, const char *name, struct err *e)
{
    const struct opening *o = ctx;
    struct bundle *b = o->b;
    struct volume_id id;
    struct err unreadable;
    if (!volume_is_name(name) || volume_read_id(&b->medium, name, &id, &unreadable))
        return 0;
    for (size_t i = 1, end = index_own_volume(&b->index); i < end; i++) {
        const struct index_volume *v = &b->index.volumes[i];
        struct volume_place *place = &b->volumes[i];
        if (place->fd >= 0 || v->number != id.number || memcmp(v->id, id.id, BUNDLE_ID_SIZE))
            continue;
        if (volume_open_as(&b->medium, name, v, &place->fd, e) == 0)
            return 0;
        if (!o->loosely)
            return -1;
        place->fault = e->id;
    }
    return 0;
}

static int missing_loan(const struct bundle *b, const struct index_volume *v, struct err *e)
{
    AUTO_FREE char *file = manifest_loan(b->manifest.data, b->manifest.len, v->id);
    err_set(e, ERR_VOLUME_MISSING, "volume %u of another bundle, whose contents it shares, is not beside it",
            v->number);
    return file ? err_hint(e, "when it was written that was '%s'", file) : -1;
}

/* They are known by their id, whatever their bundle is called. */
static int find_loans(struct opening *o, struct err *e)
{
    struct bundle *b = o->b;
    size_t end = index_own_volume(&b->index);
    if (end > 1 && b->medium.list(b->medium.ctx, look_for_loan, o, e))
        return -1;
    for (size_t i = 1; i < end; i++) {
        struct volume_place *place = &b->volumes[i];
        if (place->fd >= 0 || place->fault)
            continue;
        if (!o->loosely)
            return missing_loan(b, &b->index.volumes[i], e);
        place->fault = ERR_VOLUME_MISSING;
    }
    return 0;
}

static int find_volumes(struct opening *o, struct err *e)
{
    struct bundle *b = o->b;
    uint64_t metadata = b->index.volumes[0].bytes;
    if (metadata > o->size - o->at)
        return err_set(e, ERR_BUNDLE_TRUNCATED, "it ends within its metadata");
    b->head_bytes = o->at + metadata;
    b->volumes = mem_zeroed(b->index.volume_count, sizeof *b->volumes);
    for (size_t i = 0; i < b->index.volume_count; i++)
        b->volumes[i].fd = -1;
    b->volumes[0] = (struct volume_place){.fd = b->head_fd, .start = o->at};
    if (find_loans(o, e))
        return -1;
    if (o->size > b->head_bytes && o->loosely)
        place_volumes_inside(o);
    else if (o->size > b->head_bytes)
        return find_volumes_inside(o, e);
    for (size_t i = index_own_volume(&b->index); i < b->index.volume_count && !b->single; i++)
        if (open_volume(o, i, e))
            return -1;
    return 0;
}

static int open_bundle(struct opening *o, struct err *e)
{
    struct bundle *b = o->b;
    if (b->medium.open(b->medium.ctx, b->name, &b->head_fd, e) || volume_file_size(b->head_fd, &o->size, e) ||
        authenticate(o, e) || decode_index(o, e) || read_first(o, e) || check_index(o, e) ||
        find_volumes(o, e))
        return -1;
    return o->loosely ? 0 : bundle_unroll(b, STREAM_METADATA, 1, NULL, NULL, NULL, e);
}

static int open_on(const struct medium *medium, const char *name, const struct bundle_elsewhere *elsewhere,
                   bool loosely, struct bundle **ret, struct err *e)
{
    struct bundle *b = mem_zeroed(1, sizeof *b);
    b->medium = *medium;
    b->name = mem_strdup(name);
    b->head_fd = -1;
    if (elsewhere)
        b->elsewhere = *elsewhere;
    struct opening o = {.b = b, .loosely = loosely};
    int rc = open_bundle(&o, e);
    buf_free(&o.first);
    buf_free(&o.head);
    buf_free(&o.signatures);
    buf_free(&o.index);
    buf_free(&o.slice);
    if (rc) {
        bundle_close(b);
        return -1;
    }
    *ret = b;
    return 0;
}

int bundle_open_on(const struct medium *medium, const char *name, struct bundle **ret, struct err *e)
{
    return open_on(medium, name, NULL, false, ret, e);
}

int bundle_open_loosely(const struct medium *medium, const char *name, struct bundle **ret, struct err *e)
{
    return open_on(medium, name, NULL, true, ret, e);
}

/* medium_posix() of a folder that is only needed while opening. */
int bundle_open_from(int dirfd, const char *name, const struct bundle_elsewhere *elsewhere,
                     struct bundle **ret, struct err *e)
{
    struct medium medium = medium_posix(&dirfd);
    if (open_on(&medium, name, elsewhere, false, ret, e))
        return -1;
    (*ret)->medium.ctx = NULL; /* reading an open file needs none */
    return 0;
}

int bundle_open(int dirfd, const char *name, struct bundle **ret, struct err *e)
{
    return bundle_open_from(dirfd, name, NULL, ret, e);
}

void bundle_close(struct bundle *b)
{
    if (!b)
        return;
    for (size_t i = 1; b->volumes && i < b->index.volume_count; i++)
        if (b->volumes[i].fd != b->head_fd)
            cleanup_fd(&b->volumes[i].fd);
    cleanup_fd(&b->head_fd);
    free(b->volumes);
    free(b->name);
    buf_free(&b->manifest);
    head_signatures_free(&b->signatures);
    index_free(&b->index);
    free(b);
}

bool bundle_is_shared(const struct bundle *b)
{
    return index_own_volume(&b->index) > 1;
}

bool bundle_is_single(const struct bundle *b)
{
    return b->single;
}

const char *bundle_manifest(const struct bundle *b, size_t *ret_len)
{
    *ret_len = b->manifest.len;
    return buf_text(&b->manifest);
}

size_t bundle_signature_count(const struct bundle *b)
{
    return b->signatures.count;
}

struct bundle_signature bundle_signature_at(const struct bundle *b, size_t i)
{
    struct bundle_signature s = {.comment = b->signatures.list[i].comment};
    memcpy(s.public_key, b->signatures.list[i].public_key, SIGN_PUBLIC_SIZE);
    return s;
}

size_t bundle_member_count(const struct bundle *b)
{
    return b->index.member_count;
}

struct bundle_member_info bundle_member_at(const struct bundle *b, size_t i)
{
    const struct index_member *m = &b->index.members[i];
    struct bundle_member_info info = {.path = index_path(&b->index, i), .size = m->size};
    memcpy(info.sha256, m->sha256, HASH_SIZE);
    return info;
}

struct bundle_member_info *bundle_list_members(const struct bundle *b)
{
    struct bundle_member_info *list = mem_zeroed(b->index.member_count, sizeof *list);
    for (size_t i = 0; i < b->index.member_count; i++)
        list[i] = bundle_member_at(b, i);
    return list;
}

void bundle_sizes(const struct bundle *b, uint64_t *ret_stored, uint64_t *ret_raw)
{
    uint64_t stored = b->head_bytes, raw = 0;
    for (size_t i = index_own_volume(&b->index); i < b->index.volume_count; i++)
        stored += b->index.volumes[i].bytes;
    for (size_t i = 0; i < b->index.member_count; i++)
        raw += b->index.members[i].size;
    *ret_stored = stored;
    *ret_raw = raw;
}

int bundle_frame_error(const struct bundle *b, size_t frame, struct err *e)
{
    const struct index_frame *f = &b->index.frames[frame];
    const char *part = f->volume ? "" : ", metadata";
    return err_set(e, ERR_BUNDLE_DAMAGED, "bundle '%s'%s: the frame at byte %llu of volume %u is damaged",
                   b->name, part, (unsigned long long)f->offset, f->volume);
}

/* The stick of the one before may be pulled when the next is asked for. */
static int bring_volume(const struct bundle *b, size_t volume, struct err *e)
{
    const struct index_volume *v = &b->index.volumes[volume];
    AUTO_FREE char *name = volume_name(b->name, v->number, false);
    struct err why;
    for (size_t i = 1; i < b->index.volume_count; i++)
        if (b->volumes[i].elsewhere) {
            cleanup_fd(&b->volumes[i].fd);
            b->volumes[i].fd = -1;
        }
    for (bool again = false;; again = true) {
        AUTO_FD int fd = -1;
        if (b->elsewhere.open(b->elsewhere.ctx, name, again ? &why : NULL, &fd, e))
            return -1;
        why = (struct err){0};
        if (volume_check_file(&b->medium, fd, name, v, &why))
            continue;
        b->volumes[volume].fd = steal_fd(&fd);
        return 0;
    }
}

int bundle_load_frame(const struct bundle *b, size_t frame, uint8_t *stored, struct err *e)
{
    const struct index_frame *f = &b->index.frames[frame];
    const struct volume_place *place = &b->volumes[f->volume];
    if (place->fd < 0 && bring_volume(b, f->volume, e))
        return -1;
    return b->medium.read(b->medium.ctx, place->fd, stored, f->stored, place->start + f->offset, e);
}
