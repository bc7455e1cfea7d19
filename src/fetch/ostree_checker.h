/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks file objects in threads of their own, one per core: inflates, hashes, and, where they are for the
 * store, names what is right. What
 * waits to be checked is bounded in memory; then ostree_checker_add() waits too, and with it the network.
 *
 *     ostree_checker_add(c, check) …                       // takes the check over
 *     while ((check = ostree_checker_take_ended(c))) …     // now and then; gives it back, to be freed
 *     ostree_checker_drain(c), take the rest
 */
#ifndef AIRLOCK_FETCH_OSTREE_CHECKER_H
#define AIRLOCK_FETCH_OSTREE_CHECKER_H

#include "base/buf.h"
#include "base/progress.h"
#include "fetch/ostree_object.h"
#include "store/ostree_repo.h"

enum check_source {
    CHECK_STORED,  /* it has its name in the store from an earlier run */
    CHECK_BYTES,   /* it arrived in `bytes` */
    CHECK_PARTIAL, /* it arrived in tmp/ */
    CHECK_COPY,    /* it lies in another repository: `folder` */
    CHECK_ONLY,    /* it is in `bytes` and not for the store */
};

struct ostree_check {
    struct ostree_check *next;
    struct ostree_name name; /* of a file */
    uint32_t number;         /* the caller's */
    enum check_source source;
    struct buf bytes;
    int folder; /* not owned */
    /* the answer */
    struct err *error; /* NULL: it is right, and in the store where it is for that */
    uint64_t size;     /* of its bytes as they are stored */
    uint8_t sha256[HASH_SIZE];
};
void ostree_check_delete(struct ostree_check *check);

struct ostree_checker;

/* repo: NULL for one that is given CHECK_ONLY alone. */
struct ostree_checker *ostree_checker_start(const struct ostree_repo *repo, struct progress *progress);
/* Waits for what was added, and frees what nobody took. */
void ostree_checker_stop(struct ostree_checker *c);
void ostree_checker_add(struct ostree_checker *c, struct ostree_check *check);
void ostree_checker_drain(struct ostree_checker *c);
/* NULL where none has ended since. */
struct ostree_check *ostree_checker_take_ended(struct ostree_checker *c);

#endif
