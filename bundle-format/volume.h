/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a bundle "x.lockbox": the head under that very name, payload volumes as "x.lockbox.001", …
 *
 * A volume whose name is still taken by an older bundle of the same name stands as "x.lockbox.001.new" until
 * the head that names it is in place, so that at any moment every volume of the present head can be found
 * (SPEC.md, "Replacing a bundle"). What is being written ends in ".part".
 */
#ifndef AIRLOCK_BUNDLE_VOLUME_H
#define AIRLOCK_BUNDLE_VOLUME_H

#include <stdbool.h>

#include "base/err.h"
#include "base/progress.h"
#include "bundle-format/head.h"
#include "bundle-format/index.h"
#include "bundle-format/medium.h"
#include "bundle-format/output.h"

/* "x.lockbox.001", pending: "x.lockbox.001.new"; the caller's. */
char *volume_name(const char *bundle, unsigned number, bool pending);

/* Is there a file of this name? */
must_check int volume_exists(const struct medium *medium, const char *name, bool *ret, struct err *e);
/* Opens the file that holds volume v, under either name. Errors: ERR_VOLUME_MISSING, ERR_VOLUME_FOREIGN,
 * ERR_BUNDLE_DAMAGED (no V), ERR_BUNDLE_TRUNCATED, ERR_BUNDLE_INCONSISTENT (bytes follow). */
must_check int volume_open(const struct medium *medium, const char *bundle, const struct index_volume *v,
                           int *ret_fd, bool *ret_pending, struct err *e);
/* Is it named like a bundle's head? */
bool volume_is_head_name(const char *name);
/* Is it named like a payload volume of any bundle, under either name? */
bool volume_is_name(const char *name);
/* V of a file, whatever else is wrong with it. */
must_check int volume_read_id(const struct medium *medium, const char *name, struct volume_id *ret,
                              struct err *e);
/* Opens volume v in the file of that name. Errors as of volume_open(). */
must_check int volume_open_as(const struct medium *medium, const char *name, const struct index_volume *v,
                              int *ret_fd, struct err *e);
/* The same of an open file, which `shown` names. */
must_check int volume_check_file(const struct medium *medium, int fd, const char *shown,
                                 const struct index_volume *v, struct err *e);
/* Compares V at offset of an open file with what the index says. */
must_check int volume_check(const struct medium *medium, int fd, uint64_t offset,
                            const struct index_volume *v, struct err *e);
/* Appends V. */
void volume_start(const struct index_volume *v, struct buf *to);
/* Reads a volume back, which begins at `base` of the settled output: V, and every frame against its hash.
 * ERR_READ_BACK. Its bytes count in the progress. */
must_check int volume_read_back(const struct output *out, const struct index *x, size_t volume, uint64_t base,
                                struct progress *progress, struct err *e);
must_check int volume_file_size(int fd, uint64_t *ret, struct err *e);

#endif
