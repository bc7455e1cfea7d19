/* SPDX-License-Identifier: Apache-2.0
 *
 * The places that a bundle is written to, for whoever writes or copies one: each step is done at all of them.
 *
 *     destinations_open → destinations_prepare
 *         → destinations_begin_volume → destinations_write of every frame … → destinations_finish_volume, …
 *         → destinations_begin_head → destinations_write → destinations_settle
 *         → destinations_name_head → destinations_tidy
 *     destinations_close
 *
 * Each returns -1 when nowhere is left to go on.
 */
#ifndef AIRLOCK_BUNDLE_DESTINATION_H
#define AIRLOCK_BUNDLE_DESTINATION_H

#include "base/several.h"
#include "bundle-format/bundle.h"
#include "bundle-format/dependents.h"
#include "bundle-format/index.h"
#include "bundle-format/output.h"
#include "bundle-format/replace.h"

struct destination {
    struct bundle_place to;
    struct replacement replacement; /* of the older bundle of that name */
    struct output_set files;
    struct output out; /* the file being written */
    bool takes_part;   /* it had not dropped out before */
};

struct destinations {
    struct several *at;
    struct destination *items; /* at->count */
};

void destinations_open(struct destinations *ret, const struct bundle_place *places, struct several *at,
                       bool keep_cache);
/* Looks at the older bundles. What they lend to others stays as it is, or nothing is written there. */
must_check int destinations_prepare(struct destinations *d, const struct dependents_keep *keep,
                                    struct err *e);
must_check int destinations_begin_volume(struct destinations *d, const struct index_volume *v, struct err *e);
/* `worth`: in the progress. */
must_check int destinations_write(struct destinations *d, const void *bytes, size_t n, uint64_t worth,
                                  struct err *e);
/* Ends the phase of writing; the next one, of reading back, is in here. */
must_check int destinations_finish_volume(struct destinations *d, const struct index *x, size_t volume,
                                          struct err *e);
/* The head's file, or the single one. */
must_check int destinations_begin_head(struct destinations *d, struct err *e);
must_check int destinations_settle(struct destinations *d, struct err *e);
/* The settled file is read back and gets its name, unless it is the one that is there. It holds `head`, and
 * with `single` the volumes of the index behind it. */
must_check int destinations_name_head(struct destinations *d, const struct buf *head, const struct index *x,
                                      bool single, struct err *e);
/* The bundle is there. `volumes`: one more than the number of its last one. */
must_check int destinations_tidy(struct destinations *d, unsigned volumes, struct err *e);
/* The end, well or not: -1 with e is carried through to all that are left. Where the bundle is not there,
 * nothing half-made stays, unless the same call can go on with it. `failing`: what could not be done, for the
 * errors. */
must_check int destinations_close(struct destinations *d, int rc, const char *failing, struct err *e);

#endif
