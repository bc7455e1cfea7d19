/* SPDX-License-Identifier: Apache-2.0
 *
 * The other bundles of a folder that borrow from this one (SPEC.md, "Shared contents"): as long as there are
 * any, its payload volumes stay where and what they are.
 */
#ifndef AIRLOCK_BUNDLE_DEPENDENTS_H
#define AIRLOCK_BUNDLE_DEPENDENTS_H

#include <stdbool.h>

#include "base/err.h"
#include "bundle-format/head.h"
#include "bundle-format/medium.h"

/* Will a volume of this id be there afterwards, under the name that its number gives it? NULL: none will. */
struct dependents_keep {
    bool (*keeps)(const void *ctx, const struct volume_id *v);
    const void *ctx;
};

/* ERR_BUNDLE_NEEDED, naming the other bundle, where one borrows from a volume of bundle `name` that goes. */
must_check int dependents_check(const struct medium *medium, const char *name,
                                const struct dependents_keep *keep, struct err *e);

#endif
