/* SPDX-License-Identifier: Apache-2.0
 *
 * One payload volume on its way to the medium, for whoever writes or copies a bundle:
 *
 *     volume_begin → output_write of every frame … → output_settle → volume_finish
 *
 * A volume that is there already, from this bundle's predecessor or from a writing that was interrupted, is
 * found by its id, compared with what is written, and left as it stands when it is that to its last byte. So
 * a bundle whose signed roles alone have changed gets a new head and nothing else.
 */
#ifndef AIRLOCK_BUNDLE_VOLUME_OUTPUT_H
#define AIRLOCK_BUNDLE_VOLUME_OUTPUT_H

#include "base/progress.h"
#include "bundle-format/index.h"
#include "bundle-format/output.h"
#include "bundle-format/replace.h"

/* Opens the output and writes V. */
must_check int volume_begin(struct output *o, struct output_set *set, const struct replacement *r,
                            const struct index_volume *v, struct err *e);
/* Reads the settled volume back and gives it a name under which it can be found: its own, or, where the older
 * bundle of this name still needs that, the pending one. ERR_READ_BACK, or the medium's. */
must_check int volume_finish(struct output *o, struct replacement *r, const struct index *x, size_t volume,
                             struct progress *progress, struct err *e);

#endif
