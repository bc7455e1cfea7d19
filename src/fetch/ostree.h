/* SPDX-License-Identifier: Apache-2.0
 *
 * OSTree commits into the repository of the store, with all the objects that they need, as they are served:
 * nothing is compressed again. From the commit, whose name is signed, each object is known by the name under
 * which another one mentions it; folders are read as they arrive and what they mention is asked for at once,
 * while files are inflated and hashed on all cores. An object gets its name in the store when it is right,
 * the commit when everything beneath it is there.
 *
 * What the store has is not fetched but checked again, so that the answer holds whatever became of the disk
 * since. An object that arrives wrong is fetched once more, then the error names it.
 */
#ifndef AIRLOCK_FETCH_OSTREE_H
#define AIRLOCK_FETCH_OSTREE_H

#include "base/progress.h"
#include "cloud/cloud.h"
#include "store/record.h"

/* Folders within folders: a path on Linux has at most 4096 bytes, real images stay below 30. */
#define OSTREE_DEPTH_MAX 512u

struct fetch_commit {
    const char *name; /* of the target, for messages */
    const char *uri;  /* where its image repository entry says it is; NULL: nowhere */
    uint8_t commit[HASH_SIZE];
};

/* The files of the store's repository that make up the commits, each once, in no particular order. */
struct fetched_commits {
    struct record_file *files; /* path: "ostree/objects/ab/cdef….filez", beneath the cache */
    size_t count;
    uint64_t bytes;
};

/* Errors: those of ostree_source_find() and of http_run(); ERR_WRONG_HASH and ERR_BAD_OSTREE with the
 * object's name. What arrived stays in the store either way. */
must_check int fetch_ostree(struct cloud *cloud, const struct store *s, const struct fetch_commit *commits,
                            size_t n, struct progress *progress, struct fetched_commits *ret, struct err *e);
void fetched_commits_free(struct fetched_commits *f);

#endif
