/* SPDX-License-Identifier: Apache-2.0
 *
 * The tarball that a device loads an image from ("docker save" as Docker wrote it before version 25): each
 * layer as an uncompressed tar, the config, and manifest.json that joins them under one tag. It is never
 * kept: it is a list of contents (tar headers, layers out of their compressed blobs, the config), read when a
 * bundle or a folder is written. The same image gives the same bytes, everywhere and always.
 *
 *     image_archive_measure(store, &image, progress, e)    // once, when the blobs are there
 *     image_archive_make(store, &image, &archive)          // whenever the tarball is wanted
 */
#ifndef AIRLOCK_FETCH_IMAGE_ARCHIVE_H
#define AIRLOCK_FETCH_IMAGE_ARCHIVE_H

#include "base/progress.h"
#include "bundle-format/member.h"
#include "fetch/layer.h"
#include "fetch/read_ahead.h"
#include "store/record.h"

struct image_archive {
    struct content *contents; /* in order; what they refer to belongs to the archive */
    size_t count;
    uint64_t size;
    struct layer *layers;
    struct read_ahead *ahead; /* of the layers */
    struct content_bytes *bytes;
    size_t byte_count;
    struct content_file config;
    char config_path[STORE_PATH_SIZE];
};

/* Unpacks every layer once and fills its size and image->tarball. ERR_WRONG_HASH when a layer is not the one
 * that the config names, ERR_BAD_IMAGE, ERR_TOO_LARGE (a bomb). */
must_check int image_archive_measure(const struct store *s, struct record_image *image,
                                     struct progress *progress, struct err *e);
/* The store and the image must outlive it. */
void image_archive_make(const struct store *s, const struct record_image *image, struct image_archive *ret);
void image_archive_free(struct image_archive *a);

#endif
