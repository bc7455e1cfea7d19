/* SPDX-License-Identifier: Apache-2.0
 *
 * What writing would take, and whether the medium has it, before the first byte. Whole clusters are counted:
 * of an OSTree repository on a large stick they are several times the bytes.
 *
 *     forecast_medium()  →  forecast_files() or forecast_stream()  →  forecast_check()
 *
 * Nothing is written. What is sure is an error; what may go wrong is a remark.
 */
#ifndef AIRLOCK_USB_FORECAST_H
#define AIRLOCK_USB_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bundle-format/member.h"

struct forecast {
    /* The medium. Texts are hostile, NULL where not known. */
    char *file_system, *label;
    bool is_stick; /* a removable one */
    bool read_only;
    uint64_t cluster_bytes, free_bytes;
    bool free_unknown;   /* some file systems of a program's own (FUSE) do not say */
    uint64_t file_limit; /* bytes of the largest file; 0: larger than any medium, or not known */
    /* What would be written. */
    uint64_t least, most; /* bytes in whole clusters; equal where it is known */
    /* What may go wrong, a sentence each. */
    char **remarks;
    size_t remark_count, remark_room;
};

/* Of the file system that the folder is on. */
must_check int forecast_medium(int dirfd, struct forecast *ret, struct err *e);
/* Each member a file, with its folders. ERR_FILE_TOO_LARGE, naming it. */
must_check int forecast_files(struct forecast *f, const struct member *members, size_t n, struct err *e);
/* One file, or several that each end before `file_bytes` (0: one): at least `least` bytes, at most `most`.
 * Remarks that one may get too large. */
void forecast_stream(struct forecast *f, uint64_t least, uint64_t most, uint64_t file_bytes);
/* ERR_READ_ONLY; ERR_NO_SPACE where even the least does not fit. `held`: bytes of what gives way or is gone
 * on with. Remarks where the most does not fit, or where not every device can read the file system. */
must_check int forecast_check(struct forecast *f, uint64_t held, struct err *e);
void forecast_remark(struct forecast *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void forecast_free(struct forecast *f);

/* Bytes in whole clusters of a file, or of a folder with all that is in it; 0 where there is none. */
uint64_t forecast_held(int dirfd, const char *name, uint64_t cluster_bytes);

#endif
