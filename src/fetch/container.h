/* SPDX-License-Identifier: Apache-2.0
 *
 * A container application into the store: from its compose file, which is there already, to every manifest,
 * config and layer that a device will ask for, all verified; the tarballs are measured and not made. The
 * record_app says the rest to whoever writes.
 *
 * Interrupted, the same call goes on where it stopped. What an earlier record of the lockbox knows of an
 * image is not measured again, and a registry is asked only for what is missing.
 */
#ifndef AIRLOCK_FETCH_CONTAINER_H
#define AIRLOCK_FETCH_CONTAINER_H

#include "base/progress.h"
#include "fetch/registry.h"
#include "store/record.h"

struct container_request {
    const struct store *store;
    struct registries *registries;
    /* "linux/arm64" …: images must be there for each of them, where the compose file leaves the choice to the
     * device. None: of linux/arm/v7 and linux/arm64 those that all images are there for, at least one */
    const char *const *platforms;
    size_t platform_count;
    const struct record *earlier; /* NULL: none */
    struct progress *progress;
};

/* `compose` is an object of the store. Errors: those of compose_read(), repository_manifest(),
 * image_manifest_parse(), image_manifest_choose(), fetch_files(), image_archive_measure(). */
must_check int container_fetch(const struct container_request *r, const uint8_t compose[HASH_SIZE],
                               struct record_app *ret, struct err *e);

#endif
