/* SPDX-License-Identifier: Apache-2.0
 *
 * The last step before a folder gets its name: does the medium return what was written to it? Everything is
 * flushed and dropped from the page cache first, so that a bad stick shows here and not at the device.
 */
#ifndef AIRLOCK_USB_READ_BACK_H
#define AIRLOCK_USB_READ_BACK_H

#include "base/progress.h"
#include "crypto/hash.h"

struct read_back_file {
    const char *path;
    uint64_t size;
    uint8_t sha256[HASH_SIZE];
};

/* The files beneath dirfd, with names that were checked before. ERR_READ_BACK where the medium returns other
 * bytes. What was read counts in the progress. */
must_check int read_back(int dirfd, const struct read_back_file *files, size_t n, struct progress *progress,
                         struct err *e);

#endif
