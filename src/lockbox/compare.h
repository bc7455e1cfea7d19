/* SPDX-License-Identifier: Apache-2.0
 *
 * Two lockboxes beside each other: what changes for each kind of hardware, which container images come and
 * go, and how many bytes of packages the second holds that the first does not. A side is a bundle, a lockbox
 * directory, or the name of a lockbox in the store. Nothing of the packages is read: files are held against
 * each other by the names that say what is in them, and by their signed hashes.
 */
#ifndef AIRLOCK_LOCKBOX_COMPARE_H
#define AIRLOCK_LOCKBOX_COMPARE_H

#include "lockbox/judge.h"
#include "store/store.h"

struct compare_file {
    char *path; /* beneath the lockbox directory */
    uint64_t size;
};

struct compare_side {
    char *shown; /* as the person named it */
    struct verdict verdict;
    struct compare_file *files; /* images/… only, sorted by path */
    size_t file_count, file_room;
};

/* The package of one kind of hardware. */
struct compare_package {
    const char *hardware_id;
    const struct verdict_target *from, *to; /* NULL: none there */
    bool same;                              /* the same bytes under the same name */
};

struct compare_image {
    char digest[HASH_HEX_SIZE]; /* of its manifest */
    bool added;                 /* else it is gone */
};

struct compare_amount {
    size_t files;
    uint64_t bytes;
};

struct comparison {
    struct compare_side from, to;
    struct compare_package *packages; /* by hardware id */
    size_t package_count;
    struct compare_image *images; /* those that are on one side only */
    size_t image_count;
    struct compare_amount added, removed, same; /* files of packages */
};

/* Errors: those of opening a side. What is wrong with its roles stands in its verdict. */
must_check int compare(const struct store *s, const char *profile, const struct judge *judge,
                       const char *from, const char *to, struct comparison *ret, struct err *e);
void comparison_free(struct comparison *c);

#endif
