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

struct export
{
    int fd;   /* of the folder aside */
    int file; /* being written */
    uint8_t *chunk;
    struct hash *hash;
    struct progress *progress;
    uint64_t unflushed;
};

static int settle(struct export *x, struct err *e)
{
    if (fs_sync_all(x->fd, e))
        return -1;
    progress_add(x->progress, x->unflushed);
    x->unflushed = 0;
    return 0;
}

static int take_bytes(void *ctx, const uint8_t *bytes, size_t n, struct err *e)
{
    struct export *x = ctx;
    if (fs_write_all(x->file, bytes, n, e))
        return -1;
    /* the medium starts at once, not when the cache is full: a slow stick is never idle */
    sync_file_range(x->file, 0, 0, SYNC_FILE_RANGE_WRITE);
    x->unflushed += n;
    return x->unflushed < PACE ? 0 : settle(x, e);
}

static int copy_content(struct export *x, const struct content *c, struct err *e)
{
    if (content_pour(c, x->chunk, CHUNK, x->hash, take_bytes, x, e) == 0)
        return 0;
    if (e->id != ERR_WRONG_HASH && e->id != ERR_WRONG_LENGTH)
        return -1;
    err_set(e, ERR_WRONG_HASH, "what the store delivers is not what was fetched");
    return err_hint(e, "fetch the lockbox again");
}

static int copy_member(struct export *x, const struct member *m, struct err *e)
{
    AUTO_FREE char *folder = mem_strdup(m->path);
    char *slash = strrchr(folder, '/');
    AUTO_FD int parent = -1;
    if (slash)
        *slash = '\0';
    if (fs_open_dir_at(x->fd, slash ? folder : "", true, &parent, e))
        return -1;
    AUTO_FD int fd = -1;
    if (fs_open_at(parent, slash ? slash + 1 : m->path, O_WRONLY | O_CREAT | O_EXCL, 0644, &fd, e))
        return -1;
    x->file = fd;
    for (size_t i = 0; i < m->content_count; i++)
        if (copy_content(x, &m->contents[i], e))
            return -1;
    if (close(steal_fd(&fd)))
        return err_errno(e, ERR_MEDIUM_IO, "cannot close");
    return 0;
}

static int fill(struct export *x, const struct member *members, size_t n, struct err *e)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += members[i].size;
    progress_begin(x->progress, "write", total);
    for (size_t i = 0; i < n; i++)
        if (copy_member(x, &members[i], e))
            return err_context(e, "'%s'", members[i].path);
    if (settle(x, e))
        return -1;
    progress_end(x->progress);
    return 0;
}

static int read_members_back(const struct export *x, const struct member *members, size_t n, struct err *e)
{
    AUTO_FREE struct read_back_file *files = mem_zeroed(n, sizeof *files);
    for (size_t i = 0; i < n; i++) {
        files[i] = (struct read_back_file){.path = members[i].path, .size = members[i].size};
        memcpy(files[i].sha256, members[i].sha256, HASH_SIZE);
    }
    return read_back(x->fd, files, n, x->progress, e);
}

int export_plain(int dirfd, const char *name, const struct member *members, size_t n,
                 struct progress *progress, struct err *e)
{
    AUTO(aside) struct aside aside = {.parent_fd = -1, .fd = -1};
    if (members_check_names(members, n, e) || aside_begin(&aside, dirfd, name, e))
        return -1;
    struct export x = {
        .fd = aside.fd, .chunk = mem_zeroed(1, CHUNK), .hash = hash_new(), .progress = progress};
    int rc = fill(&x, members, n, e) || read_members_back(&x, members, n, e);
    free(x.chunk);
    hash_delete(x.hash);
    return rc ? -1 : aside_commit(&aside, e);
}
