/* SPDX-License-Identifier: Apache-2.0
 *
 * What a registry says of an image: a manifest (config and layers) or a list of manifests, one per platform,
 * in Docker's or the OCI's form; and the image's config. Bytes whose digest was checked go in; nothing is
 * fetched here.
 *
 * A list is judged as the device's client does when it loads the image: platforms are compared part by part
 * ("linux/arm64" fits "linux/arm64/v8"), the longest agreement wins, and two that agree equally well are
 * refused. The client tells the forms apart by the field mediaType and refuses a manifest without it,
 * although the OCI allows that.
 */
#ifndef AIRLOCK_FETCH_IMAGE_MANIFEST_H
#define AIRLOCK_FETCH_IMAGE_MANIFEST_H

#include <stdbool.h>

#include "base/err.h"
#include "crypto/hash.h"

#define IMAGE_JSON_MAX (256u << 10) /* bytes of a manifest, and of a config: the device reads no more */
#define IMAGE_LAYERS_MAX 256u       /* Docker itself stops at 127 */
#define IMAGE_CHOICES_MAX 512u      /* of a list: official images have two dozen */

/* Value of Accept with which a registry is asked: every form that is understood here. */
#define IMAGE_MEDIA_TYPES                                                                                    \
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "                  \
    "application/vnd.docker.distribution.manifest.list.v2+json, "                                            \
    "application/vnd.docker.distribution.manifest.v2+json"

struct image_blob {
    uint8_t sha256[HASH_SIZE];
    uint64_t size;
};

struct image_choice {
    char *platform; /* "os/architecture[/variant][/os.version]", as the device puts it together */
    struct image_blob manifest;
};

struct image_manifest {
    const char *media_type; /* one of the four above */
    bool is_list;
    struct image_choice *choices; /* of a list */
    size_t choice_count;
    struct image_blob config; /* of a manifest */
    struct image_blob *layers;
    size_t layer_count;
};

/* ERR_BAD_MANIFEST says what the device would not take. */
must_check int image_manifest_parse(const void *bytes, size_t len, struct image_manifest *ret, struct err *e);
void image_manifest_free(struct image_manifest *m);

/* The one choice of a list that a device of this platform takes. ERR_NO_SUCH_PLATFORM,
 * ERR_PLATFORM_AMBIGUOUS.
 */
must_check int image_manifest_choose(const struct image_manifest *list, const char *platform,
                                     const struct image_choice **ret, struct err *e);
/* How many parts agree; 0: none does, or one contradicts. */
unsigned image_platform_grade(const char *wanted, const char *offered);

/* The diff ids of a config: SHA-256 of each layer, uncompressed. `*ret` has *ret_count of them.
 * ERR_BAD_IMAGE. */
must_check int image_config_diff_ids(const void *bytes, size_t len, uint8_t (**ret)[HASH_SIZE],
                                     size_t *ret_count, struct err *e);

#endif
