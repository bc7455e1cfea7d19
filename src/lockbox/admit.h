/* SPDX-License-Identifier: Apache-2.0
 *
 * Before anything is carried on: is the lockbox what a device would install at the time given, and does it
 * last as long as it is needed? For what the store holds, and for a bundle that somebody packed.
 */
#ifndef AIRLOCK_LOCKBOX_ADMIT_H
#define AIRLOCK_LOCKBOX_ADMIT_H

#include "base/progress.h"
#include "lockbox/judge.h"
#include "lockbox/needs.h"
#include "lockbox/place.h"

/* Of a verdict: what the device would refuse, or what ends before `needed_until` (INT64_MIN: no such date).
 */
must_check int admit_verdict(const struct verdict *v, int64_t needed_until, struct err *e);

/* An opened bundle that was judged fit to be carried on. */
struct admitted {
    struct place from;
    struct bundle *bundle;
    struct roles roles;
    struct verdict verdict;
    struct needs needs;
};

struct admit_options {
    const struct judge *judge;
    int64_t needed_until;
    const struct bundle_elsewhere *elsewhere; /* for volumes that are not beside the head; NULL: nowhere */
    struct progress *progress;
};
/* Reads all of it. ERR_NO_SUCH_PATH, ERR_NOT_A_LOCKBOX, or what speaks against it. */
must_check int admit_bundle(const char *path, const struct admit_options *o, struct admitted *ret,
                            struct err *e);
void admitted_free(struct admitted *a);

#endif
