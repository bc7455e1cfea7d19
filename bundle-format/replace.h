/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing a bundle where an older one of the same name stands: the older one stays whole until the new head's
 * rename (SPEC.md, "Replacing a bundle").
 *
 *     replace_begin → for each finished volume: replace_name_volume, rename → head's rename → replace_end
 */
#ifndef AIRLOCK_BUNDLE_REPLACE_H
#define AIRLOCK_BUNDLE_REPLACE_H

#include <stdbool.h>

#include "base/err.h"
#include "bundle-format/limits.h"
#include "bundle-format/medium.h"

struct replacement {
    const struct medium *medium;
    const char *name;
    bool replaces;                   /* there is a head of that name */
    bool pending[LIMIT_VOLUMES + 1]; /* volumes whose name the older bundle still needs */
};

/* Where an earlier writing ended between its head's rename and its volumes' last ones, does those. */
must_check int replace_begin(struct replacement *r, const struct medium *medium, const char *name,
                             struct err *e);
/* The name under which a finished volume can be found: its own, or, where the older bundle needs that, the
 * pending one. The caller's. */
must_check int replace_name_volume(struct replacement *r, unsigned number, char **ret_name, struct err *e);
/* After the head's rename: pending volumes get their names, what older writings left behind goes. `volumes`:
 * one more than the number of the new bundle's last one. */
must_check int replace_end(struct replacement *r, unsigned volumes, struct err *e);

/* Removes all payload volumes of the bundle's name from this number on, the last one first. */
must_check int replace_remove_volumes(struct replacement *r, unsigned first, struct err *e);

#endif
