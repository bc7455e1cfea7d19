/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/index.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bundle-format/limits.h"
#include "bundle-format/wire.h"

/* ---- tables in memory ---- */

void index_free(struct index *x)
{
    free(x->volumes);
    free(x->frames);
    free(x->contents);
    free(x->members);
    free(x->refs);
    buf_free(&x->paths);
    *x = (struct index){0};
}

const char *index_path(const struct index *x, size_t member)
{
    return (const char *)x->paths.data + x->members[member].path;
}

size_t index_metadata_count(const struct index *x)
{
    size_t n = 0;
    while (n < x->member_count && index_path(x, n)[0] == 'm')
        n++;
    return n;
}

size_t index_metadata_frames(const struct index *x)
{
    size_t n = 0;
    while (n < x->frame_count && x->frames[n].volume == 0)
        n++;
    return n;
}

size_t index_own_volume(const struct index *x)
{
    size_t i = 1;
    while (i < x->volume_count && x->volumes[i].borrowed)
        i++;
    return i;
}

size_t index_own_frame(const struct index *x)
{
    size_t volume = index_own_volume(x), n = 0;
    while (n < x->frame_count && x->frames[n].volume < volume)
        n++;
    return n;
}

unsigned index_own_volumes(const struct index *x)
{
    size_t first = index_own_volume(x);
    return first < x->volume_count ? (unsigned)(x->volume_count - first) : 0;
}

void index_add_volume(struct index *x, const struct index_volume *v)
{
    mem_grow(&x->volumes, x->volume_count, &x->volume_room, sizeof *x->volumes);
    x->volumes[x->volume_count++] = *v;
}

void index_add_frame(struct index *x, const struct index_frame *f)
{
    mem_grow(&x->frames, x->frame_count, &x->frame_room, sizeof *x->frames);
    x->frames[x->frame_count++] = *f;
}

void index_add_member(struct index *x, const char *path, size_t path_len, uint64_t size,
                      const uint8_t sha256[HASH_SIZE])
{
    struct index_member m = {
        .size = size, .path = (uint32_t)x->paths.len, .first_ref = (uint32_t)x->ref_count};
    memcpy(m.sha256, sha256, HASH_SIZE);
    buf_add(&x->paths, path, path_len);
    buf_add_char(&x->paths, '\0');
    mem_grow(&x->members, x->member_count, &x->member_room, sizeof *x->members);
    x->members[x->member_count++] = m;
}

void index_add_content(struct index *x, const struct index_content *c)
{
    mem_grow(&x->contents, x->content_count, &x->content_room, sizeof *x->contents);
    x->contents[x->content_count++] = *c;
}

void index_add_ref(struct index *x, uint32_t content)
{
    mem_grow(&x->refs, x->ref_count, &x->ref_room, sizeof *x->refs);
    x->refs[x->ref_count++] = content;
    x->members[x->member_count - 1].ref_count++;
}

/* ---- bytes: a directory, then blocks of whole records, each block of one table ---- */

enum table { TABLE_VOLUMES = 1, TABLE_FRAMES, TABLE_CONTENTS, TABLE_MEMBERS };

#define INDEX_LEVEL 9 /* paths shrink, hashes do not: higher levels win nothing */
#define SKIPPABLE_START (FRAME_SKIP_HEADER + FRAME_TAG)
#define DIRECTORY_START (SKIPPABLE_START + 8) /* after block count and zeros */
#define ENTRY_SIZE 48u                        /* of the directory */

struct encoder {
    struct frame_packer *packer;
    struct buf directory, blocks; /* as stored */
    struct buf raw;               /* the block in the making */
    uint32_t records, block_count;
    enum table table;
};

/* Packs the block in the making, if there is one. */
static int finish_block(struct encoder *enc, struct err *e)
{
    uint8_t digest[HASH_SIZE];
    size_t stored;
    if (enc->records == 0)
        return 0;
    uint8_t *to = buf_reserve(&enc->blocks, frame_bound(enc->raw.len));
    if (frame_pack(enc->packer, enc->raw.data, enc->raw.len, to, &stored, e))
        return -1;
    enc->blocks.len += stored;
    hash_of(to, stored, digest);
    buf_add_char(&enc->directory, (char)enc->table);
    wire_add_zeros(&enc->directory, 3);
    wire_add_u32(&enc->directory, enc->records);
    wire_add_u32(&enc->directory, (uint32_t)stored);
    wire_add_u32(&enc->directory, (uint32_t)enc->raw.len);
    buf_add(&enc->directory, digest, HASH_SIZE);
    buf_clear(&enc->raw);
    enc->records = 0;
    enc->block_count++;
    return 0;
}

/* Where the next record of `size` bytes goes: a new block when the old one is full or of another table. */
static int next_record(struct encoder *enc, enum table table, size_t size, struct err *e)
{
    if ((table != enc->table || enc->raw.len + size > LIMIT_INDEX_BLOCK) && finish_block(enc, e))
        return -1;
    enc->table = table;
    enc->records++;
    return 0;
}

#define VOLUME_RECORD 26u
#define VOLUME_BORROWED 0x8000u /* beside its number */
#define FRAME_RECORD 50u
#define CONTENT_RECORD 48u
#define MEMBER_RECORD 46u /* without path and list */

static int encode_places(const struct index *x, struct encoder *enc, struct err *e)
{
    for (const struct index_volume *v = x->volumes, *end = v + x->volume_count; v < end; v++) {
        if (next_record(enc, TABLE_VOLUMES, VOLUME_RECORD, e))
            return -1;
        wire_add_u16(&enc->raw, v->number | (v->borrowed ? VOLUME_BORROWED : 0));
        buf_add(&enc->raw, v->id, BUNDLE_ID_SIZE);
        wire_add_u64(&enc->raw, v->bytes);
    }
    for (const struct index_frame *f = x->frames, *end = f + x->frame_count; f < end; f++) {
        if (next_record(enc, TABLE_FRAMES, FRAME_RECORD, e))
            return -1;
        wire_add_u16(&enc->raw, f->volume);
        wire_add_u64(&enc->raw, f->offset);
        wire_add_u32(&enc->raw, f->stored);
        wire_add_u32(&enc->raw, f->raw);
        buf_add(&enc->raw, f->sha256, HASH_SIZE);
    }
    return 0;
}

static int encode_members(const struct index *x, struct encoder *enc, struct err *e)
{
    for (const struct index_content *c = x->contents, *end = c + x->content_count; c < end; c++) {
        if (next_record(enc, TABLE_CONTENTS, CONTENT_RECORD, e))
            return -1;
        buf_add(&enc->raw, c->sha256, HASH_SIZE);
        wire_add_u64(&enc->raw, c->size);
        wire_add_u32(&enc->raw, c->frame);
        wire_add_u32(&enc->raw, c->offset);
    }
    for (size_t i = 0; i < x->member_count; i++) {
        const struct index_member *m = &x->members[i];
        const char *path = index_path(x, i);
        size_t path_len = strlen(path);
        if (next_record(enc, TABLE_MEMBERS, MEMBER_RECORD + path_len + 4 * (size_t)m->ref_count, e))
            return -1;
        wire_add_u16(&enc->raw, (uint16_t)path_len);
        buf_add(&enc->raw, path, path_len);
        buf_add(&enc->raw, m->sha256, HASH_SIZE);
        wire_add_u64(&enc->raw, m->size);
        wire_add_u32(&enc->raw, m->ref_count);
        for (uint32_t r = 0; r < m->ref_count; r++)
            wire_add_u32(&enc->raw, x->refs[m->first_ref + r]);
    }
    return 0;
}

int index_encode(const struct index *x, struct buf *to, struct err *e)
{
    struct encoder enc = {.packer = frame_packer_new(INDEX_LEVEL)};
    int rc = encode_places(x, &enc, e) || encode_members(x, &enc, e) || finish_block(&enc, e) ? -1 : 0;
    size_t body = 8 + enc.directory.len + enc.blocks.len;
    if (rc == 0 && (enc.block_count > LIMIT_INDEX_BLOCKS || SKIPPABLE_START + body > LIMIT_INDEX_STORED))
        rc = err_set(e, ERR_BUNDLE_LIMIT, "the index is too large");
    if (rc == 0) {
        frame_add_skippable(to, INDEX_TAG, body);
        wire_add_u32(to, enc.block_count);
        wire_add_zeros(to, 4);
        buf_add(to, enc.directory.data, enc.directory.len);
        buf_add(to, enc.blocks.data, enc.blocks.len);
    }
    frame_packer_delete(enc.packer);
    buf_free(&enc.directory);
    buf_free(&enc.blocks);
    buf_free(&enc.raw);
    return rc;
}

/* ---- and back ---- */

static int limit_error(struct err *e, const char *what)
{
    return err_set(e, ERR_BUNDLE_LIMIT, "the index has too many %s", what);
}

static int decode_volume(struct cursor *c, struct index *x, struct err *e)
{
    uint16_t number = cursor_u16(c);
    struct index_volume v = {.number = number & (VOLUME_BORROWED - 1), .borrowed = number & VOLUME_BORROWED};
    cursor_copy(c, v.id, BUNDLE_ID_SIZE);
    v.bytes = cursor_u64(c);
    if (x->volume_count > LIMIT_VOLUMES + LIMIT_BORROWED)
        return limit_error(e, "volumes");
    index_add_volume(x, &v);
    return 0;
}

static int decode_frame(struct cursor *c, struct index *x, struct err *e)
{
    struct index_frame f = {.volume = cursor_u16(c)};
    f.offset = cursor_u64(c);
    f.stored = cursor_u32(c);
    f.raw = cursor_u32(c);
    cursor_copy(c, f.sha256, HASH_SIZE);
    if (x->frame_count == LIMIT_FRAMES)
        return limit_error(e, "frames");
    index_add_frame(x, &f);
    return 0;
}

static int decode_content(struct cursor *c, struct index *x, struct err *e)
{
    struct index_content content;
    cursor_copy(c, content.sha256, HASH_SIZE);
    content.size = cursor_u64(c);
    content.frame = cursor_u32(c);
    content.offset = cursor_u32(c);
    if (x->content_count == LIMIT_CONTENTS)
        return limit_error(e, "contents");
    index_add_content(x, &content);
    return 0;
}

static int decode_member(struct cursor *c, struct index *x, struct err *e)
{
    uint16_t path_len = cursor_u16(c);
    const uint8_t *path = cursor_take(c, path_len);
    const uint8_t *sha256 = cursor_take(c, HASH_SIZE);
    uint64_t size = cursor_u64(c);
    uint32_t refs = cursor_u32(c);
    if (c->failed)
        return 0; /* the caller sees it */
    if (x->member_count == LIMIT_MEMBERS || x->paths.len + path_len > LIMIT_PATH_BYTES)
        return limit_error(e, "members");
    if (refs > LIMIT_MEMBER_CONTENTS || x->ref_count + refs > LIMIT_REFERENCES)
        return limit_error(e, "contents of members");
    if (memchr(path, '\0', path_len))
        return err_set(e, ERR_UNSAFE_NAME, "a path in the index has a NUL");
    index_add_member(x, (const char *)path, path_len, size, sha256);
    for (uint32_t r = 0; r < refs && !c->failed; r++)
        index_add_ref(x, cursor_u32(c));
    return 0;
}

static int decode_records(enum table table, uint32_t records, struct cursor *c, struct index *x,
                          struct err *e)
{
    static int (*const decode[])(struct cursor *, struct index *, struct err *) = {
        [TABLE_VOLUMES] = decode_volume,
        [TABLE_FRAMES] = decode_frame,
        [TABLE_CONTENTS] = decode_content,
        [TABLE_MEMBERS] = decode_member,
    };
    for (uint32_t i = 0; i < records && !c->failed; i++)
        if (decode[table](c, x, e))
            return -1;
    if (c->failed || c->left > 0)
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "a block of the index does not hold its records");
    return 0;
}

struct decoder {
    struct frame_unpacker *unpacker;
    struct cursor directory, blocks;
    uint8_t last_table;
    uint8_t *raw; /* LIMIT_INDEX_BLOCK bytes */
};

static int decode_block(struct decoder *dec, struct index *x, struct err *e)
{
    uint8_t digest[HASH_SIZE];
    struct cursor *d = &dec->directory;
    uint8_t table = cursor_u8(d);
    bool zeros = cursor_zeros(d, 3);
    uint32_t records = cursor_u32(d), stored_len = cursor_u32(d), raw_len = cursor_u32(d);
    const uint8_t *expected = cursor_take(d, HASH_SIZE);
    if (raw_len > LIMIT_INDEX_BLOCK)
        return err_set(e, ERR_BUNDLE_LIMIT, "a block of the index is larger than 1 MiB");
    const uint8_t *stored = cursor_take(&dec->blocks, stored_len);
    if (!expected || !stored || !zeros || table < dec->last_table || table > TABLE_MEMBERS || records == 0)
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "the directory of the index is wrong");
    dec->last_table = table;
    hash_of(stored, stored_len, digest);
    if (memcmp(digest, expected, HASH_SIZE))
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "a block of the index does not match its hash");
    if (frame_unpack(dec->unpacker, stored, stored_len, dec->raw, raw_len, e))
        return -1;
    struct cursor c = {.at = dec->raw, .left = raw_len};
    return decode_records(table, records, &c, x, e);
}

int index_decode(const uint8_t *bytes, size_t len, struct index *ret, struct err *e)
{
    AUTO(index) struct index x = {0};
    struct decoder dec = {.last_table = TABLE_VOLUMES};
    uint64_t frame_len;
    if (len < DIRECTORY_START || !frame_is_skippable(bytes, INDEX_TAG, &frame_len) || frame_len != len)
        return err_set(e, ERR_BUNDLE_DAMAGED, "no index follows the signatures");
    struct cursor c = {.at = bytes + SKIPPABLE_START, .left = len - SKIPPABLE_START};
    uint32_t blocks = cursor_u32(&c);
    bool zeros = cursor_zeros(&c, 4);
    if (blocks > LIMIT_INDEX_BLOCKS)
        return limit_error(e, "blocks");
    dec.directory = (struct cursor){.at = cursor_take(&c, blocks * ENTRY_SIZE), .left = blocks * ENTRY_SIZE};
    dec.blocks = c;
    if (c.failed || !zeros)
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "the directory of the index is wrong");

    AUTO_FREE uint8_t *raw = mem_zeroed(LIMIT_INDEX_BLOCK, 1);
    dec.raw = raw;
    dec.unpacker = frame_unpacker_new();
    int rc = 0;
    for (uint32_t i = 0; i < blocks && rc == 0; i++)
        rc = decode_block(&dec, &x, e);
    frame_unpacker_delete(dec.unpacker);
    if (rc)
        return -1;
    if (dec.blocks.left > 0)
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "bytes follow the last block of the index");
    *ret = x;
    x = (struct index){0};
    return 0;
}
