/* SPDX-License-Identifier: Apache-2.0
 *
 * What libsquashfs reads and writes an image by, on open descriptors, and its errors in our terms. An image
 * can be written to several files at once, which get the same bytes.
 */
#ifndef AIRLOCK_USB_SQUASHFS_FILE_H
#define AIRLOCK_USB_SQUASHFS_FILE_H

#include <sqfs/io.h>

#include "base/pace.h"
#include "base/several.h"

struct squashfs_file {
    sqfs_file_t base; /* first: libsquashfs gets a pointer to it */
    int fd;           /* to be read; not owned */
    uint64_t size;
    struct err error;   /* of the descriptors, for squashfs_error(); id 0: none */
    struct several *at; /* to be written: the places, */
    const int *fds;     /* a descriptor for each, not owned, */
    struct pace *paces; /* and how far it is */
};

/* A file to be read, as it is now. ERR_MEDIUM_IO. */
must_check int squashfs_file_open(struct squashfs_file *f, int fd, struct err *e);
/* Empty files, open for reading and writing. */
void squashfs_file_create(struct squashfs_file *f, const int *fds, struct several *at);
/* Bytes of contents that are in the image now, or on their way to it; they count at each place once they are
 * on the medium. */
void squashfs_file_count(struct squashfs_file *f, uint64_t bytes);
/* Everything that was written is on the media. */
must_check int squashfs_file_settle(struct squashfs_file *f, struct err *e);
void squashfs_file_free(struct squashfs_file *f);
/* -1 with what libsquashfs returned: the descriptor's own error where that is the cause. */
int squashfs_error(const struct squashfs_file *f, int returned, const char *what, struct err *e);

#endif
