/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside container.c: which images a compose file needs. Asks registries for manifests, and for nothing else.
 */
#ifndef AIRLOCK_FETCH_CONTAINER_PLAN_H
#define AIRLOCK_FETCH_CONTAINER_PLAN_H

#include "fetch/compose.h"
#include "fetch/container.h"
#include "fetch/image_manifest.h"

/* One tarball to be. */
struct planned_image {
    const struct compose_service *service; /* the first that needs it: the device takes its name */
    struct repository *repository;
    uint8_t digest[HASH_SIZE];
    struct image_manifest manifest; /* no list */
};

struct container_plan {
    struct compose compose;
    struct planned_image *images;
    size_t image_count;
    struct record_object *manifests; /* lists too */
    size_t manifest_count;
    const char **platforms; /* for which all images are there; the strings are the request's */
    size_t platform_count;
};

must_check int container_plan_make(const struct container_request *r, const uint8_t compose[HASH_SIZE],
                                   struct container_plan *ret, struct err *e);
void container_plan_free(struct container_plan *p);

#endif
