/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "base/fs.h"
#include "base/mem.h"
#include "usb-tools/device/sandbox.h"
#include "usb-tools/device/seal.h"
#include "usb-tools/unpack.h"

#define FORMER ".update.former" /* the older directory, out of the client's sight */
#define LOCK_MOMENTS 30         /* of 100 ms */
#define AWAY_S 3                /* how long at least: the client looks once a second */

static bool exists(int dirfd, const char *name)
{
    struct stat st;
    return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- the client's log ---- */

static int move_log(int from_fd, int to_fd, const char *name, struct err *e)
{
    if (!exists(from_fd, name))
        return 0;
    if (renameat2(from_fd, name, to_fd, name, RENAME_NOREPLACE) && errno != EEXIST)
        return err_errno(e, ERR_SYSTEM, "cannot keep the client's log '%s'", name);
    return 0;
}

/* A journal that is left belongs to its database and goes before it: alone it means nothing. */
static int move_logs(int dirfd, struct err *e)
{
    static const char *const names[] = {"update-logs.db-journal", "update-logs.db-wal", "update-logs.db"};
    AUTO_FD int from = -1, to = -1;
    if (fs_open_dir_at(dirfd, FORMER, false, &from, e) || fs_open_dir_at(dirfd, STAGE_NAME, false, &to, e))
        return -1;
    if (exists(to, "update-logs.db"))
        return 0; /* moved before, or the client has begun another */
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (move_log(from, to, names[i], e))
            return -1;
    return fs_sync(to, e);
}

/* The older directory: its log moves on when the newer one is there; before that, it comes back itself. */
static int settle(int dirfd, struct err *e)
{
    if (!exists(dirfd, FORMER))
        return 0;
    if (!exists(dirfd, STAGE_NAME)) {
        if (renameat(dirfd, FORMER, dirfd, STAGE_NAME))
            return err_errno(e, ERR_SYSTEM, "cannot bring back '%s'", STAGE_SOURCE);
        return 0;
    }
    return move_logs(dirfd, e) || fs_remove_at(dirfd, FORMER, e) ? -1 : 0;
}

static int take_lock(int fd, struct err *e)
{
    const struct timespec moment = {.tv_nsec = 100000000};
    for (unsigned i = 0; flock(fd, LOCK_EX | LOCK_NB); i++) {
        if (i == LOCK_MOMENTS)
            return err_set(e, ERR_STORE_LOCKED, "another airlock-device is at work");
        clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
    }
    return 0;
}

int stage_open(int root_fd, struct stage *ret, struct err *e)
{
    AUTO(stage) struct stage s = STAGE_CLOSED;
    if (fs_open_dir_at(root_fd, STAGE_FOLDER, true, &s.fd, e) ||
        fs_open_at(s.fd, "lock", O_RDWR | O_CREAT, 0600, &s.lock_fd, e))
        return err_context(e, "'/" STAGE_FOLDER "'");
    if (take_lock(s.lock_fd, e) || settle(s.fd, e))
        return -1;
    *ret = s;
    s = (struct stage)STAGE_CLOSED;
    return 0;
}

void stage_free(struct stage *s)
{
    cleanup_fd(&s->lock_fd);
    cleanup_fd(&s->fd);
    aside_free(&s->aside);
    *s = (struct stage)STAGE_CLOSED;
}

/* ---- is it there already? ---- */

static bool is_same_file(int dirfd, const struct bundle_member_info *m)
{
    AUTO_FD int fd = -1;
    struct err ignored;
    struct stat st;
    uint8_t digest[HASH_SIZE];
    return fs_open_at(dirfd, m->path, O_RDONLY, 0, &fd, &ignored) == 0 && fstat(fd, &st) == 0 &&
           (uint64_t)st.st_size == m->size && hash_file(fd, NULL, NULL, digest, &ignored) == 0 &&
           !memcmp(digest, m->sha256, HASH_SIZE);
}

/* A directory that has its name is whole, so the signed roles tell which one it is. */
static bool is_there(const struct stage *s, const struct bundle *b)
{
    static const char roles[] = "metadata/";
    AUTO_FD int fd = -1;
    struct err ignored;
    if (fs_open_dir_at(s->fd, STAGE_NAME, false, &fd, &ignored))
        return false;
    for (size_t i = 0; i < bundle_member_count(b); i++) {
        struct bundle_member_info m = bundle_member_at(b, i);
        if (!strncmp(m.path, roles, strlen(roles)) && !is_same_file(fd, &m))
            return false;
    }
    return true;
}

/* ---- unpacking ---- */

static int give_way(const struct stage *s, struct err *e)
{
    const struct timespec away = {.tv_sec = AWAY_S};
    if (!exists(s->fd, STAGE_NAME))
        return 0;
    if (renameat(s->fd, STAGE_NAME, s->fd, FORMER))
        return err_errno(e, ERR_SYSTEM, "cannot move '%s' aside", STAGE_SOURCE);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &away, NULL); /* a signal that does not end us may shorten it */
    return 0;
}

int stage_begin(struct stage *s, struct err *e)
{
    if (aside_begin(&s->aside, s->fd, STAGE_NAME, e) || sandbox_lend(s->aside.fd, e))
        return err_context(e, "'" STAGE_SOURCE "'");
    return 0;
}

int stage_fill(struct stage *s, struct bundle *b, bool *ret_fresh, struct err *e)
{
    *ret_fresh = !is_there(s, b);
    return *ret_fresh ? unpack_into(b, s->aside.fd, NULL, e) : 0;
}

int stage_finish(struct stage *s, struct err *e)
{
    if (seal(s->aside.fd, e) || give_way(s, e) || aside_commit(&s->aside, e) || settle(s->fd, e))
        return err_context(e, "'" STAGE_SOURCE "'");
    return 0;
}
