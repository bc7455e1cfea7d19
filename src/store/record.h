/* SPDX-License-Identifier: Apache-2.0
 *
 * What the store knows of a lockbox: which objects are its signed roles, its targets and its container
 * images, and which files of the OSTree repository (ostree_repo.h) its OSTree images. A record is one small
 * JSON file that is replaced by one rename, and it is written last: where a record is, everything that it
 * names was there.
 */
#ifndef AIRLOCK_STORE_RECORD_H
#define AIRLOCK_STORE_RECORD_H

#include "store/store.h"

struct record_file {
    char *path; /* role: "director/1.root.json" …; target: its name */
    uint8_t sha256[HASH_SIZE];
    uint64_t size;
};

/* An object that is known by its hash alone: a manifest, a config. */
struct record_object {
    uint8_t sha256[HASH_SIZE];
    uint64_t size;
};

struct record_layer {
    struct record_object blob; /* as the registry keeps it: compressed or not */
    uint8_t diff_id[HASH_SIZE];
    uint64_t size; /* of the tar; diff_id is its SHA-256 */
};

/* A container image that becomes one tarball. */
struct record_image {
    uint8_t manifest[HASH_SIZE];
    char *tag; /* the one by which the device loads it */
    struct record_object config;
    struct record_layer *layers;
    size_t layer_count;
    struct record_object tarball; /* is not kept: it is made when it is written */
};

/* A container application: what belongs to one compose file. */
struct record_app {
    uint8_t compose[HASH_SIZE];
    struct record_object *manifests; /* lists too */
    size_t manifest_count;
    struct record_image *images;
    size_t image_count;
    char **platforms; /* that all of its images are there for */
    size_t platform_count;
};
void record_app_free(struct record_app *a);

struct record {
    char *lockbox;
    int64_t version;    /* of the lockbox */
    int64_t fetched_at; /* seconds since the epoch, the laptop's clock */
    struct record_file *roles;
    size_t role_count;
    struct record_file *targets;
    size_t target_count;
    struct record_file *ostree; /* what its OSTree images consist of: "ostree/objects/…" beneath the cache */
    size_t ostree_count;
    struct record_app *apps;
    size_t app_count;
};

#define RECORD_BYTES_MAX                                                                                     \
    (64u << 20) /* 262 144 members at most, each with a path of at most 1 KiB, in practice far less */
#define RECORD_NODES_MAX 2000000u /* seven for each of those members */

must_check int record_save(const struct store *s, const char *profile, const struct record *r, struct err *e);
/* ERR_NOT_FETCHED where there is none. */
must_check int record_load(const struct store *s, const char *profile, const char *lockbox,
                           struct record *ret, struct err *e);
/* Calls `each` with the name of every lockbox that the profile has a record of. */
must_check int record_each(const struct store *s, const char *profile,
                           int (*each)(void *ctx, const char *lockbox, struct err *e), void *ctx,
                           struct err *e);
/* Hashes every object that the record names and removes those that are damaged, so that the next fetch brings
 * them again. *ret_bad: how many are damaged or missing. For when a reader has met one. */
must_check int record_drop_damaged(const struct store *s, const struct record *r, size_t *ret_bad,
                                   struct err *e);
void record_free(struct record *r);

#endif
