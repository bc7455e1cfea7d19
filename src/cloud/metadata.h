/* SPDX-License-Identifier: Apache-2.0
 *
 * All signed roles that belong to a lockbox, as exact bytes, in the order in which the server wants to be
 * asked: lockbox, offline snapshot, director root (these GETs may make the server sign anew), then the chains
 * of roots and the image repository. Nothing is verified: uptane/verdict judges what is there. What the
 * server does not have is left out, except for the lockbox itself.
 *
 * While the cloud signs anew, a role may be of another version than the one that lists it says. Such a set is
 * asked for again, METADATA_ROUNDS times at most; then it is handed on as it is, to be refused by name.
 */
#ifndef AIRLOCK_CLOUD_METADATA_H
#define AIRLOCK_CLOUD_METADATA_H

#include "base/buf.h"
#include "cloud/cloud.h"

#define METADATA_BYTES_MAX (48u << 20) /* all roles: they are held in memory together */
#define METADATA_ROOTS_MAX 1024        /* of a chain: a root a day for three years */
#define METADATA_DELEGATIONS_MAX 256
#define METADATA_LOCKBOXES_MAX 1024 /* the server allows 300 */
#define METADATA_ROUNDS 3

/* A file as it lies in a lockbox's metadata folder: "director/root.json", "director/2.root.json",
 * "director/offline-snapshot.json", "director/<lockbox>.json", "image-repo/snapshot.json" … */
struct cloud_file {
    char *path;
    struct buf bytes;
};

struct cloud_metadata {
    struct cloud_file *files;
    size_t count, room;
    size_t total; /* bytes of all files */
};
void cloud_metadata_free(struct cloud_metadata *m);
/* Takes path and bytes over; a file of that path is replaced. */
void cloud_metadata_put(struct cloud_metadata *m, char *path, struct buf *bytes);
/* The bytes of that path, or NULL. */
const struct buf *cloud_metadata_find(const struct cloud_metadata *m, const char *path);

/* ERR_NO_SUCH_LOCKBOX, ERR_TOO_LARGE, ERR_UNSAFE_NAME (a delegation's), ERR_BAD_CONFIG (no such repository in
 * the profile), or those of http_run(). */
must_check int cloud_fetch_metadata(struct cloud *c, const char *lockbox, struct cloud_metadata *ret,
                                    struct err *e);
/* The offline snapshot and every lockbox that it lists, for an overview. */
must_check int cloud_fetch_lockboxes(struct cloud *c, struct cloud_metadata *ret, struct err *e);

#endif
