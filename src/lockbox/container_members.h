/* SPDX-License-Identifier: Apache-2.0
 *
 * The container applications of a record as members of a lockbox directory, where the device's client looks
 * for them: every manifest byte for byte in metadata/docker/<compose>.manifests/, one tarball per image in
 * images/<compose>.images/, made while it is read.
 */
#ifndef AIRLOCK_LOCKBOX_CONTAINER_MEMBERS_H
#define AIRLOCK_LOCKBOX_CONTAINER_MEMBERS_H

#include "fetch/image_archive.h"

struct container_members {
    struct member *members; /* in no order; what they refer to is owned */
    size_t count;
    struct image_archive *archives;
    size_t archive_count;
    struct content *contents; /* of the manifests */
    struct content_file *files;
    char **paths;
    size_t file_count, path_count;
};

/* Store and record must outlive it. */
void container_members_make(const struct store *s, const struct record *r, struct container_members *ret);
void container_members_free(struct container_members *m);

#endif
