/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/content_check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/name.h"
#include "base/out.h"
#include "base/parallel.h"
#include "lockbox/container_check.h"
#include "lockbox/container_obtain.h"
#include "lockbox/ostree_check.h"
#include "usb-tools/target_index.h"

struct job {
    int dirfd;
    const struct verdict *v;
    struct err *findings; /* one per target; ERR_NONE: as signed */
    struct progress *progress;
};

static void count(void *progress, uint64_t bytes)
{
    progress_add(progress, bytes);
}

static void check_target(void *ctx, size_t i)
{
    struct job *job = ctx;
    const struct verdict_target *t = &job->v->targets[i];
    struct err *found = &job->findings[i];
    AUTO_FREE char *path = mem_format("images/%s", t->name);
    AUTO_FD int fd = -1;
    struct err e;
    struct stat st;
    uint8_t digest[HASH_SIZE];
    if (name_check_text(path, &e))
        return; /* the verdict has it as unsafe-name already */
    if (t->is_ostree)
        return; /* ostree_check_folder() */
    if (fs_open_at(job->dirfd, path, O_RDONLY, 0, &fd, &e)) {
        err_set(found, e.id == ERR_NO_SUCH_PATH ? ERR_MISSING_TARGET : e.id, "%s", e.message);
    } else if (fstat(fd, &st)) {
        err_errno(found, ERR_MEDIUM_IO, "cannot stat the file");
    } else if ((uint64_t)st.st_size != t->length) {
        err_set(found, ERR_WRONG_LENGTH, "the file does not have its signed length");
    } else if (hash_file(fd, count, job->progress, digest, &e)) {
        *found = e;
    } else if (memcmp(digest, t->sha256, HASH_SIZE) != 0) {
        err_set(found, ERR_WRONG_HASH, "the file does not match its signed hash");
    }
}

static void add_finding(struct verdict *v, const struct verdict_target *t, const struct err *found)
{
    AUTO(buf) struct buf name = {0}, text = {0};
    out_escape(&name, t->name, strlen(t->name));
    out_escape(&text, found->message, strlen(found->message));
    judge_add_problem(v, found->id, "", t->wanted, "target '%s': %s", buf_text(&name), buf_text(&text));
}

static void say_unread(struct verdict *v)
{
    for (size_t i = 0; i < v->target_count; i++) {
        AUTO(buf) struct buf name = {0};
        out_escape(&name, v->targets[i].name, strlen(v->targets[i].name));
        if (v->targets[i].is_ostree)
            judge_assume(v, "the objects of the OSTree image '%s' are whole: they were not read",
                         buf_text(&name));
        else if (container_is_app(&v->targets[i]))
            judge_assume(v, "the container images of '%s' are whole: they were not read", buf_text(&name));
    }
}

void content_check_folder(int dirfd, const struct needs *needs, struct verdict *v, struct progress *progress)
{
    uint64_t total = 0;
    AUTO_FREE struct err *findings = mem_zeroed(v->target_count, sizeof *findings);
    struct job job = {.dirfd = dirfd, .v = v, .findings = findings, .progress = progress};
    for (size_t i = 0; i < v->target_count; i++)
        total += v->targets[i].length;
    progress_begin(progress, "verify", total);
    parallel_for(v->target_count, 0, check_target, &job);
    progress_end(progress);
    for (size_t i = 0; i < v->target_count; i++)
        if (findings[i].id != ERR_NONE)
            add_finding(v, &v->targets[i], &findings[i]);
    if (ostree_check_is_due(v))
        ostree_check_folder(dirfd, needs, v, progress);
    if (container_check_is_due(v))
        container_check_folder(dirfd, v, progress);
}

/* Every target must be a member of the signed size and hash. */
static void check_index(const struct target_index *index, struct verdict *v, bool images_too)
{
    for (size_t i = 0; i < v->target_count; i++) {
        const struct verdict_target *t = &v->targets[i];
        struct err found;
        if ((images_too || !t->is_ostree) && target_index_check(index, t, &found))
            add_finding(v, t, &found);
    }
}

/* Two that look at the same members. */
struct watches {
    struct ostree_watch *ostree;
    struct container_watch *containers;
    struct bundle_sink sinks[2];  /* write NULL: it is not due */
    struct bundle_taker metadata; /* take NULL: neither */
};

static int begin_member(void *ctx, size_t member, struct err *e)
{
    const struct watches *w = ctx;
    for (size_t i = 0; i < COUNT_OF(w->sinks); i++)
        if (w->sinks[i].write && w->sinks[i].begin(w->sinks[i].ctx, member, e))
            return -1;
    return 0;
}

static int write_member(void *ctx, const void *bytes, size_t n, struct err *e)
{
    const struct watches *w = ctx;
    for (size_t i = 0; i < COUNT_OF(w->sinks); i++)
        if (w->sinks[i].write && w->sinks[i].write(w->sinks[i].ctx, bytes, n, e))
            return -1;
    return 0;
}

static int end_member(void *ctx, struct err *e)
{
    const struct watches *w = ctx;
    for (size_t i = 0; i < COUNT_OF(w->sinks); i++)
        if (w->sinks[i].write && w->sinks[i].end(w->sinks[i].ctx, e))
            return -1;
    return 0;
}

static int start_watches(struct watches *w, const struct bundle_member_info *members, const struct verdict *v,
                         struct err *e)
{
    if (ostree_check_is_due(v) && ostree_watch_start(members, v, &w->ostree, &w->sinks[0], e))
        return -1;
    if (container_check_is_due(v))
        container_watch_start(members, v, &w->containers, &w->metadata, &w->sinks[1]);
    return 0;
}

/* rc: of what they watched. */
static int end_watches(struct watches *w, int rc, const struct needs *needs, struct verdict *v)
{
    if (rc) {
        ostree_watch_delete(w->ostree);
        container_watch_delete(w->containers);
        return -1;
    }
    if (w->ostree)
        ostree_watch_end(w->ostree, needs, v);
    if (w->containers)
        container_watch_end(w->containers, v);
    return 0;
}

static int check_images(struct bundle *b, const struct needs *needs, struct verdict *v,
                        struct progress *progress, struct err *e)
{
    AUTO_FREE struct bundle_member_info *members = bundle_list_members(b);
    struct watches w = {0};
    const struct bundle_sink sink = {begin_member, write_member, end_member, &w};
    int rc = start_watches(&w, members, v, e) ||
             (w.metadata.take && bundle_read_metadata(b, &w.metadata, e)) ||
             bundle_watch(b, 0, &sink, progress, e);
    return end_watches(&w, rc, needs, v);
}

int content_check_bundle(struct bundle *b, const struct needs *needs, struct verdict *v,
                         enum content_depth depth, struct progress *progress, struct err *e)
{
    bool has_images = ostree_check_is_due(v) || container_check_is_due(v);
    bool reads_images = has_images && depth != CONTENT_INDEX;
    AUTO(target_index) struct target_index index = {0};
    target_index_make(b, &index);
    check_index(&index, v, !reads_images);
    if (reads_images)
        return check_images(b, needs, v, progress, e);
    say_unread(v);
    return depth == CONTENT_ALL ? bundle_check(b, 0, progress, e) : 0;
}

/* ---- an image ---- */

/* What no role signs a size for, OSTree objects and container images, may be as many times as large as the
 * image: a sparse file costs whoever makes it nothing, and whoever reads it hours. */
#define UNSIGNED_RATIO 64u

struct image_reading {
    struct watches watches;
    bool *wanted; /* of each member: is it read? Others are left alone, as in a folder */
    struct hash *hash;
    struct progress *progress;
};

static bool is_watched(const struct watches *w, const struct bundle_member_info *member)
{
    return (w->ostree && ostree_watch_takes(member)) || (w->containers && container_watch_takes(member));
}

/* A target of another size than the signed one is wrong already. */
static int choose_wanted(const struct image_reading *r, const struct target_index *index,
                         const struct verdict *v, uint64_t stored, uint64_t *ret_bytes, struct err *e)
{
    uint64_t signed_bytes = 0, unsigned_bytes = 0;
    for (size_t i = 0; i < v->target_count; i++) {
        const struct bundle_member_info *found = target_index_find(index, &v->targets[i]);
        if (found && !v->targets[i].is_ostree && found->size == v->targets[i].length)
            r->wanted[found - index->members] = true;
    }
    for (size_t i = 0; i < index->count; i++) {
        const struct bundle_member_info *member = &index->members[i];
        if (r->wanted[i]) {
            signed_bytes += member->size;
        } else if (is_watched(&r->watches, member)) {
            r->wanted[i] = true;
            unsigned_bytes += member->size;
        }
    }
    *ret_bytes = signed_bytes + unsigned_bytes;
    if (unsigned_bytes / UNSIGNED_RATIO > stored)
        return err_set(e, ERR_TOO_LARGE,
                       "its OSTree and container images are more than %u times as large as it",
                       UNSIGNED_RATIO);
    return 0;
}

static int take_image_bytes(void *ctx, const void *bytes, size_t n, struct err *e)
{
    struct image_reading *r = ctx;
    hash_update(r->hash, bytes, n);
    progress_add(r->progress, n);
    return write_member(&r->watches, bytes, n, e);
}

static int read_member(struct squashfs_image *image, struct image_reading *r,
                       struct bundle_member_info *member, size_t i, struct err *e)
{
    if (begin_member(&r->watches, i, e) ||
        (r->wanted[i] && squashfs_image_pour(image, squashfs_image_at(image, i), take_image_bytes, r, e)) ||
        end_member(&r->watches, e))
        return err_context(e, "'%s'", member->path);
    if (r->wanted[i])
        hash_final(r->hash, member->sha256);
    return 0;
}

/* Every file that is wanted gets its hash, as the index of a bundle has it. */
static int read_image(struct squashfs_image *image, struct image_reading *r, const struct target_index *index,
                      const struct verdict *v, struct err *e)
{
    uint64_t total;
    if (choose_wanted(r, index, v, squashfs_image_stored(image), &total, e))
        return -1;
    progress_begin(r->progress, "verify", total);
    for (size_t i = 0; i < index->count; i++)
        if (read_member(image, r, &index->members[i], i, e))
            return -1;
    progress_end(r->progress);
    return 0;
}

int content_check_image(struct squashfs_image *image, const struct needs *needs, struct verdict *v,
                        struct progress *progress, struct err *e)
{
    size_t count = squashfs_image_count(image);
    AUTO_FREE struct bundle_member_info *members = mem_zeroed(count, sizeof *members);
    AUTO_FREE bool *wanted = mem_zeroed(count, sizeof *wanted);
    const struct target_index index = {.members = members, .count = count};
    struct image_reading r = {.wanted = wanted, .hash = hash_new(), .progress = progress};
    for (size_t i = 0; i < count; i++) {
        const struct squashfs_entry *file = squashfs_image_at(image, i);
        members[i] = (struct bundle_member_info){.path = file->path, .size = file->size};
    }
    int rc = start_watches(&r.watches, members, v, e) ||
             (r.watches.metadata.take && squashfs_image_read_metadata(image, &r.watches.metadata, e)) ||
             read_image(image, &r, &index, v, e);
    hash_delete(r.hash);
    if (end_watches(&r.watches, rc, needs, v))
        return -1;
    check_index(&index, v, false);
    return 0;
}
