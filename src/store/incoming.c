/* SPDX-License-Identifier: Apache-2.0 */
#include "store/incoming.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/fs.h"
#include "base/mem.h"

struct incoming {
    int partial_fd, objects_fd; /* the store's */
    int fd;
    bool locked; /* until then the file is somebody else's */
    uint8_t sha256[HASH_SIZE];
    uint64_t size, have;
    struct hash *hash;
    char name[HASH_HEX_SIZE]; /* in partial/ */
};

/* Whoever held the lock before may have renamed or removed the file since we opened it. */
static bool still_named(const struct incoming *in)
{
    struct stat mine, named;
    return fstat(in->fd, &mine) == 0 && fstatat(in->partial_fd, in->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

static int open_and_lock(struct incoming *in, bool wait, struct err *e)
{
    for (;;) {
        if (fs_open_at(in->partial_fd, in->name, O_RDWR | O_CREAT, 0600, &in->fd, e))
            return -1;
        while (flock(in->fd, LOCK_EX | (wait ? 0 : LOCK_NB))) {
            if (errno == EWOULDBLOCK)
                return err_set(e, ERR_STORE_LOCKED, "another airlock is receiving '%s'", in->name);
            if (errno != EINTR)
                return err_errno(e, ERR_SYSTEM, "cannot lock '%s'", in->name);
        }
        in->locked = still_named(in);
        if (in->locked)
            return 0;
        close(steal_fd(&in->fd));
    }
}

/* Hashes what an earlier run left; a file longer than the object is none of its. */
static int take_over(struct incoming *in, struct err *e)
{
    struct stat st;
    if (fstat(in->fd, &st))
        return err_errno(e, ERR_SYSTEM, "cannot stat '%s'", in->name);
    if ((uint64_t)st.st_size > in->size)
        return incoming_restart(in, e);
    if (st.st_size == 0)
        return 0;
    AUTO_FREE uint8_t *chunk = mem_zeroed(1, 1u << 20);
    for (uint64_t end = (uint64_t)st.st_size; in->have < end;) {
        size_t n = end - in->have < 1u << 20 ? (size_t)(end - in->have) : 1u << 20;
        if (fs_read_all(in->fd, chunk, n, in->have, e))
            return -1;
        hash_update(in->hash, chunk, n);
        in->have += n;
    }
    if (lseek(in->fd, (off_t)in->have, SEEK_SET) < 0)
        return err_errno(e, ERR_SYSTEM, "cannot seek '%s'", in->name);
    return 0;
}

int incoming_open(const struct store *s, const uint8_t sha256[HASH_SIZE], uint64_t size, bool wait,
                  struct incoming **ret, struct err *e)
{
    if (store_has(s, sha256, size)) {
        *ret = NULL;
        return 0;
    }
    struct incoming *in = mem_zeroed(1, sizeof *in);
    *in = (struct incoming){
        .partial_fd = s->partial_fd, .objects_fd = s->objects_fd, .fd = -1, .size = size, .hash = hash_new()};
    memcpy(in->sha256, sha256, HASH_SIZE);
    hash_hex(sha256, in->name);
    if (open_and_lock(in, wait, e) || take_over(in, e)) {
        incoming_close(in);
        return -1;
    }
    if (store_has(s, sha256, size)) { /* somebody else finished it while we waited */
        unlinkat(in->partial_fd, in->name, 0);
        incoming_close(in);
        in = NULL;
    }
    *ret = in;
    return 0;
}

uint64_t incoming_have(const struct incoming *in)
{
    return in->have;
}

int incoming_write(struct incoming *in, const void *bytes, size_t n, struct err *e)
{
    if (n > in->size - in->have)
        return err_set(e, ERR_WRONG_LENGTH, "more than the %" PRIu64 " bytes that are signed", in->size);
    if (fs_write_all(in->fd, bytes, n, e))
        return err_context(e, "the store");
    hash_update(in->hash, bytes, n);
    in->have += n;
    return 0;
}

int incoming_restart(struct incoming *in, struct err *e)
{
    uint8_t unused[HASH_SIZE];
    hash_final(in->hash, unused);
    in->have = 0;
    if (ftruncate(in->fd, 0) || lseek(in->fd, 0, SEEK_SET) < 0)
        return err_errno(e, ERR_SYSTEM, "cannot empty '%s'", in->name);
    return 0;
}

static int refuse(struct incoming *in, const uint8_t digest[HASH_SIZE], struct err *e)
{
    char wanted[HASH_HEX_SIZE], got[HASH_HEX_SIZE];
    uint64_t have = in->have;
    hash_hex(in->sha256, wanted);
    hash_hex(digest, got);
    if (incoming_restart(in, e))
        return -1;
    if (have != in->size)
        return err_set(e, ERR_WRONG_LENGTH, "%" PRIu64 " bytes arrived, %" PRIu64 " are signed", have,
                       in->size);
    return err_set(e, ERR_WRONG_HASH, "the content's SHA-256 is %s, signed is %s", got, wanted);
}

/* "ab/cdef…" within objects/, whose folder is made by its first object. */
static int name_object(const struct incoming *in, struct err *e)
{
    char path[STORE_PATH_SIZE], folder[3] = {in->name[0], in->name[1], '\0'};
    store_object_path(in->sha256, path);
    const char *name = path + strlen(STORE_OBJECTS);
    if (renameat(in->partial_fd, in->name, in->objects_fd, name) == 0)
        return 0;
    if (errno == ENOENT && (mkdirat(in->objects_fd, folder, 0777) == 0 || errno == EEXIST) &&
        renameat(in->partial_fd, in->name, in->objects_fd, name) == 0)
        return 0;
    return err_errno(e, ERR_SYSTEM, "cannot name the object '%s'", in->name);
}

int incoming_finish(struct incoming *in, struct err *e)
{
    uint8_t digest[HASH_SIZE];
    hash_final(in->hash, digest);
    if (in->have != in->size || memcmp(digest, in->sha256, HASH_SIZE) != 0)
        return refuse(in, digest, e);
    return name_object(in, e);
}

void incoming_close(struct incoming *in)
{
    if (!in)
        return;
    if (in->locked && in->have == 0 && still_named(in))
        unlinkat(in->partial_fd, in->name, 0); /* nothing arrived: leave nothing */
    cleanup_fd(&in->fd);
    hash_delete(in->hash);
    free(in);
}
