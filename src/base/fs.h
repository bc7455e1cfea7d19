/* SPDX-License-Identifier: Apache-2.0
 *
 * Files: everything relative to a folder's descriptor, never through a symbolic link, and one way to make a
 * file that is either whole under its final name or not there.
 *
 *     AUTO(fs_temp) struct fs_temp temp = {.fd = -1};
 *     if (fs_temp_open(&temp, dirfd, "record.json", 0600, e) || fs_write_all(temp.fd, bytes, n, e) ||
 *         fs_temp_commit(&temp, e))
 *         return -1;                    // an uncommitted temporary file is removed at the end of the scope
 *
 * I/O failures come back as ERR_SYSTEM or what errno names better (ERR_NO_SPACE, ERR_READ_ONLY,
 * ERR_MEDIUM_IO). `path` below is relative to dirfd, without "..", and is walked part by part with
 * O_NOFOLLOW.
 */
#ifndef AIRLOCK_BASE_FS_H
#define AIRLOCK_BASE_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

/* Opens a folder named by a person: links in it are followed. ERR_NO_SUCH_PATH where it is missing or no
 * folder
 * (`sys` tells). */
must_check int fs_open_dir(const char *path, int *ret_fd, struct err *e);
/* The same; makes what is missing, mode 0700 & ~umask where `private`, else 0777 & ~umask. */
must_check int fs_make_dir(const char *path, bool private, int *ret_fd, struct err *e);

/* Opens the folder `path` beneath dirfd ("" or "." is dirfd itself); with `create` makes the missing parts.
 */
must_check int fs_open_dir_at(int dirfd, const char *path, bool create, int *ret_fd, struct err *e);
/* Opens a file beneath dirfd; flags as for open(); O_CLOEXEC and O_NOFOLLOW are added. Only regular files.
 * Missing: ERR_NO_SUCH_PATH with sys ENOENT. */
must_check int fs_open_at(int dirfd, const char *path, int flags, mode_t mode, int *ret_fd, struct err *e);
/* Whole content of a regular file of at most `limit` bytes, else ERR_TOO_LARGE. */
must_check int fs_read_at(int dirfd, const char *path, size_t limit, struct buf *ret, struct err *e);
/* For a file that a person named. */
must_check int fs_read_file(const char *path, size_t limit, struct buf *ret, struct err *e);
/* Calls each() for every entry but "." and "..", sorted by name; stops at the first -1. */
must_check int fs_each(int dirfd, int (*each)(void *ctx, const char *name, struct err *e), void *ctx,
                       struct err *e);
/* Removes a file, or a folder with all that is in it; nothing there is no error. Never follows a link. */
must_check int fs_remove_at(int dirfd, const char *path, struct err *e);

must_check int fs_write_all(int fd, const void *bytes, size_t n, struct err *e);
/* Reads n bytes at offset, or ERR_MEDIUM_IO when the file ends before. */
must_check int fs_read_all(int fd, void *ret, size_t n, uint64_t offset, struct err *e);
must_check int fs_sync(int fd, struct err *e);
/* Waits until these bytes of a file have left the page cache for the medium; sizes and names may still wait.
 */
must_check int fs_await(int fd, uint64_t offset, uint64_t n, struct err *e);
/* All of the file system that the folder is on, down to the chips. */
must_check int fs_sync_all(int dirfd, struct err *e);
/* fsync of the folder that holds path: makes a rename in it durable. */
must_check int fs_sync_parent(int dirfd, const char *path, struct err *e);

struct fs_temp {
    int fd;
    int parent_fd;
    char *name; /* final name within parent_fd */
    char *temp; /* name until then */
};

/* Makes a new temporary file beside `path` (whose folders are made). */
must_check int fs_temp_open(struct fs_temp *t, int dirfd, const char *path, mode_t mode, struct err *e);
/* fsync, rename over the final name, fsync, close, fsync of the folder. */
must_check int fs_temp_commit(struct fs_temp *t, struct err *e);
/* Close and rename, nothing flushed: whole after a kill, but perhaps not after a power cut. For caches, whose
 * readers verify what they read. */
must_check int fs_temp_commit_cached(struct fs_temp *t, struct err *e);
void fs_temp_free(struct fs_temp *t);

/* The whole of a small file, durably, replacing what was there. */
must_check int fs_replace_at(int dirfd, const char *path, const void *bytes, size_t n, mode_t mode,
                             struct err *e);

/* The same by fs_temp_commit_cached(). */
must_check int fs_replace_cached_at(int dirfd, const char *path, const void *bytes, size_t n, mode_t mode,
                                    struct err *e);

#endif
