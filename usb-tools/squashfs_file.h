/* SPDX-License-Identifier: Apache-2.0
 *
 * What libsquashfs reads and writes an image by, on an open descriptor, and its errors in our terms.
 */
#ifndef AIRLOCK_USB_SQUASHFS_FILE_H
#define AIRLOCK_USB_SQUASHFS_FILE_H

#include <sqfs/io.h>

#include "base/err.h"

struct squashfs_file {
    sqfs_file_t base; /* first: libsquashfs gets a pointer to it */
    int fd;           /* not owned */
    uint64_t size;
    struct err error; /* of the descriptor, for squashfs_error(); id 0: none */
};

/* Over the whole file as it is now. ERR_MEDIUM_IO. */
must_check int squashfs_file_init(struct squashfs_file *f, int fd, struct err *e);
/* -1 with what libsquashfs returned: the descriptor's own error where that is the cause. */
int squashfs_error(const struct squashfs_file *f, int returned, const char *what, struct err *e);

#endif
