/* SPDX-License-Identifier: Apache-2.0
 *
 * The devices of the account, by the platform API: which there are, in which fleets, by which ECU each signs
 * its manifests and what its ECUs run, and the notes that people and couriers leave on them. Errors as in
 * platform.h.
 */
#ifndef AIRLOCK_CLOUD_DEVICES_H
#define AIRLOCK_CLOUD_DEVICES_H

#include "cloud/platform.h"
#include "crypto/hash.h"

#define DEVICES_MAX 100000u /* bounds the pages that are asked for */
#define FLEETS_MAX 10000u
#define NOTES_MAX 64000u /* bytes; the API's documents say "about 64 kB" */

struct cloud_device {
    char *uuid, *name;
    char *id;        /* what whoever made it called it; one of its kind in the account. NULL where absent */
    char *last_seen; /* RFC 3339; NULL: it never came online */
};
void cloud_device_free(struct cloud_device *d);

struct cloud_devices {
    struct cloud_device *list;
    size_t count, room;
};

must_check int cloud_list_devices(struct cloud *c, struct cloud_devices *ret, struct err *e);
/* Those that have registered an ECU of one of these hardware ids. */
must_check int cloud_list_devices_with(struct cloud *c, const struct cloud_names *hardware_ids,
                                       struct cloud_devices *ret, struct err *e);
/* `fleet`: its id. */
must_check int cloud_list_fleet_devices(struct cloud *c, const char *fleet, struct cloud_devices *ret,
                                        struct err *e);
void cloud_devices_free(struct cloud_devices *d);

struct cloud_fleet {
    char *id, *name;
};

struct cloud_fleets {
    struct cloud_fleet *list;
    size_t count, room;
};

must_check int cloud_list_fleets(struct cloud *c, struct cloud_fleets *ret, struct err *e);
void cloud_fleets_free(struct cloud_fleets *f);

/* An ECU of a device, and what it runs as the device last said itself. */
struct cloud_component {
    char *serial, *hardware_id;
    bool is_primary;
    bool has_sha256;
    uint8_t sha256[HASH_SIZE]; /* of the image */
};

struct cloud_components {
    struct cloud_component *list;
    size_t count, room;
};

/* None: the device has registered no ECU, since it was never online. */
must_check int cloud_list_components(struct cloud *c, const char *uuid, struct cloud_components *ret,
                                     struct err *e);
void cloud_components_free(struct cloud_components *c);

/* ERR_NO_SUCH_FILE: there is none. */
must_check int cloud_get_device(struct cloud *c, const char *uuid, struct cloud_device *ret, struct err *e);
/* How many updates are assigned to it and not done. */
must_check int cloud_count_assignments(struct cloud *c, const char *uuid, size_t *ret, struct err *e);
/* Makes a device; the ZIP of its credentials (device_credentials.h) comes back this once and never again, and
 * holds a private key: wipe it. `name` NULL: the cloud makes one up. HTTP status 409: there is one of that
 * id. */
must_check int cloud_create_device(struct cloud *c, const char *id, const char *name, struct buf *ret_zip,
                                   struct err *e);

/* Serial of the primary ECU; *ret = NULL where the device has registered none. */
must_check int cloud_device_serial(struct cloud *c, const char *uuid, char **ret, struct err *e);

struct cloud_notes {
    char *text;
    bool bare; /* the API of before 2025-08, which takes and gives a bare string */
};
must_check int cloud_get_notes(struct cloud *c, const char *uuid, struct cloud_notes *ret, struct err *e);
/* In the form in which they came. */
must_check int cloud_put_notes(struct cloud *c, const char *uuid, const struct cloud_notes *notes,
                               struct err *e);
void cloud_notes_free(struct cloud_notes *n);

#endif
