/* SPDX-License-Identifier: Apache-2.0
 *
 * Single contents of an open bundle, wherever in it they lie: as sources for another bundle, and to prove
 * what another bundle is to borrow. The last frames are kept, so contents in the order of the bundle cost one
 * reading of it. For one thread at a time; the bundle must outlive the picker.
 */
#ifndef AIRLOCK_BUNDLE_PICK_H
#define AIRLOCK_BUNDLE_PICK_H

#include "bundle-format/bundle.h"

struct picker;

struct picker *picker_new(struct bundle *b);
void picker_delete(struct picker *p);

/* ctx of the source `content_from_bundle`. */
struct picked {
    struct picker *picker;
    uint32_t content; /* its number in the bundle's index */
};
extern const struct content_source content_from_bundle;

/* Reads the content and compares its hash: ERR_WRONG_HASH, ERR_BUNDLE_DAMAGED, or the medium's. */
must_check int picker_prove(struct picker *p, uint32_t content, struct err *e);

#endif
