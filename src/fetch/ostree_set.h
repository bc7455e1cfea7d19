/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of objects by name, numbered in the order in which they were added: 0, 1, 2 … so that whoever uses it
 * keeps what it knows of an object in an array beside it. Lookup takes constant time whatever names a hostile
 * repository makes up.
 */
#ifndef AIRLOCK_FETCH_OSTREE_SET_H
#define AIRLOCK_FETCH_OSTREE_SET_H

#include "fetch/ostree_object.h"

/* Objects of all commits of a lockbox: what a bundle's 262 144 members leave room for. */
#define OSTREE_OBJECTS_MAX 250000u

struct ostree_set {
    struct ostree_name *names; /* by number */
    size_t count;
    size_t room;
    uint32_t *slots; /* number + 1; 0: free */
    size_t slot_count;
    uint64_t keys[HASH_SIZE / 4]; /* random: see ostree_set.c */
};

void ostree_set_free(struct ostree_set *s);
/* Its number; *ret_new: it was not in the set before. ERR_TOO_LARGE for one more than OSTREE_OBJECTS_MAX. */
must_check int ostree_set_add(struct ostree_set *s, const struct ostree_name *name, uint32_t *ret,
                              bool *ret_new, struct err *e);
/* False where it is not in the set. */
bool ostree_set_find(const struct ostree_set *s, const struct ostree_name *name, uint32_t *ret);

#endif
