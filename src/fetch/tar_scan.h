/* SPDX-License-Identifier: Apache-2.0
 *
 * A tar archive that goes by in pieces, as whoever unpacks it sees it: ustar, with pax and GNU extensions for
 * long names and large files. For archives that others wrote, hostile ones too; nothing is written, and at
 * most one header with its extensions is held in memory.
 *
 *     struct tar_scan *t = tar_scan_new(&taker);
 *     tar_scan_write(t, bytes, n, e) …
 *     tar_scan_end(t, e)
 *     tar_scan_delete(t)
 */
#ifndef AIRLOCK_FETCH_TAR_SCAN_H
#define AIRLOCK_FETCH_TAR_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define TAR_SCAN_EXTENSION_MAX                                                                               \
    (64u << 10) /* bytes of one pax header or long name: paths have at most 4 096 */

enum tar_kind { TAR_FILE, TAR_FOLDER, TAR_SYMLINK, TAR_ODD };

struct tar_entry {
    enum tar_kind kind; /* TAR_ODD: a hard link, a device, what no image needs */
    const char *path;   /* as written */
    const char *target; /* of a symbolic link */
    uint64_t size;      /* of a file; 0 for all else */
};

/* Called in order: begin, the file's bytes, end. A -1 ends the scan. */
struct tar_taker {
    int (*begin)(void *ctx, const struct tar_entry *entry, struct err *e);
    int (*write)(void *ctx, const void *bytes, size_t n, struct err *e);
    int (*end)(void *ctx, struct err *e);
    void *ctx;
};

struct tar_scan;

struct tar_scan *tar_scan_new(const struct tar_taker *taker);
void tar_scan_delete(struct tar_scan *t);
/* What follows the end of the archive is passed over, as tar does. ERR_BAD_IMAGE for what is no tar. */
must_check int tar_scan_write(struct tar_scan *t, const void *bytes, size_t n, struct err *e);
/* ERR_BAD_IMAGE when the archive is cut within an entry. */
must_check int tar_scan_end(const struct tar_scan *t, struct err *e);

#endif
