/* SPDX-License-Identifier: Apache-2.0
 *
 * The devices of the account, by the platform API: which there are, by which ECU each signs its manifests,
 * and the notes that people and couriers leave on them. Errors as in platform.h.
 */
#ifndef AIRLOCK_CLOUD_DEVICES_H
#define AIRLOCK_CLOUD_DEVICES_H

#include "cloud/cloud.h"

#define DEVICES_MAX 100000u /* bounds the pages that are asked for */
#define NOTES_MAX 64000u    /* bytes; the API's documents say "about 64 kB" */

struct cloud_device {
    char *uuid, *name;
    char *last_seen; /* RFC 3339; NULL: it never came online */
};

struct cloud_devices {
    struct cloud_device *list;
    size_t count, room;
};

must_check int cloud_list_devices(struct cloud *c, struct cloud_devices *ret, struct err *e);
void cloud_devices_free(struct cloud_devices *d);

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
