/* SPDX-License-Identifier: Apache-2.0
 *
 * The OSTree repository of the store, beneath the cache: `ostree/`, in archive mode, as `ostree` itself reads
 * it. One for all lockboxes, so that what two images share is there once.
 *
 *   ostree/config, refs/…         what a repository needs
 *   ostree/objects/ab/cdef….kind  verified objects; a commit last, when all that it needs is there
 *   ostree/objects/ab/….tmp       a small one that is arriving: thousands in one folder would wait for each
 * other ostree/tmp/                   large ones that are arriving
 *
 * Objects lie beside the store's other objects rather than among them because the name of a file object is
 * not the SHA-256 of its bytes, and because what `ostree fsck` and `ostree pull-local` accept can be looked
 * at with them. Not flushed, like the rest of the cache (docs/decisions/0003): the record of a lockbox has
 * the SHA-256 of each object's bytes, by which readers notice a torn one.
 *
 * One process at a time fetches into it; the others wait in ostree_repo_open().
 */
#ifndef AIRLOCK_STORE_OSTREE_REPO_H
#define AIRLOCK_STORE_OSTREE_REPO_H

#include <sys/types.h>

#include "store/store.h"

#define STORE_OSTREE "ostree/"

struct ostree_repo {
    int fd; /* also the lock */
    int tmp_fd;
};
#define OSTREE_REPO_CLOSED ((struct ostree_repo){-1, -1})

/* Besides objects, the files of every repository in archive mode: its config, and a file in each folder that
 * the device's library wants to find, since neither a bundle nor an export carries empty folders. */
struct ostree_fixture {
    const char *path, *text;
};
#define OSTREE_FIXTURES 4
extern const struct ostree_fixture ostree_fixtures[OSTREE_FIXTURES];

/* Makes it where it is missing; waits until no other process fetches into it. */
must_check int ostree_repo_open(const struct store *s, struct ostree_repo *ret, struct err *e);
void ostree_repo_free(struct ostree_repo *r);

/* A small object under its final name, which replaces what has it. `path`: "objects/ab/cdef….kind". The
 * functions below may be called from several threads, for different paths. */
must_check int ostree_repo_put(const struct ostree_repo *r, const char *path, const void *bytes, size_t n,
                               struct err *e);
/* A large one arrives in a file of its own in tmp/, which a later run goes on with. */
must_check int ostree_repo_open_partial(const struct ostree_repo *r, const char *path, int *ret_fd,
                                        struct err *e);
/* Bytes that an earlier run left of it; 0: none. */
uint64_t ostree_repo_partial_size(const struct ostree_repo *r, const char *path);
must_check int ostree_repo_name_partial(const struct ostree_repo *r, const char *path, struct err *e);
must_check int ostree_repo_drop_partial(const struct ostree_repo *r, const char *path, struct err *e);

#endif
