/* SPDX-License-Identifier: Apache-2.0
 *
 * Ownership in one page: a variable that owns something says so where it is declared, and gives it away with
 * steal.
 *
 *     AUTO(buf) struct buf body = {0};          // buf_free(&body) at the end of the scope, on every path
 *     AUTO_FREE char *name = str_format("…");   // free()
 *     AUTO_FD int fd = open(…);                 // close(), unless -1
 *     *ret_fd = steal_fd(&fd);                  // now the caller owns it
 *
 * AUTO(x) calls x_free(struct x *) (see buf.h, json.h, …): it must accept a zeroed struct.
 */
#ifndef AIRLOCK_BASE_CLEANUP_H
#define AIRLOCK_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define must_check __attribute__((warn_unused_result))

#define AUTO(type) __attribute__((cleanup(type##_free)))
#define AUTO_FREE __attribute__((cleanup(cleanup_free)))
#define AUTO_FD __attribute__((cleanup(cleanup_fd)))

static inline void cleanup_free(void *pointer)
{
    free(*(void **)pointer);
}

static inline void cleanup_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline int steal_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* Gives the pointer away and leaves NULL behind, keeping its type. */
#define steal_ptr(variable)                                                                                  \
    (__extension__({                                                                                         \
        __typeof__(variable) taken_ = (variable);                                                            \
        (variable) = NULL;                                                                                   \
        taken_;                                                                                              \
    }))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
