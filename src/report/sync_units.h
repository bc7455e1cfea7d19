/* SPDX-License-Identifier: Apache-2.0
 *
 * Units of systemd for a user (systemd.unit(5)), which run `airlock sync --wait` when something came into the
 * ledger, and once an hour: airlock-sync.service, .path and .timer. They hold no secret: the profile's stay
 * in its own file.
 */
#ifndef AIRLOCK_REPORT_SYNC_UNITS_H
#define AIRLOCK_REPORT_SYNC_UNITS_H

#include <stdbool.h>

#include "base/err.h"

struct sync_units {
    const char *program;     /* all paths are absolute */
    const char *state;       /* the folder that holds the ledger */
    const char *config_home; /* $XDG_CONFIG_HOME; NULL: not set */
    const char *ca_file;     /* --cacert; NULL: the profile's own */
    const char *profile;
};

#define SYNC_UNITS 3
extern const char *const sync_unit_names[SYNC_UNITS];

/* In the folder of the user's units. The same again changes nothing. ERR_BAD_CONFIG for a path or name that a
 * unit cannot hold (control characters; '$' in the program's). */
must_check int sync_units_write(int dirfd, const struct sync_units *u, struct err *e);
must_check int sync_units_remove(int dirfd, bool *ret_any, struct err *e);

#endif
