/* SPDX-License-Identifier: Apache-2.0
 *
 * The name of a container image, "[registry/]repository", as a compose file writes it before the '@'. A name
 * without a registry is Docker Hub's, and one without a '/' there is in "library/". Only the spelling that
 * Docker itself allows is taken; whatever a shell, a URL or a terminal could misread is not in it.
 */
#ifndef AIRLOCK_FETCH_IMAGE_NAME_H
#define AIRLOCK_FETCH_IMAGE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "crypto/hash.h"

#define IMAGE_NAME_MAX 255u /* bytes: Docker's limit for a repository's path with its registry */
#define IMAGE_DOCKER_HUB "docker.io"

struct image_name {
    char *registry; /* "docker.io", "registry.example:5000", "[::1]:5000": lower case */
    char *path;     /* "library/busybox" */
};

/* A name alone: without tag, without digest. ERR_BAD_COMPOSE says what is wrong with it. */
must_check int image_name_parse(const char *text, size_t len, struct image_name *ret, struct err *e);
void image_name_free(struct image_name *n);
/* Is it "host[:port]" as a registry is named? */
bool image_registry_is_good(const char *text, size_t len);
/* "sha256:" and 64 digits in lower case, as the device compares them; nothing else. */
#define IMAGE_DIGEST_PREFIX "sha256:"
bool image_digest_parse(const char *text, size_t len, uint8_t ret[HASH_SIZE]);

#endif
