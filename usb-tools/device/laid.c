/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/laid.h"

#include <string.h>

#include "base/fs.h"
#include "base/mem.h"

#define FILE_MAX (256u << 10) /* bytes: the list of signers is the largest */

static int read_there(int root_fd, const char *path, struct buf *bytes, enum laid *ret, struct err *e)
{
    static const char mark[] = LAID_MARK;
    *ret = LAID_NONE;
    if (fs_read_at(root_fd, path, FILE_MAX, bytes, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : err_context(e, "'/%s'", path);
    *ret = strncmp(buf_text(bytes), mark, strlen(mark)) == 0 ? LAID_OURS : LAID_ANOTHERS;
    return 0;
}

int laid_look(int root_fd, const char *path, enum laid *ret, struct err *e)
{
    AUTO(buf) struct buf bytes = {0};
    return read_there(root_fd, path, &bytes, ret, e);
}

int laid_check_free(int root_fd, const char *path, struct err *e)
{
    enum laid there;
    if (laid_look(root_fd, path, &there, e))
        return -1;
    if (there != LAID_ANOTHERS)
        return 0;
    err_set(e, ERR_ALREADY_EXISTS, "'/%s' was not laid down by this program", path);
    return err_hint(e, "move it away; what it holds can go into a file of another name beside it");
}

/* ---- temporary names ---- */

struct broom {
    int dirfd;
    const char *name; /* the final one */
};

/* ".<name>.<random>.tmp", as fs_temp_open() makes them. */
static int sweep_entry(void *ctx, const char *name, struct err *e)
{
    const struct broom *b = ctx;
    size_t len = strlen(name), of_name = strlen(b->name);
    if (len < of_name + 6 || name[0] != '.' || strncmp(name + 1, b->name, of_name) != 0 ||
        name[1 + of_name] != '.' || strcmp(name + len - 4, ".tmp") != 0)
        return 0;
    return fs_remove_at(b->dirfd, name, e);
}

int laid_sweep(int root_fd, const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = mem_strndup(path, (size_t)(slash - path));
    AUTO_FD int fd = -1;
    if (fs_open_dir_at(root_fd, folder, false, &fd, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    struct broom b = {fd, slash + 1};
    return fs_each(fd, sweep_entry, &b, e);
}

/* ---- putting and removing ---- */

int laid_put(int root_fd, const char *path, const char *text, bool *ret_changed, struct err *e)
{
    AUTO(buf) struct buf there = {0}, whole = {0};
    enum laid is;
    if (laid_check_free(root_fd, path, e) || laid_sweep(root_fd, path, e) ||
        read_there(root_fd, path, &there, &is, e))
        return -1;
    buf_add_text(&whole, LAID_MARK);
    buf_add_text(&whole, text);
    *ret_changed =
        is == LAID_NONE || there.len != whole.len || memcmp(there.data, whole.data, whole.len) != 0;
    return *ret_changed ? fs_replace_at(root_fd, path, whole.data, whole.len, 0644, e) : 0;
}

int laid_remove(int root_fd, const char *path, enum laid *ret, struct err *e)
{
    if (laid_look(root_fd, path, ret, e) || laid_sweep(root_fd, path, e))
        return -1;
    if (*ret != LAID_OURS)
        return 0;
    return fs_remove_at(root_fd, path, e) || fs_sync_parent(root_fd, path, e) ? -1 : 0;
}
