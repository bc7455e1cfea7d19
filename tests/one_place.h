/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests that write to one place.
 */
#ifndef AIRLOCK_TESTS_ONE_PLACE_H
#define AIRLOCK_TESTS_ONE_PLACE_H

#include "bundle-format/bundle.h"
#include "usb-tools/export_plain.h"

must_check static inline int write_one(const struct bundle_plan *plan, const struct bundle_options *options,
                                       const struct medium *medium, const char *name,
                                       struct progress *progress, struct bundle_summary *ret, struct err *e)
{
    const struct bundle_place place = {.medium = medium, .name = name};
    AUTO(several) struct several at;
    several_init(&at, 1, progress);
    return bundle_write(plan, options, &place, &at, ret, e);
}

must_check static inline int copy_one(struct bundle *b, const struct medium *medium, const char *name,
                                      enum bundle_form form, struct err *e)
{
    const struct bundle_place place = {.medium = medium, .name = name};
    AUTO(several) struct several at;
    several_init(&at, 1, NULL);
    return bundle_copy(b, &place, &at, form, e);
}

must_check static inline int export_one(int dirfd, const char *name, const struct member *members, size_t n,
                                        struct progress *progress, struct err *e)
{
    const struct export_place place = {.dirfd = dirfd, .name = name};
    AUTO(several) struct several at;
    several_init(&at, 1, progress);
    return export_plain(&place, &at, members, n, e);
}

#endif
