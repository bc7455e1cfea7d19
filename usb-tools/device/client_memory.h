/* SPDX-License-Identifier: Apache-2.0
 *
 * What the device's update client remembers: its ECUs with their public keys and what is installed on them,
 * and the roots and roles that it has stored. Read from its database (/var/sota/sql.db) where it lies, in one
 * read transaction: the file holds private keys, so no copy of it is ever made, and of the keys only the
 * public ones are asked for. An ECU behind the primary keeps the roots that it has in a database of its own.
 *
 * Source: the schema of the Torizon fork of aktualizr, versions 27 to 29 (config/sql), and how its storage
 * writes there. Image repository 0, director 1; roles root 0, snapshot 1, targets 2, offline snapshot 5; each
 * root beside the others by its version, of any other role the newest alone.
 */
#ifndef AIRLOCK_DEVICE_CLIENT_MEMORY_H
#define AIRLOCK_DEVICE_CLIENT_MEMORY_H

#include "base/buf.h"
#include "usb-tools/device/client_config.h"

struct remembered_ecu {
    char *serial, *hardware_id;
    bool is_primary;
    char *key_type, *key_value; /* as a root has them; NULL: not known */
    char *package;              /* its name; NULL: nothing is installed */
    int64_t length;
    char *sha256;
    char *hardware_ids;       /* of the package, a JSON array; NULL: not known */
    bool knows_roots;         /* an ECU behind the primary */
    int64_t root_versions[2]; /* of the director's and the image repository's newest root; 0: none */
};

struct client_memory {
    struct remembered_ecu *ecus; /* the primary first; none before the client's first start */
    size_t ecu_count;
    struct buf roots[2]; /* JSON documents of the director and of the image repository, with commas between */
    struct buf stored;   /* the fields of `stored` in a device's state (docs/device-state.md), as JSON */
    bool is_known;       /* there is a database */
    bool has_pending;    /* an install waits for a reboot */
    char *result_of;     /* correlation id of the install whose result it keeps; NULL: none */
    char *result_code;   /* "OK", "INSTALL_FAILED" … */
    bool succeeded;
};

/* Where there is no database, *ret is empty. ERR_BAD_CLIENT_DATABASE, also when a transaction was interrupted
 * that only the client can take back; ERR_TOO_LARGE beyond CLIENT_MEMORY_MAX. */
#define CLIENT_MEMORY_MAX (24u << 20) /* bytes of all documents: a state file has room for them */
must_check int client_memory_load(int root_fd, const struct client_config *c, struct client_memory *ret,
                                  struct err *e);
void client_memory_free(struct client_memory *m);

#endif
