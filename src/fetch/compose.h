/* SPDX-License-Identifier: Apache-2.0
 *
 * A compose target: which images do its services name, for which platforms? The file is read twice, as YAML
 * (yaml_tree.h, with merges and aliases: what Docker will run) and by the device's line rules
 * (compose_lines.h: what the device will load). Only where both say the same is the file taken; otherwise the
 * error shows the line that the device would miss or misread, here, and not at the machine.
 *
 * Every image must be pinned, "name@sha256:<64 digits>", without a tag: the device renames it to
 * "name:digest_sha256_<64 digits>", which a second tag would spoil.
 */
#ifndef AIRLOCK_FETCH_COMPOSE_H
#define AIRLOCK_FETCH_COMPOSE_H

#include "base/err.h"
#include "crypto/hash.h"

struct compose_service {
    char *name;
    char *image;               /* before the '@', as written: the device makes a tag of it */
    uint8_t digest[HASH_SIZE]; /* of a manifest, or of a list of them */
    char *platform;            /* "linux/arm64"; NULL: whatever the device is */
    unsigned line;             /* of its image, counted from 1 */
};

struct compose {
    struct compose_service *services; /* by name, in the order in which the device goes through them */
    size_t count;
};

/* Errors: ERR_BAD_COMPOSE (no YAML, no services, a service without image, no name of an image),
 * ERR_COMPOSE_FORM (the device would read something else), ERR_IMAGE_NOT_PINNED, ERR_DEVICE_LIMIT,
 * ERR_TOO_LARGE. */
must_check int compose_read(const void *bytes, size_t len, struct compose *ret, struct err *e);
void compose_free(struct compose *c);

#endif
