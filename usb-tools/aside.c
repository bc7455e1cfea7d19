/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"

static bool exists(int dirfd, const char *name)
{
    struct stat st;
    return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int refuse_foreign(void *ctx, const char *name, struct err *e)
{
    static const char *const known[] = {"metadata", "images"};
    (void)ctx;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (!strcmp(name, known[i]))
            return 0;
    /* the log of the stock client, its journal, or a copy of them under a temporary name */
    if (!strncmp(name, "update-logs.db", strlen("update-logs.db")) ||
        !strncmp(name, ".update-logs.db", strlen(".update-logs.db")))
        return 0;
    return err_set(e, ERR_ALREADY_EXISTS, "it holds '%s', which is no part of a lockbox directory", name);
}

/* Only what a lockbox directory consists of is ever replaced or removed: nobody's own files. */
static int check_is_lockbox(int parent_fd, const char *name, struct err *e)
{
    AUTO_FD int fd = -1;
    if (fs_open_dir_at(parent_fd, name, false, &fd, e))
        return err_set(e, ERR_ALREADY_EXISTS, "what is there already is no folder");
    if (fs_each(fd, refuse_foreign, NULL, e))
        return err_context(e, "a folder is there already");
    return 0;
}

/* A crash between the two renames of replace_by_two() left the old folder under its temporary name. */
static int mend(const struct aside *a, struct err *e)
{
    struct err not_ours;
    if (!exists(a->parent_fd, a->former) || check_is_lockbox(a->parent_fd, a->former, &not_ours))
        return 0;
    if (exists(a->parent_fd, a->name))
        return fs_remove_at(a->parent_fd, a->former, e);
    if (renameat(a->parent_fd, a->former, a->parent_fd, a->name))
        return err_errno(e, ERR_MEDIUM_IO, "cannot bring back '%s'", a->name);
    return 0;
}

static int check_replaceable(const struct aside *a, struct err *e)
{
    return exists(a->parent_fd, a->name) ? check_is_lockbox(a->parent_fd, a->name, e) : 0;
}

static int make_part(struct aside *a, struct err *e)
{
    AUTO_FD int fd = -1;
    if (exists(a->parent_fd, a->part) && check_is_lockbox(a->parent_fd, a->part, e))
        return -1;
    if (fs_open_dir_at(a->parent_fd, a->part, true, &fd, e))
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB))
        return err_set(e, ERR_STORE_LOCKED, "another airlock is writing '%s'", a->name);
    a->fd = steal_fd(&fd);
    return 0;
}

/* What a killed run left in the part folder. */
static int remove_inside(void *ctx, const char *name, struct err *e)
{
    return fs_remove_at(*(const int *)ctx, name, e);
}

int aside_begin(struct aside *ret, int dirfd, const char *name, struct err *e)
{
    struct aside a = {.parent_fd = -1, .fd = -1};
    a.name = mem_strdup(name);
    a.part = mem_format(".%s.part", name);
    a.former = mem_format(".%s.old", name);
    if (fs_open_dir_at(dirfd, "", false, &a.parent_fd, e) || mend(&a, e) || check_replaceable(&a, e) ||
        make_part(&a, e) || fs_each(a.fd, remove_inside, &a.fd, e)) {
        aside_free(&a);
        return -1;
    }
    *ret = a;
    return 0;
}

#define LOG_BYTES_MAX                                                                                        \
    (256u << 20) /* far above any log a device wrote; bounds what a hostile stick can cost */

static int copy_log(int from, int to, const char *name, struct err *e)
{
    AUTO(buf) struct buf chunk = {0};
    AUTO_FD int in = -1;
    AUTO(fs_temp) struct fs_temp out = {.fd = -1};
    struct stat st;
    if (fs_open_at(from, name, O_RDONLY, 0, &in, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    if (fstat(in, &st))
        return err_errno(e, ERR_MEDIUM_IO, "cannot stat '%s'", name);
    if (st.st_size > LOG_BYTES_MAX)
        return err_set(e, ERR_TOO_LARGE, "'%s' of the old folder is larger than 256 MiB", name);
    if (fs_temp_open(&out, to, name, 0644, e))
        return -1;
    for (uint64_t at = 0, end = (uint64_t)st.st_size; at < end;) {
        size_t n = end - at < 1u << 20 ? (size_t)(end - at) : 1u << 20;
        if (fs_read_all(in, buf_reserve(&chunk, n), n, at, e) || fs_write_all(out.fd, chunk.data, n, e))
            return -1;
        at += n;
    }
    return fs_temp_commit(&out, e);
}

/* The installs that devices logged are carried on, with the journal that belongs to them. */
static int carry_logs(const struct aside *a, struct err *e)
{
    static const char *const names[] = {"update-logs.db", "update-logs.db-journal", "update-logs.db-wal"};
    AUTO_FD int old = -1;
    if (fs_open_dir_at(a->parent_fd, a->name, false, &old, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (copy_log(old, a->fd, names[i], e))
            return err_context(e, "keeping the devices' log");
    return 0;
}

/* For file systems without RENAME_EXCHANGE (FAT). */
static int replace_by_two(const struct aside *a, struct err *e)
{
    if (renameat(a->parent_fd, a->name, a->parent_fd, a->former))
        return err_errno(e, ERR_MEDIUM_IO, "cannot move '%s' aside", a->name);
    if (renameat(a->parent_fd, a->part, a->parent_fd, a->name)) {
        err_errno(e, ERR_MEDIUM_IO, "cannot rename to '%s'", a->name);
        if (renameat(a->parent_fd, a->former, a->parent_fd, a->name))
            err_context(e, "the former '%s' is now '%s'", a->name, a->former);
        return -1;
    }
    return 0;
}

/* *ret_leftover: under which name the replaced folder stands now, NULL where there was none. */
static int take_final_name(const struct aside *a, const char **ret_leftover, struct err *e)
{
    *ret_leftover = NULL;
    if (!exists(a->parent_fd, a->name)) {
        if (renameat(a->parent_fd, a->part, a->parent_fd, a->name))
            return err_errno(e, ERR_MEDIUM_IO, "cannot rename to '%s'", a->name);
        return 0;
    }
    if (renameat2(a->parent_fd, a->part, a->parent_fd, a->name, RENAME_EXCHANGE) == 0) {
        *ret_leftover = a->part;
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS)
        return err_errno(e, ERR_MEDIUM_IO, "cannot replace '%s'", a->name);
    *ret_leftover = a->former;
    return replace_by_two(a, e);
}

int aside_commit(struct aside *a, struct err *e)
{
    const char *leftover;
    if (carry_logs(a, e) || fs_sync_all(a->fd, e) || take_final_name(a, &leftover, e))
        return -1;
    /* all of it again: on vfat the new name leads nowhere until the folder's own entry is written, which a
     * flush of its parent leaves out */
    if (fs_sync_all(a->parent_fd, e))
        return -1;
    int rc = leftover ? fs_remove_at(a->parent_fd, leftover, e) : 0;
    free(a->part);
    a->part = NULL; /* the name may be another's from now on */
    return rc;
}

void aside_free(struct aside *a)
{
    struct err ignored; /* a part that cannot be removed now is removed by the next aside_begin() */
    if (a->part && a->fd >= 0 && fs_remove_at(a->parent_fd, a->part, &ignored))
        ignored.id = ERR_NONE;
    if (a->name) {
        cleanup_fd(&a->fd);
        cleanup_fd(&a->parent_fd);
    }
    free(a->name);
    free(a->part);
    free(a->former);
    *a = (struct aside){.parent_fd = -1, .fd = -1};
}
