/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that come from signed metadata, from a bundle or from a stick become file names only after
 * name_check(). A name may hold '/' (targets such as "bootloader/imx-boot"); each part between them must be a
 * plain file name that ext4 and FAT can both hold and that no path join, shell or case-folding file system
 * turns into something else.
 */
#ifndef AIRLOCK_BASE_NAME_H
#define AIRLOCK_BASE_NAME_H

#include <stddef.h>

#include "base/err.h"

#define NAME_PATH_MAX                                                                                        \
    1024 /* bytes of a whole path: the bundle format's limit, far below PATH_MAX with a mount point */
#define NAME_PART_MAX                                                                                        \
    255 /* bytes of a part: ext4's limit, and FAT's in UTF-16 units is never smaller in bytes */

/* ERR_UNSAFE_NAME unless every part of the path is safe: not empty, '.' or '..', no control characters, no
 * `\ : * ? " < > |`, no trailing dot or blank, not a FAT-reserved device name (CON, NUL, COM1 …, with any
 * extension), valid UTF-8, lengths as above; not absolute. */
must_check int name_check(const char *path, size_t len, struct err *e);
must_check int name_check_text(const char *path, struct err *e);

/* ERR_UNSAFE_NAME when two of the names fold to the same one on a case-insensitive file system, or when one
 * is a folder of the other ("a" beside "a/b"). ASCII case is folded. Sorts nothing the caller can see. */
must_check int name_check_twins(const char *const *paths, size_t n, struct err *e);

#endif
