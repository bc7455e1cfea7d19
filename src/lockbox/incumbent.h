/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands already where a lockbox is about to be delivered: is it a newer version of the same one? An
 * older version there is hardly ever meant: a device that has seen the newer refuses it, and the person
 * believes that the stick carries the latest. So it does not take the newer one's place; whoever means it
 * removes the newer one first.
 *
 * Only what verifies counts (from the same trusted roots, past its date or not): a stick with anything else
 * on it does not keep somebody from writing.
 */
#ifndef AIRLOCK_LOCKBOX_INCUMBENT_H
#define AIRLOCK_LOCKBOX_INCUMBENT_H

#include "lockbox/judge.h"
#include "lockbox/place.h"

enum incumbent_kind { INCUMBENT_BUNDLE, INCUMBENT_FOLDER, INCUMBENT_IMAGE };

/* The lockbox to be delivered. */
struct newcomer {
    const char *lockbox;
    int64_t version;
    const char *account; /* manifest_account() */
};

/* ERR_NEWER_IS_THERE where the place holds a higher version of the lockbox of that account. *ret_there: the
 * version that it holds; 0: none that can be believed. */
must_check int incumbent_check(const struct place *place, enum incumbent_kind kind, const struct judge *judge,
                               const struct newcomer *n, int64_t *ret_there, struct err *e);
/* The highest version of which the folder holds a bundle "<lockbox>-v<version>-<account>.lockbox", by its
 * name alone; 0: none. */
int64_t incumbent_beside(int dirfd, const struct newcomer *n);

#endif
