/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/tar.h"

#include <stdio.h>
#include <string.h>

#include "bundle-format/wire.h"

/* Places in a ustar header (POSIX.1-2017, pax, "ustar Interchange Format"). */
enum {
    NAME = 0,
    NAME_SIZE = 100,
    MODE = 100,
    UID = 108,
    GID = 116,
    SIZE = 124,
    SIZE_DIGITS = 11,
    MTIME = 136,
    CHECKSUM = 148,
    CHECKSUM_SIZE = 8,
    TYPE = 156,
    MAGIC = 257,
    DEVMAJOR = 329,
    DEVMINOR = 337,
    PREFIX = 345,
    PREFIX_SIZE = 155,
};
#define SIZE_MAX_USTAR ((1ull << 33) - 1) /* eleven octal digits */
#define PAX_NAME "PaxHeader/member"       /* seen only by programs that do not know pax */

static void put_octal(uint8_t *at, size_t digits, uint64_t value)
{
    at[digits] = '\0';
    while (digits > 0) {
        at[--digits] = (uint8_t)('0' + (value & 7));
        value >>= 3;
    }
}

/* A block with everything but name, prefix and checksum. */
static void start_block(uint8_t block[TAR_BLOCK], char type, uint64_t size)
{
    memset(block, 0, TAR_BLOCK);
    put_octal(block + MODE, 7, 0644);
    put_octal(block + UID, 7, 0);
    put_octal(block + GID, 7, 0);
    put_octal(block + SIZE, SIZE_DIGITS, size);
    put_octal(block + MTIME, 11, 0);
    block[TYPE] = (uint8_t)type;
    memcpy(block + MAGIC, "ustar\00000", 8);
    put_octal(block + DEVMAJOR, 7, 0);
    put_octal(block + DEVMINOR, 7, 0);
}

static void finish_block(struct buf *to, uint8_t block[TAR_BLOCK])
{
    unsigned sum = 0;
    memset(block + CHECKSUM, ' ', CHECKSUM_SIZE);
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += block[i];
    put_octal(block + CHECKSUM, 6, sum); /* six digits, NUL; the blank of before stays last */
    buf_add(to, block, TAR_BLOCK);
}

/* Where to cut a path of more than 100 bytes into prefix and name: at the first '/' that leaves a short
 * enough name. 0: nowhere. */
static size_t split_point(const char *path, size_t len)
{
    for (size_t i = len - NAME_SIZE - 1; i < len && i <= PREFIX_SIZE; i++)
        if (i > 0 && path[i] == '/')
            return i;
    return 0;
}

/* Appends "<length> <key>=<value>\n"; the length counts itself. */
static void add_pax_record(struct buf *to, const char *key, const char *value)
{
    size_t rest = strlen(key) + strlen(value) + 3; /* ' ', '=', '\n' */
    size_t len = rest + 1;
    while (len != rest + (size_t)snprintf(NULL, 0, "%zu", len))
        len++;
    buf_addf(to, "%zu %s=%s\n", len, key, value);
}

static void add_pax_header(struct buf *to, const char *long_path, const char *long_size)
{
    AUTO(buf) struct buf records = {0};
    uint8_t block[TAR_BLOCK];
    if (long_path)
        add_pax_record(&records, "path", long_path);
    if (long_size)
        add_pax_record(&records, "size", long_size);
    start_block(block, 'x', records.len);
    memcpy(block + NAME, PAX_NAME, sizeof PAX_NAME - 1);
    finish_block(to, block);
    buf_add(to, records.data, records.len);
    wire_add_zeros(to, tar_padding(records.len));
}

void tar_add_header(struct buf *to, const char *path, uint64_t size)
{
    uint8_t block[TAR_BLOCK];
    char size_text[24];
    size_t len = strlen(path), cut = len > NAME_SIZE ? split_point(path, len) : 0;
    bool long_path = len > NAME_SIZE && cut == 0, long_size = size > SIZE_MAX_USTAR;
    if (long_path || long_size) {
        snprintf(size_text, sizeof size_text, "%llu", (unsigned long long)size);
        add_pax_header(to, long_path ? path : NULL, long_size ? size_text : NULL);
    }
    start_block(block, '0', long_size ? 0 : size);
    if (cut) {
        memcpy(block + PREFIX, path, cut);
        memcpy(block + NAME, path + cut + 1, len - cut - 1);
    } else {
        memcpy(block + NAME, path, len < NAME_SIZE ? len : NAME_SIZE);
    }
    finish_block(to, block);
}

size_t tar_padding(uint64_t size)
{
    return (size_t)(-size % TAR_BLOCK);
}

int tar_read_size(const uint8_t *block, size_t len, const char *name, uint64_t *ret_size, struct err *e)
{
    AUTO(buf) struct buf expected = {0};
    uint64_t size = 0;
    if (len < TAR_BLOCK)
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "the tar header of '%s' is cut short", name);
    for (size_t i = SIZE; i < SIZE + SIZE_DIGITS; i++)
        size = size << 3 | (block[i] & 7u);
    tar_add_header(&expected, name, size);
    if (memcmp(expected.data, block, TAR_BLOCK))
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "the tar header of '%s' is not the one it must have",
                       name);
    *ret_size = size;
    return 0;
}
