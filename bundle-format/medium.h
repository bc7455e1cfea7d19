/* SPDX-License-Identifier: Apache-2.0
 *
 * The few operations by which a bundle reaches a folder of a medium and comes back, as a table, so that fault
 * tests can make the n-th write, flush, rename or read fail. medium_posix() is the real one. Descriptors are
 * closed with close() by whoever got them.
 */
#ifndef AIRLOCK_BUNDLE_MEDIUM_H
#define AIRLOCK_BUNDLE_MEDIUM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct medium {
    void *ctx;
    /* A new empty file for writing and reading back; an older one of that name is truncated. */
    int (*create)(void *ctx, const char *name, int *ret_fd, struct err *e);
    /* A file that is there, for reading and for writing on after cut(); ERR_NO_SUCH_PATH when it is not. */
    int (*reopen)(void *ctx, const char *name, int *ret_fd, struct err *e);
    /* Shortens a file from reopen() to its first `size` bytes; the next write() comes after them. */
    int (*cut)(void *ctx, int fd, uint64_t size, struct err *e);
    /* Calls each() for every name in the folder, sorted; stops at the first -1. */
    int (*list)(void *ctx, int (*each)(void *each_ctx, const char *name, struct err *e), void *each_ctx,
                struct err *e);
    /* A file that is there, for reading; ERR_NO_SUCH_PATH when it is not. */
    int (*open)(void *ctx, const char *name, int *ret_fd, struct err *e);
    int (*write)(void *ctx, int fd, const void *bytes, size_t n, struct err *e);
    /* Waits until these bytes of an open file have left the page cache for the medium. */
    int (*await)(void *ctx, int fd, uint64_t offset, uint64_t n, struct err *e);
    /* Content and size reach the medium. */
    int (*flush)(void *ctx, int fd, struct err *e);
    /* From now on reads come from the medium, not from the page cache. */
    int (*drop_cache)(void *ctx, int fd, struct err *e);
    int (*read)(void *ctx, int fd, void *to, size_t n, uint64_t offset, struct err *e);
    int (*rename)(void *ctx, const char *from, const char *to, struct err *e);
    /* Nothing there is no error. */
    int (*remove)(void *ctx, const char *name, struct err *e);
    /* Names reach the medium. */
    int (*flush_folder)(void *ctx, struct err *e);
};

/* The folder open as dirfd, which must outlive the medium. */
struct medium medium_posix(const int *dirfd);

#endif
