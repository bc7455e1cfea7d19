/* SPDX-License-Identifier: Apache-2.0
 *
 * What is mounted where, by device number, as the kernel says it in /proc/self/mountinfo.
 */
#ifndef AIRLOCK_USB_MOUNTS_H
#define AIRLOCK_USB_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct mount {
    char *device; /* "8:17" */
    char *point;
    bool read_only;
};

struct mounts {
    struct mount *items;
    size_t count;
};

must_check int mounts_load(struct mounts *ret, struct err *e);
/* Takes the text of a mountinfo apart; a line that is none is left out. */
void mounts_parse(const char *text, struct mounts *ret);
/* The first mount of the device; NULL where there is none. */
const struct mount *mounts_find(const struct mounts *m, const char *device);
/* Is one of the device's mounts a folder that this computer runs from? */
bool mounts_hold_system(const struct mounts *m, const char *device);
void mounts_free(struct mounts *m);

#endif
