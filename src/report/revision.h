/* SPDX-License-Identifier: Apache-2.0
 *
 * Which lockbox did a device speak of? Its correlation id names one by name, version and the first digits of
 * the role's hash; here it is held against the lockbox that this computer fetched under that name.
 */
#ifndef AIRLOCK_REPORT_REVISION_H
#define AIRLOCK_REPORT_REVISION_H

#include "store/store.h"

enum revision {
    REVISION_UNKNOWN, /* this version is not in the store */
    REVISION_SAME,
    REVISION_OTHER, /* the version is in the store, and its content is another */
};

/* A store that cannot be read knows nothing. */
enum revision revision_compare(const struct store *s, const char *profile, const char *correlation);

#endif
