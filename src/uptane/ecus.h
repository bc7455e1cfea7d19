/* SPDX-License-Identifier: Apache-2.0
 *
 * The ECUs of the device: which of them a target is for, what each makes of it, and whether those behind the
 * primary can follow the roots. They come from the device's state; without one, from the hardware ids of the
 * input, of which the first is the primary's. Internal to src/uptane.
 */
#ifndef AIRLOCK_UPTANE_ECUS_H
#define AIRLOCK_UPTANE_ECUS_H

#include "uptane/check.h"

#define HARDWARE_COMPOSE "docker-compose" /* the ECU that runs containers; never the primary */

void ecus_start(struct check *c);
void ecus_free(struct check *c);

/* What the device does with a target. None of the three: it is for other hardware. */
struct ecus_wish {
    bool wanted;    /* fetch and install it */
    bool installed; /* leave it: all ECUs that it is for have it */
    bool differs;   /* refuse: an ECU has a package of this name and other content */
};
/* Flaws: a package of the same name and other content is installed, or a file for a primary that takes OSTree
 * only. */
struct ecus_wish ecus_want(struct check *c, const char *name, const struct target *t, bool is_ostree,
                           struct flaws *flaws);
/* Does the lockbox update any ECU behind the primary? After all targets. */
bool ecus_updates_others(const struct check *c);
/* After both chains of roots and all targets: a managed ECU behind the primary keeps roots of its own and
 * gets them from the primary, every one but the last, and takes the last from the directory. */
void ecus_check_roots(struct check *c);

#endif
