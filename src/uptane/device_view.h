/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a lockbox directory as one device's client sees them. It differs from what lies there: a root
 * that is too large for the client ends its chain as if it were missing, and in place of an offline snapshot,
 * an image snapshot or image targets it goes by the ones that it has stored, unless those on the stick are
 * newer, or a newer root made it forget. Internal to src/uptane.
 */
#ifndef AIRLOCK_UPTANE_DEVICE_VIEW_H
#define AIRLOCK_UPTANE_DEVICE_VIEW_H

#include "uptane/device.h"
#include "uptane/verdict.h"

struct device_view {
    const struct verdict_input *lies; /* what lies there */
    struct verdict_file *files;       /* paths and bytes are others' */
    size_t file_count;
    bool differs;              /* from what lies there */
    bool remembers[2];         /* by enum verdict_repo: what it has stored of this repository counts */
    bool keeps[STORED_COUNT];  /* it goes by its own */
    bool blocks[STORED_COUNT]; /* it goes by its own, and what that says is not known */
    bool takes_for_same[STORED_COUNT]; /* of the same version as here, and what it says is not known */
};

void device_view_make(const struct verdict_input *in, struct device_view *ret);
void device_view_free(struct device_view *view);

/* "director/offline-snapshot.json". */
const char *device_view_path(enum device_stored which);
/* The root that the device starts from: its own newest, else the one that the input trusts; false: none. */
bool device_view_trust(const struct verdict_input *in, enum verdict_repo repo, const uint8_t **ret_bytes,
                       size_t *ret_len);

#endif
