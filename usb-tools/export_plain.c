/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/export_plain.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "usb-tools/aside.h"
#include "usb-tools/read_back.h"

#define CHUNK (1u << 20)
#define PACE (16u << 20) /* the progress, which tells what is on the medium, lags no further behind */

/* At one place. */
struct folder {
    struct export_place place;
    struct aside aside;
    int file; /* being written */
    uint64_t unflushed;
};

struct export
{
    struct several *at;
    struct folder *folders; /* at->count */
    const struct member *members;
    size_t count;
    uint64_t total;
    uint8_t *chunk;
    struct hash *hash;
    const struct member *member; /* being written */
    const uint8_t *bytes;
    size_t n;
};

static int begin(void *ctx, size_t i, struct err *e)
{
    struct export *x = ctx;
    struct folder *f = &x->folders[i];
    return aside_begin(&f->aside, f->place.dirfd, f->place.name, e);
}

/* ---- writing ---- */

static int settle(void *ctx, size_t i, struct err *e)
{
    struct export *x = ctx;
    struct folder *f = &x->folders[i];
    if (fs_sync_all(f->aside.fd, e))
        return -1;
    progress_add(several_progress(x->at, i), f->unflushed);
    f->unflushed = 0;
    return 0;
}

static int put_bytes(void *ctx, size_t i, struct err *e)
{
    struct export *x = ctx;
    struct folder *f = &x->folders[i];
    if (fs_write_all(f->file, x->bytes, x->n, e))
        return err_context(e, "'%s'", x->member->path);
    /* the medium starts at once, not when the cache is full: a slow stick is never idle */
    sync_file_range(f->file, 0, 0, SYNC_FILE_RANGE_WRITE);
    f->unflushed += x->n;
    return f->unflushed < PACE ? 0 : settle(x, i, e);
}

static int take_bytes(void *ctx, const uint8_t *bytes, size_t n, struct err *e)
{
    struct export *x = ctx;
    x->bytes = bytes;
    x->n = n;
    return several_each(x->at, put_bytes, x, e);
}

static int copy_content(struct export *x, const struct content *c, struct err *e)
{
    if (content_pour(c, x->chunk, CHUNK, x->hash, take_bytes, x, e) == 0)
        return 0;
    if (several_left(x->at) == 0)
        return -1;
    if (e->id == ERR_WRONG_HASH || e->id == ERR_WRONG_LENGTH) {
        err_set(e, ERR_WRONG_HASH, "what the store delivers is not what was fetched");
        err_hint(e, "fetch the lockbox again");
    }
    return err_context(e, "'%s'", x->member->path);
}

static int open_file(void *ctx, size_t i, struct err *e)
{
    struct export *x = ctx;
    struct folder *f = &x->folders[i];
    AUTO_FREE char *folder = mem_strdup(x->member->path);
    char *slash = strrchr(folder, '/');
    AUTO_FD int parent = -1;
    if (slash)
        *slash = '\0';
    if (fs_open_dir_at(f->aside.fd, slash ? folder : "", true, &parent, e) ||
        fs_open_at(parent, slash ? slash + 1 : folder, O_WRONLY | O_CREAT | O_EXCL, 0644, &f->file, e))
        return err_context(e, "'%s'", x->member->path);
    return 0;
}

static int close_file(void *ctx, size_t i, struct err *e)
{
    struct export *x = ctx;
    if (close(steal_fd(&x->folders[i].file)))
        return err_errno(e, ERR_MEDIUM_IO, "'%s': cannot close", x->member->path);
    return 0;
}

static int copy_member(struct export *x, const struct member *m, struct err *e)
{
    x->member = m;
    if (several_in_turn(x->at, open_file, x, e))
        return -1;
    for (size_t i = 0; i < m->content_count; i++)
        if (copy_content(x, &m->contents[i], e))
            return -1;
    return several_in_turn(x->at, close_file, x, e);
}

/* The signed roles come last: whatever moment it ends at, nothing that looks complete lacks its packages. */
static int copy_members(struct export *x, bool metadata, struct err *e)
{
    static const char folder[] = "metadata/";
    for (size_t i = 0; i < x->count; i++)
        if (!strncmp(x->members[i].path, folder, strlen(folder)) == metadata &&
            copy_member(x, &x->members[i], e))
            return -1;
    return 0;
}

static int fill(struct export *x, struct err *e)
{
    several_phase(x->at, "write", x->total);
    if (copy_members(x, false, e) || copy_members(x, true, e) || several_each(x->at, settle, x, e))
        return -1;
    several_phase_end(x->at);
    return 0;
}

/* ---- reading back, and all of it ---- */

static int read_folder_back(void *ctx, size_t i, struct err *e)
{
    struct export *x = ctx;
    AUTO_FREE struct read_back_file *files = mem_zeroed(x->count, sizeof *files);
    for (size_t k = 0; k < x->count; k++) {
        files[k] = (struct read_back_file){.path = x->members[k].path, .size = x->members[k].size};
        memcpy(files[k].sha256, x->members[k].sha256, HASH_SIZE);
    }
    return read_back(x->folders[i].aside.fd, files, x->count, several_progress(x->at, i), e);
}

static int commit(void *ctx, size_t i, struct err *e)
{
    struct export *x = ctx;
    return aside_commit(&x->folders[i].aside, e);
}

static int export_all(struct export *x, struct err *e)
{
    if (members_check_names(x->members, x->count, e) || several_in_turn(x->at, begin, x, e) || fill(x, e))
        return -1;
    several_phase(x->at, "read back", x->total);
    if (several_each(x->at, read_folder_back, x, e))
        return -1;
    several_phase_end(x->at);
    return several_each(x->at, commit, x, e);
}

int export_plain(const struct export_place *places, struct several *at, const struct member *members,
                 size_t n, struct err *e)
{
    struct export x = {.at = at,
                       .folders = mem_zeroed(at->count, sizeof *x.folders),
                       .members = members,
                       .count = n,
                       .chunk = mem_zeroed(1, CHUNK),
                       .hash = hash_new()};
    for (size_t i = 0; i < n; i++)
        x.total += members[i].size;
    for (size_t i = 0; i < at->count; i++)
        x.folders[i] = (struct folder){.place = places[i], .aside = {.parent_fd = -1, .fd = -1}, .file = -1};
    int rc = export_all(&x, e);
    if (rc)
        several_fail(at, e);
    for (size_t i = 0; i < at->count; i++) {
        cleanup_fd(&x.folders[i].file);
        aside_free(&x.folders[i].aside);
    }
    free(x.folders);
    free(x.chunk);
    hash_delete(x.hash);
    return rc ? -1 : 0;
}
