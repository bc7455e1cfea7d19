/* SPDX-License-Identifier: Apache-2.0
 *
 * Entries of a small ZIP archive in memory, by name: how the cloud gives out credentials. Everything else in
 * it is skipped without being unpacked. What it holds is secret as a rule; whoever has it wipes it.
 */
#ifndef AIRLOCK_CLOUD_ZIP_ENTRIES_H
#define AIRLOCK_CLOUD_ZIP_ENTRIES_H

#include "base/buf.h"
#include "base/err.h"

#define ZIP_MAX (1u << 20)         /* bytes; real ones have some ten thousand */
#define ZIP_ENTRY_MAX (128u << 10) /* bytes: twice what a device reads of a root, the largest entry */
#define ZIP_ENTRIES_MAX 64u        /* real ones have at most nine */

struct zip_entry {
    const char *name;
    struct buf *ret; /* with data, be it of length 0, where the archive has it; else as it was: empty */
};

/* ERR_BAD_CREDENTIALS: no ZIP, an entry twice, or more than the limits. */
must_check int zip_entries_read(const void *zip, size_t len, const struct zip_entry *wanted, size_t count,
                                struct err *e);

#endif
