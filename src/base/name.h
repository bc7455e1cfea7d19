/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that come from signed metadata, from a bundle or from a stick become file names only after a check
 * here. Such a name must mean one and the same file on ext4 and on FAT, in a path join, in a URL and in
 * somebody's shell script; whoever signed it may be an attacker.
 *
 * The rule is a short list of what may be there, not a long one of what may not: letters, digits, blank and
 * ._+-=@,()~ of ASCII. That leaves nothing which FAT cannot hold, which a shell obeys (a blank and
 * parentheses at worst break a line that lacks quotes) or which two file systems fold, normalise or display
 * differently: outside ASCII, each has tables of its own, and the device's client cannot read such roles
 * anyway.
 *
 * name_check() is for a path; name_check_target() and name_check_role() for names that become part of one, in
 * folders where others stand already.
 */
#ifndef AIRLOCK_BASE_NAME_H
#define AIRLOCK_BASE_NAME_H

#include <stddef.h>

#include "base/err.h"

#define NAME_PATH_MAX                                                                                        \
    1024 /* bytes of a whole path: the bundle format's limit, far below PATH_MAX with a mount point */
#define NAME_PART_MAX                                                                                        \
    255 /* bytes of a part: ext4's limit, and FAT's: in ASCII a byte is one of its UTF-16 units */

/* ERR_UNSAFE_NAME unless the path is relative and every part between its '/' has 1 to 255 of the characters
 * above; is not '.' or '..'; does not begin with '-' (an option of `tar *`), '~' or a blank; does not end in
 * a dot or a blank (FAT drops them); is no device name of FAT (CON, NUL, COM1 …, with any extension); is no
 * name that FAT could make as the short alias of another (up to 8 characters that end in '~' and digits, up
 * to 3 more after a dot: with "firmware-1.0.bin" there, "FIRMWA~1.BIN" opens that). */
must_check int name_check(const char *path, size_t len, struct err *e);
must_check int name_check_text(const char *path, struct err *e);

/* The name of a target, which becomes "images/<name>": a path as above, short enough for that, and not in
 * "ostree" or "<64 hexadecimal digits>.images", where the device looks for OSTree objects and containers. */
must_check int name_check_target(const char *name, struct err *e);

/* The name of a lockbox or delegation, which becomes "<name>.json" among the signed roles: one part, short
 * enough for that, not "<number>.root". The roles with fixed names are the caller's matter. */
must_check int name_check_role(const char *name, struct err *e);

/* ERR_UNSAFE_NAME when two of the names fold to the same one on a case-insensitive file system, or when one
 * is a folder of the other ("a" beside "a/b"). For names that passed name_check(): ASCII case is folded.
 * Sorts nothing the caller can see. */
must_check int name_check_twins(const char *const *paths, size_t n, struct err *e);

#endif
