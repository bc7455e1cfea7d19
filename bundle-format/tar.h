/* SPDX-License-Identifier: Apache-2.0
 *
 * The tar headers of a bundle: POSIX ustar, with a pax header before where a path or a size does not fit. For
 * a path and a size there is exactly one right header (mode 0644, owner 0, time 0), so a reader needs no tar
 * parser: it makes the header that the index asks for and compares bytes.
 */
#ifndef AIRLOCK_BUNDLE_TAR_H
#define AIRLOCK_BUNDLE_TAR_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define TAR_BLOCK 512u
#define TAR_END (2 * TAR_BLOCK) /* zeros that close an archive */

/* Appends the header of a regular file: 512 bytes, or 1 536 and more with pax. */
void tar_add_header(struct buf *to, const char *path, uint64_t size);
/* Zeros that follow `size` bytes of content, up to the block. */
size_t tar_padding(uint64_t size);
/* The size in the header of a file of this short name; ERR_BUNDLE_INCONSISTENT unless the block is, byte for
 * byte, what tar_add_header() makes for it. */
must_check int tar_read_size(const uint8_t *block, size_t len, const char *name, uint64_t *ret_size,
                             struct err *e);

#endif
