/* SPDX-License-Identifier: Apache-2.0
 *
 * A verdict as one error, for whoever goes on only where nothing speaks against the lockbox.
 */
#ifndef AIRLOCK_UPTANE_REFUSAL_H
#define AIRLOCK_UPTANE_REFUSAL_H

#include "uptane/verdict.h"

/* -1 with the first problem for which the lockbox is invalid or the device refuses it, a target that nobody
 * vouches for last; with ERR_NOTHING_TO_INSTALL for an empty (revoked) lockbox. */
must_check int refusal_check(const struct verdict *v, struct err *e);

#endif
