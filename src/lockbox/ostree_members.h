/* SPDX-License-Identifier: Apache-2.0
 *
 * The OSTree images of a lockbox on their way through: fetched into the store, remembered in its record, and
 * among the members of every export as one repository, images/ostree, that holds exactly the objects of the
 * lockbox's commits, each once.
 */
#ifndef AIRLOCK_LOCKBOX_OSTREE_MEMBERS_H
#define AIRLOCK_LOCKBOX_OSTREE_MEMBERS_H

#include "fetch/ostree.h"
#include "lockbox/assemble.h"
#include "uptane/verdict.h"

/* Fetches the commits of all OSTree targets; none: nothing. */
must_check int ostree_members_fetch(struct cloud *cloud, const struct store *s, const struct verdict *v,
                                    struct progress *progress, struct fetched_commits *ret, struct err *e);
/* What was fetched becomes the record's. */
void ostree_members_record(struct fetched_commits *fetched, struct record *r);

/* How many members the record's images make, and appending them. */
size_t ostree_members_count(const struct record *r);
void ostree_members_add(struct assembly *a, const struct store *s, const struct record *r);

#endif
