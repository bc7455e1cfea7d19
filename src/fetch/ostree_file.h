/* SPDX-License-Identifier: Apache-2.0
 *
 * One file of an OSTree repository in archive mode (".filez"): is it the file that its name promises? Checked
 * as the bytes come, in a fixed amount of memory.
 *
 *   bytes   length of the header (4) | zeros (4) | header | content, deflated without a zlib frame
 *   header  (tuuuusa(ayay)): length of the content, uid, gid, mode, rdev, link target, extended attributes
 *   name    SHA-256 of: length of the other header | zeros | that header, which lacks the content's length |
 *           content. A symbolic link has no content.
 *
 * What the name does not vouch for must be as libostree writes it: the zeros, the declared length, nothing
 * after the end of the deflated content.
 *
 *     ostree_file_begin(f); ostree_file_update(f, …) …; ostree_file_end(f, checksum, e)
 */
#ifndef AIRLOCK_FETCH_OSTREE_FILE_H
#define AIRLOCK_FETCH_OSTREE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/hash.h"

/* Real headers have some hundred bytes; Linux takes 64 KiB for a file's attributes' names and for each value.
 */
#define OSTREE_HEADER_MAX (256u << 10)
/* Content of one file: eight times what FAT32 could hold. Bounds how long a hostile server can make us
 * inflate.
 */
#define OSTREE_FILE_MAX (32ull << 30)

struct ostree_file;

struct ostree_file *ostree_file_new(void);
void ostree_file_delete(struct ostree_file *f);
/* Whatever the one before came to. */
void ostree_file_begin(struct ostree_file *f);
/* ERR_WRONG_HASH as soon as these bytes can be no file of archive mode, or more comes out of them than the
 * header declares. */
must_check int ostree_file_update(struct ostree_file *f, const void *bytes, size_t n, struct err *e);
/* ERR_WRONG_HASH unless all is there and it is the file of that name. */
must_check int ostree_file_end(struct ostree_file *f, const uint8_t checksum[HASH_SIZE], struct err *e);

#endif
