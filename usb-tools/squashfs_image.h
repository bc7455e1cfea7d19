/* SPDX-License-Identifier: Apache-2.0
 *
 * A squashfs image read by libsquashfs, as a kernel would read it: the files that are in it, and their bytes.
 * Who made it is not known, so libsquashfs gets no table or inode whose size was not held against a limit
 * before: memory stays bounded whatever the image says. Only what --as squashfs writes and mksquashfs makes
 * of a lockbox directory is taken: files and folders, and gzip, which is what the kernels of devices know.
 */
#ifndef AIRLOCK_USB_SQUASHFS_IMAGE_H
#define AIRLOCK_USB_SQUASHFS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle-format/bundle.h"

struct squashfs_image;

struct squashfs_entry {
    char *path; /* has passed name_check() */
    uint64_t size;
    uint64_t inode; /* where libsquashfs finds it */
};

/* Is it one? By its first bytes. */
bool squashfs_is_image(int fd);
/* Reads all folders. The descriptor must outlive the image. Errors: ERR_BAD_SQUASHFS, ERR_TOO_LARGE,
 * ERR_UNSAFE_NAME, ERR_MEDIUM_IO. */
must_check int squashfs_image_open(int fd, struct squashfs_image **ret, struct err *e);
/* Its files, sorted by path. */
size_t squashfs_image_count(const struct squashfs_image *x);
const struct squashfs_entry *squashfs_image_at(const struct squashfs_image *x, size_t i);
/* What the image itself takes. */
uint64_t squashfs_image_stored(const struct squashfs_image *x);
/* Hands a file on in pieces; -1 of take() ends it. */
must_check int squashfs_image_pour(struct squashfs_image *x, const struct squashfs_entry *file,
                                   int (*take)(void *ctx, const void *bytes, size_t n, struct err *e),
                                   void *ctx, struct err *e);
/* Every file in metadata/, whole, at most 64 MiB in all; as bundle_read_metadata(). */
must_check int squashfs_image_read_metadata(struct squashfs_image *x, const struct bundle_taker *taker,
                                            struct err *e);
void squashfs_image_close(struct squashfs_image *x);

#endif
