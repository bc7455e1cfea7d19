/* SPDX-License-Identifier: Apache-2.0
 *
 * What the device's update client is configured with: the keys that airlock needs of the TOML files in
 * /usr/lib/sota/conf.d and /etc/sota/conf.d, and the hardware ids of the ECUs behind the primary. As the
 * client does: of files with one name that in /etc counts, then all in the order of their names, the last
 * word on a key counts.
 *
 * Of TOML it reads what such files are written in: tables, comments, texts of one line, booleans, numbers.
 * What it cannot read under a key that matters is an error; other keys may hold anything.
 */
#ifndef AIRLOCK_DEVICE_CLIENT_CONFIG_H
#define AIRLOCK_DEVICE_CLIENT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* An ECU behind the primary. */
struct client_ecu {
    char *hardware_id;
    char *folder; /* path of what the client keeps for it, if it runs it itself; NULL: nothing is named */
};

struct client_config {
    char *primary; /* hardware id */
    struct client_ecu *others;
    size_t other_count;
    char *packages;    /* kind of package manager: "ostree", "none" */
    char *storage;     /* path of its folder */
    char *database;    /* path of what it remembers, in SQLite */
    char *import;      /* path of the folder that the first roots are imported from */
    char *secondaries; /* path of the file that `others` is from; NULL: none is named */
    bool offline_updates;
    char *source; /* path of the folder that the client polls; NULL where unsaid */
};

/* root_fd: the device's file system. ERR_BAD_CONFIG, also where no hardware id is named: the client would
 * take the host's name then, which is no hardware of any lockbox. */
must_check int client_config_load(int root_fd, struct client_config *ret, struct err *e);
void client_config_free(struct client_config *c);

/* A path of the device beneath the descriptor of its root: without the leading '/'. */
const char *client_path(const char *absolute);

#endif
