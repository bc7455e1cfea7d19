/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of one device: its ECUs and what they have installed, the roots and roles that its client has
 * stored, its clock, where it looks for a lockbox. A person writes it by hand, or the helper on the device
 * does; docs/device-state.md describes the JSON. Everything but "schema" may be left out: what is not known
 * is taken for granted, and the verdict says so.
 *
 *     AUTO(device) struct device device = {0};
 *     if (device_parse(bytes, len, &device, e)) …
 *
 * A field that airlock does not know is an error: a misspelt one would be an assumption that nobody made.
 */
#ifndef AIRLOCK_UPTANE_DEVICE_H
#define AIRLOCK_UPTANE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "crypto/hash.h"

/* What the device's client reads at most (of an offline snapshot: device.offline_snapshot_max). */
#define DEVICE_ROLE_MAX (64u << 10)   /* roots, lockboxes, snapshots */
#define DEVICE_TARGETS_MAX (8u << 20) /* targets and delegations of the image repository */

#define DEVICE_STATE_MAX (32u << 20) /* bytes: the stored targets alone may have 8 MiB */
#define DEVICE_ECUS_MAX 64
#define DEVICE_LIST_MAX 1000 /* elements of any other list */

/* A package as the client remembers it. */
struct device_package {
    char *name;
    uint64_t length;
    uint8_t sha256[HASH_SIZE];
    struct json_value hardware; /* array of texts, only with knows_hardware */
    bool knows_hardware;
};

struct device_ecu {
    char *hardware_id;
    bool is_primary;
    bool has_installed; /* false: nothing, or not known */
    bool knows_installed;
    struct device_package installed;
    bool knows_roots; /* an ECU behind the primary: versions of its newest roots, 0 for none */
    int64_t root_versions[2];
};

/* A role that the client has stored: the document itself, or no more than its version. */
struct device_role {
    bool is_said; /* also where nothing is stored */
    bool is_known;
    char *name; /* delegations */
    int64_t version;
    bool has_sha256; /* of its canonical form, as a snapshot lists it */
    uint8_t sha256[HASH_SIZE];
    const uint8_t *bytes; /* NULL: only the version is known */
    size_t len;
};

struct device_roles {
    struct device_role *list;
    size_t count;
};

enum device_stored { STORED_OFFLINE_SNAPSHOT, STORED_IMAGE_SNAPSHOT, STORED_IMAGE_TARGETS, STORED_COUNT };

enum device_packages { PACKAGES_UNSAID, PACKAGES_OSTREE, PACKAGES_NONE };

struct device {
    struct buf text; /* roles refer to it */
    struct json doc;
    char *name, *os_version; /* NULL where unsaid */
    char *platform;          /* as its containers are chosen by: "linux/arm64"; NULL where unsaid */
    struct device_ecu *ecus;
    size_t ecu_count;
    bool knows_ecus;
    struct device_roles roots[2]; /* director, image repository; in rising versions, none missing between */
    struct device_role stored[STORED_COUNT];
    struct device_roles delegations;
    bool knows_stored, knows_delegations;
    bool pending_install, knows_pending;
    enum device_packages packages; /* of the primary */
    bool has_free_space;
    uint64_t free_space; /* bytes where the client puts what it fetches */
    bool has_clock, has_clock_checked;
    int64_t clock, clock_checked; /* what it showed, and what was true then */
    bool ignores_media;           /* offline updates are off */
    bool knows_media;
    char *source;                  /* the folder that it polls; NULL where unsaid */
    size_t offline_snapshot_max;   /* bytes of an offline snapshot that the client reads */
    struct json_value media_types; /* of container manifests; array of texts, only with knows_media_types */
    bool knows_media_types;
};

/* ERR_BAD_DEVICE_STATE; *ret is empty then. A device cannot be copied: its parts refer to each other. */
must_check int device_parse(const void *bytes, size_t len, struct device *ret, struct err *e);
void device_free(struct device *device);

/* The time that the device shows when it is `now` for everybody else. Where its clock was read at a known
 * time, it is off by the same amount; where only its reading is known, it is taken to be right unless it is
 * ahead. */
int64_t device_now(const struct device *device, int64_t now);
const struct device_role *device_delegation(const struct device *device, const char *name);
/* The volume label of media that it polls ("/var/rootdirs/media/LABEL/update", "/media/LABEL/…"); NULL where
 * unsaid or of another form. Owned by the caller. */
char *device_label(const struct device *device);

#endif
