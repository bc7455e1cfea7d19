/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/content_check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/name.h"
#include "base/out.h"
#include "base/parallel.h"
#include "fetch/ostree_object.h"
#include "lockbox/ostree_check.h"

struct job {
    int dirfd;
    const struct verdict *v;
    struct err *findings; /* one per target; ERR_NONE: as signed */
    struct progress *progress;
};

static bool is_compose(const struct verdict_target *t)
{
    for (size_t i = 0; i < t->hardware_id_count; i++)
        if (!strcmp(t->hardware_ids[i], "docker-compose"))
            return true;
    return false;
}

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

static void say_unchecked(struct verdict *v, bool images_too)
{
    for (size_t i = 0; i < v->target_count; i++) {
        AUTO(buf) struct buf name = {0};
        out_escape(&name, v->targets[i].name, strlen(v->targets[i].name));
        if (v->targets[i].is_ostree && images_too)
            judge_assume(v, "the objects of the OSTree image '%s' are whole: they were not read",
                         buf_text(&name));
        else if (is_compose(&v->targets[i]))
            judge_assume(v, "the container images of '%s' are whole: only the compose file was checked",
                         buf_text(&name));
    }
}

void content_check_folder(int dirfd, struct verdict *v, struct progress *progress)
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
        ostree_check_folder(dirfd, v, progress);
    say_unchecked(v, false);
}

static int compare_path(const void *key, const void *member)
{
    return strcmp(key, ((const struct bundle_member_info *)member)->path);
}

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct bundle_member_info *)a)->path, ((const struct bundle_member_info *)b)->path);
}

/* Which member proves a target by its hash in the index: the file itself, or the commit object. */
static char *member_path(const struct verdict_target *t)
{
    char path[OSTREE_PATH_SIZE];
    struct ostree_name name = {.kind = OSTREE_COMMIT};
    if (!t->is_ostree)
        return mem_format("images/%s", t->name);
    memcpy(name.checksum, t->sha256, HASH_SIZE);
    ostree_path(&name, path);
    return mem_format("images/ostree/%s", path);
}

/* Every target must be a member of the signed size and hash. */
static void check_index(const struct bundle *b, struct verdict *v, bool images_too)
{
    size_t n = bundle_member_count(b);
    AUTO_FREE struct bundle_member_info *members = mem_zeroed(n, sizeof *members);
    for (size_t i = 0; i < n; i++)
        members[i] = bundle_member_at(b, i);
    qsort(members, n, sizeof *members, compare_members);
    for (size_t i = 0; i < v->target_count; i++) {
        const struct verdict_target *t = &v->targets[i];
        AUTO_FREE char *path = member_path(t);
        const struct bundle_member_info *m = bsearch(path, members, n, sizeof *members, compare_path);
        struct err found = {0};
        if (t->is_ostree && !images_too)
            continue;
        if (!m)
            err_set(&found, ERR_MISSING_TARGET, "the bundle does not hold it");
        else if (!t->is_ostree && m->size != t->length)
            err_set(&found, ERR_WRONG_LENGTH, "the file does not have its signed length");
        else if (memcmp(m->sha256, t->sha256, HASH_SIZE) != 0)
            err_set(&found, ERR_WRONG_HASH, "the file does not match its signed hash");
        if (found.id != ERR_NONE)
            add_finding(v, t, &found);
    }
}

int content_check_bundle(struct bundle *b, struct verdict *v, enum content_depth depth,
                         struct progress *progress, struct err *e)
{
    bool has_images = ostree_check_is_due(v), reads_images = has_images && depth != CONTENT_INDEX;
    check_index(b, v, !reads_images);
    say_unchecked(v, !reads_images);
    if (reads_images)
        return ostree_check_bundle(b, v, progress, e);
    return depth == CONTENT_ALL ? bundle_check(b, 0, progress, e) : 0;
}
