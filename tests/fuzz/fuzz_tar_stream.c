/* SPDX-License-Identifier: Apache-2.0
 *
 * The tar stream of a bundle by somebody who can sign: its frames have the hashes and sizes of the index, but
 * what they unpack to is not what it must be. The bundle has a member with a short path, one whose path is
 * cut, one with a pax header, and one of two contents; the input is a list of changes, each place u16, length
 * u8, bytes. A reader takes the stream if, and only if, nothing has changed.
 */
#include <string.h>

#include "base/mem.h"
#include "bundle-format/reader.h"
#include "bundle-format/tar.h"
#include "bundle-format/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define FRAME_RAW 1000u /* no multiple of a tar block: headers and padding go across frames */

static const char *const contents[] = {"one", "twenty-two", "three"};

static struct bundle bundle;
static struct buf payload, right;
static struct frame_packer *packer;

static int read_payload(void *ctx, int fd, void *to, size_t n, uint64_t offset, struct err *e)
{
    const struct buf *from = ctx;
    (void)fd;
    if (offset + n > from->len)
        return err_set(e, ERR_BUNDLE_TRUNCATED, "behind the payload");
    memcpy(to, from->data + offset, n);
    return 0;
}

static void add_member(struct index *x, const char *path, uint32_t first, uint32_t count)
{
    AUTO(buf) struct buf whole = {0};
    uint8_t digest[HASH_SIZE];
    for (uint32_t i = first; i < first + count; i++)
        buf_add_text(&whole, contents[i]);
    hash_of(whole.data, whole.len, digest);
    index_add_member(x, path, strlen(path), whole.len, digest);
    for (uint32_t i = first; i < first + count; i++)
        index_add_ref(x, i);
}

/* The right stream, and where in it each content is used first. */
static void lay_out(struct index *x)
{
    struct stream s;
    struct run run;
    size_t used = 0;
    stream_start(&s, x, STREAM_IMAGES);
    while (stream_next(&s, &run)) {
        if (run.kind == RUN_CONTENT && run.content == used) {
            x->contents[used].frame = (uint32_t)(right.len / FRAME_RAW);
            x->contents[used++].offset = (uint32_t)(right.len % FRAME_RAW);
        }
        buf_add(&right, run.kind == RUN_CONTENT ? (const void *)contents[run.content] : run.bytes,
                (size_t)run.size);
    }
    stream_free(&s);
}

static void prepare(void)
{
    static struct volume_place places[2];
    struct index *x = &bundle.index;
    uint8_t digest[HASH_SIZE];
    if (packer)
        return;
    packer = frame_packer_new(1);
    for (size_t i = 0; i < COUNT_OF(contents); i++) {
        hash_of(contents[i], strlen(contents[i]), digest);
        struct index_content c = {.size = strlen(contents[i])};
        memcpy(c.sha256, digest, HASH_SIZE);
        index_add_content(x, &c);
    }
    AUTO_FREE char *cut = mem_format("images/%060d/%090d", 1, 2);
    AUTO_FREE char *pax = mem_format("images/%0120d", 3);
    add_member(x, pax, 0, 1);
    add_member(x, cut, 1, 1);
    add_member(x, "images/a", 0, 1);
    add_member(x, "images/b", 1, 2);
    lay_out(x);
    index_add_volume(x, &(struct index_volume){.number = 0});
    index_add_volume(x, &(struct index_volume){.number = 1});
    bundle.medium = (struct medium){.ctx = &payload, .read = read_payload};
    bundle.name = mem_strdup("fuzz.lockbox");
    bundle.volumes = places;
}

/* Packs the stream; its frames get the hashes that they have. */
static void pack(const struct buf *raw)
{
    struct index *x = &bundle.index;
    struct err e;
    x->frame_count = 0;
    buf_clear(&payload);
    wire_add_zeros(&payload, VOLUME_SIZE);
    for (size_t at = 0, n, stored; at < raw->len; at += n) {
        n = raw->len - at < FRAME_RAW ? raw->len - at : FRAME_RAW;
        struct index_frame f = {.offset = payload.len, .raw = (uint32_t)n, .volume = 1};
        uint8_t *to = buf_reserve(&payload, frame_bound(n));
        if (frame_pack(packer, raw->data + at, n, to, &stored, &e))
            __builtin_trap();
        hash_of(to, stored, f.sha256);
        f.stored = (uint32_t)stored;
        payload.len += stored;
        index_add_frame(x, &f);
    }
    x->volumes[1].bytes = payload.len;
    if (index_check(x, &e))
        __builtin_trap();
}

static void change(struct buf *raw, const uint8_t *bytes, size_t len)
{
    struct cursor c = {.at = bytes, .left = len};
    while (c.left > 0 && !c.failed) {
        size_t at = cursor_u16(&c), n = cursor_u8(&c);
        const uint8_t *with = cursor_take(&c, n < c.left ? n : c.left);
        for (size_t i = 0; with && i < n && with + i < c.at && at + i < raw->len; i++)
            raw->data[at + i] = with[i];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(buf) struct buf raw = {0};
    struct err e;
    prepare();
    buf_add(&raw, right.data, right.len);
    change(&raw, bytes, len);
    bool same = !memcmp(raw.data, right.data, right.len);
    pack(&raw);
    if ((bundle_unroll(&bundle, STREAM_IMAGES, 1, NULL, NULL, NULL, &e) == 0) != same)
        __builtin_trap();
    if (!same && e.id != ERR_BUNDLE_INCONSISTENT && e.id != ERR_WRONG_HASH)
        __builtin_trap();
    return 0;
}
