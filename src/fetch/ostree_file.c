/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ostree_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fetch/gvariant.h"
#include "fetch/ostree_object.h"

#define PREFIX 8                /* before the header: its length and zeros */
#define SIZE_FIELD 8            /* what the stored header has and the hashed one has not */
#define FIXED (SIZE_FIELD + 16) /* length, uid, gid, mode, rdev */
#define UNPACKED (64u << 10)    /* hashed while still in the processor's cache */

struct ostree_file {
    struct buf head; /* prefix and header, until they are whole */
    size_t head_len; /* of both; PREFIX until the length is known */
    bool in_content, ended;
    uint64_t left; /* of the content */
    z_stream z;
    struct hash *hash;
    uint8_t unpacked[UNPACKED];
};

struct ostree_file *ostree_file_new(void)
{
    struct ostree_file *f = mem_zeroed(1, sizeof *f);
    f->hash = hash_new();
    if (inflateInit2(&f->z, -MAX_WBITS) != Z_OK)
        abort(); /* out of memory */
    return f;
}

void ostree_file_delete(struct ostree_file *f)
{
    if (!f)
        return;
    inflateEnd(&f->z);
    hash_delete(f->hash);
    buf_free(&f->head);
    free(f);
}

void ostree_file_begin(struct ostree_file *f)
{
    uint8_t unused[HASH_SIZE];
    hash_final(f->hash, unused);
    inflateReset(&f->z);
    buf_clear(&f->head);
    f->head_len = PREFIX;
    f->in_content = f->ended = false;
}

static int wrong(const char *what, struct err *e)
{
    return err_set(e, ERR_WRONG_HASH, "%s", what);
}

/* ---- the header ---- */

/* Into the hash goes the header without the content's length; so its last part, the one framing offset, is
 * smaller, and may be narrower. */
static void hash_header(struct ostree_file *f, struct gvariant header, size_t target_end)
{
    size_t body = header.len - gvariant_offset_size(header.len) - SIZE_FIELD;
    size_t width = gvariant_offset_size_for(body, 1), offset = target_end - SIZE_FIELD, len = body + width;
    const uint8_t prefix[PREFIX] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                                    (uint8_t)len};
    uint8_t tail[8];
    for (size_t i = 0; i < sizeof tail; i++)
        tail[i] = (uint8_t)(offset >> (8 * i));
    hash_update(f->hash, prefix, sizeof prefix);
    hash_update(f->hash, header.at + SIZE_FIELD, body);
    hash_update(f->hash, tail, width);
}

static int read_header(struct ostree_file *f, struct err *e)
{
    const struct gvariant header = {f->head.data + PREFIX, f->head.len - PREFIX};
    struct gvariant target, attributes;
    size_t end;
    if (!gvariant_offset(header, 1, 0, &end) || !gvariant_part(header, FIXED, end, &target) ||
        !gvariant_part(header, end, header.len - gvariant_offset_size(header.len), &attributes) ||
        !gvariant_is_text(target) || !ostree_are_attributes(attributes.at, attributes.len))
        return wrong("its header is malformed", e);
    uint32_t mode = gvariant_be32(header.at + 16), rdev = gvariant_be32(header.at + 20);
    bool is_link = S_ISLNK(mode), has_target = target.len > 1;
    f->left = gvariant_be64(header.at);
    if ((!is_link && !S_ISREG(mode)) || (mode & ~(uint32_t)(S_IFMT | 07777)) || rdev || is_link != has_target)
        return wrong("it is neither a file nor a symbolic link", e);
    if (f->left > (is_link ? 0 : OSTREE_FILE_MAX))
        return wrong("it declares an absurd length", e);
    hash_header(f, header, end);
    f->in_content = true;
    f->ended = is_link;
    return 0;
}

/* Gathers bytes until prefix and header are whole. Returns how many it took, or -1. */
static ssize_t take_head(struct ostree_file *f, const uint8_t *bytes, size_t n, struct err *e)
{
    size_t missing = f->head_len - f->head.len, take = n < missing ? n : missing;
    buf_add(&f->head, bytes, take);
    if (f->head.len < f->head_len)
        return (ssize_t)take;
    if (f->head_len > PREFIX)
        return read_header(f, e) ? -1 : (ssize_t)take;
    uint32_t len = gvariant_be32(f->head.data);
    if (gvariant_be32(f->head.data + 4) != 0 || len <= FIXED || len > OSTREE_HEADER_MAX)
        return wrong("it does not begin as a file of archive mode does", e);
    f->head_len += len;
    return (ssize_t)take;
}

/* ---- the content ---- */

static int take_content(struct ostree_file *f, const uint8_t *bytes, size_t n, struct err *e)
{
    f->z.next_in = (uint8_t *)bytes; /* zlib does not write there */
    f->z.avail_in = (uInt)n;
    do {
        f->z.next_out = f->unpacked;
        f->z.avail_out = UNPACKED;
        int rc = f->ended ? Z_STREAM_END : inflate(&f->z, Z_NO_FLUSH);
        size_t got = UNPACKED - f->z.avail_out;
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return wrong("its content cannot be inflated", e);
        if (got > f->left)
            return wrong("it inflates to more than it declares", e);
        hash_update(f->hash, f->unpacked, got);
        f->left -= got;
        f->ended = rc == Z_STREAM_END;
    } while (!f->ended && f->z.avail_out == 0);
    return f->z.avail_in == 0 ? 0 : wrong("bytes follow its end", e);
}

#define PIECE (1u << 30) /* zlib counts in unsigned int */

int ostree_file_update(struct ostree_file *f, const void *bytes, size_t n, struct err *e)
{
    for (const uint8_t *at = bytes; n > 0;) {
        size_t piece = n < PIECE ? n : PIECE;
        ssize_t took = (ssize_t)piece;
        if (f->in_content ? take_content(f, at, piece, e) : (took = take_head(f, at, piece, e)) < 0)
            return -1;
        at += took;
        n -= (size_t)took;
    }
    return 0;
}

int ostree_file_end(struct ostree_file *f, const uint8_t checksum[HASH_SIZE], struct err *e)
{
    uint8_t digest[HASH_SIZE];
    if (!f->in_content || !f->ended || f->left > 0)
        return wrong("it ends early", e);
    hash_final(f->hash, digest);
    if (memcmp(digest, checksum, HASH_SIZE) != 0)
        return wrong("its content does not have the checksum that is its name", e);
    return 0;
}
