/* SPDX-License-Identifier: Apache-2.0
 *
 * The tar headers of a bundle, read by somebody else's tar: whatever path and size a member may have,
 * libarchive finds the same in the header that is written for it. Input: size u64, path; or the header of the
 * manifest, the one from which a reader takes a size.
 */
#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/name.h"
#include "bundle-format/limits.h"
#include "bundle-format/tar.h"
#include "bundle-format/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What libarchive makes of the header; the content is never asked for, so none is there. */
static void assert_libarchive_agrees(const struct buf *header, const char *path, uint64_t size)
{
    struct archive_entry *entry;
    struct archive *a = archive_read_new();
    archive_read_support_format_tar(a);
    if (archive_read_open_memory(a, header->data, header->len) != ARCHIVE_OK ||
        archive_read_next_header(a, &entry) != ARCHIVE_OK)
        __builtin_trap();
    if (strcmp(archive_entry_pathname(entry), path) || (uint64_t)archive_entry_size(entry) != size ||
        archive_entry_mode(entry) != (S_IFREG | 0644) || archive_entry_mtime(entry) != 0 ||
        archive_entry_uid(entry) != 0 || archive_entry_gid(entry) != 0 ||
        archive_read_header_position(a) + TAR_BLOCK > (int64_t)header->len)
        __builtin_trap();
    archive_read_free(a);
}

static void try_member(struct cursor c)
{
    AUTO(buf) struct buf header = {0};
    struct err e;
    uint64_t size = cursor_u64(&c) % (LIMIT_MEMBER_SIZE + 1);
    AUTO_FREE char *path = mem_strndup(c.at, c.left);
    if (c.failed || name_check(path, c.left, &e))
        return;
    tar_add_header(&header, path, size);
    if (header.len % TAR_BLOCK)
        __builtin_trap();
    assert_libarchive_agrees(&header, path, size);
}

/* The one header that a reader takes a size from. */
static void try_manifest_header(const uint8_t *bytes, size_t len)
{
    AUTO(buf) struct buf again = {0};
    uint64_t size;
    struct err e;
    if (tar_read_size(bytes, len, "LOCKBOX.json", &size, &e))
        return;
    tar_add_header(&again, "LOCKBOX.json", size);
    if (again.len != TAR_BLOCK || memcmp(again.data, bytes, TAR_BLOCK))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    try_member((struct cursor){.at = bytes, .left = len});
    try_manifest_header(bytes, len);
    return 0;
}
