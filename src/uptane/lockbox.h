/* SPDX-License-Identifier: Apache-2.0
 *
 * The director's side of a verdict: the offline snapshot, the lockbox that the device would take, and what is
 * in it. Follows the order of the device's client. Internal to src/uptane.
 */
#ifndef AIRLOCK_UPTANE_LOCKBOX_H
#define AIRLOCK_UPTANE_LOCKBOX_H

#include "uptane/check.h"

struct lockbox {
    struct role *role;   /* NULL: there is none, or it must not be read */
    struct target *list; /* beside verdict.targets, index by index */
    size_t count;
};

/* Fills the verdict's lockbox, version, correlation id and targets. */
void lockbox_check(struct check *c, const struct root *root, struct lockbox *ret);
void lockbox_free(struct lockbox *lockbox);

#endif
