/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole bundle in a single file, opened, checked and its members read. Before that the harness mends what a
 * fuzzer cannot guess, hashes of index blocks, of F0 and of the index, and the signature: everything behind
 * the authentication is reached, as by somebody who can sign.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "bundle-format/head.h"
#include "bundle-format/reader.h"
#include "bundle-format/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define NAME "fuzz.lockbox"
#define START (FRAME_SKIP_HEADER + FRAME_TAG)
#define ENTRY 48u

/* Beside it lies what it could borrow: its own first payload volume. */
#define LENT "lent.lockbox.001"

static int list_lent(void *ctx, int (*each)(void *each_ctx, const char *name, struct err *e), void *each_ctx,
                     struct err *e)
{
    (void)ctx;
    return each(each_ctx, LENT, e);
}

static size_t lent_at(const struct buf *file)
{
    const uint8_t *tag = memmem(file->data, file->len, "LBXVOLM1", FRAME_TAG);
    return tag && tag >= file->data + FRAME_SKIP_HEADER ? (size_t)(tag - file->data) - FRAME_SKIP_HEADER : 0;
}

static int open_bytes(void *ctx, const char *name, int *ret_fd, struct err *e)
{
    const struct buf *file = ctx;
    size_t from = strcmp(name, LENT) ? 0 : lent_at(file);
    if (from == 0 && strcmp(name, NAME))
        return err_set(e, ERR_NO_SUCH_PATH, "no '%s'", name);
    AUTO_FD int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        return err_errno(e, ERR_SYSTEM, "no memory file");
    if (fs_write_all(fd, file->data + from, file->len - from, e))
        return -1;
    *ret_fd = steal_fd(&fd);
    return 0;
}

static int read_file(void *ctx, int fd, void *to, size_t n, uint64_t offset, struct err *e)
{
    (void)ctx;
    return fs_read_all(fd, to, n, offset, e);
}

static int measure_read(void *ctx, void *to, size_t n, uint64_t offset, struct err *e)
{
    (void)e;
    memcpy(to, (const uint8_t *)ctx + offset, n);
    return 0;
}

/* The skippable frame at *at of the file, which is moved behind it; NULL when there is none. */
static uint8_t *skippable(struct buf *file, uint64_t *at, const char *tag, size_t *ret_len)
{
    uint8_t *frame = file->data + *at;
    uint64_t len;
    if (*at + START > file->len || !frame_is_skippable(frame, tag, &len) || len > file->len - *at)
        return NULL;
    *at += len;
    *ret_len = (size_t)len;
    return frame;
}

static void mend_index(uint8_t *index, size_t len)
{
    struct cursor c = {.at = index + START, .left = len - START};
    uint32_t blocks = cursor_u32(&c);
    cursor_take(&c, 4);
    if (c.failed || blocks > c.left / ENTRY)
        return;
    uint8_t *entry = index + START + 8, *block = entry + blocks * ENTRY;
    for (uint32_t i = 0; i < blocks; i++, entry += ENTRY) {
        struct cursor in_entry = {.at = entry + 8, .left = 4};
        uint32_t stored = cursor_u32(&in_entry);
        if (stored > (size_t)(index + len - block))
            return;
        hash_of(block, stored, entry + 16);
        block += stored;
    }
}

/* Signs with the harness' own key, in the place of the first signature. */
static void mend_signature(uint8_t *signatures, size_t len, const struct head_digests *digests)
{
    static const uint8_t seed[32] = {9};
    AUTO(buf) struct buf entry = {0};
    struct sign_key key;
    struct err e;
    sign_key_from_seed(seed, &key);
    if (head_add_signature(&entry, digests, &key, "", &e) == 0 && len >= entry.len)
        memcpy(signatures + START, entry.data + START, entry.len - START);
}

static void mend(struct buf *file)
{
    struct frame_input in = {.read = measure_read, .ctx = file->data, .size = file->len};
    struct head_digests digests;
    uint64_t at;
    size_t head_len, signatures_len, index_len;
    struct err e;
    if (frame_measure(&in, &at, &e))
        return;
    size_t first_len = (size_t)at;
    uint8_t *head = skippable(file, &at, HEAD_TAG, &head_len);
    uint8_t *signatures = head ? skippable(file, &at, SIGN_TAG, &signatures_len) : NULL;
    uint8_t *index = signatures ? skippable(file, &at, INDEX_TAG, &index_len) : NULL;
    if (!index || head_len != HEAD_SIZE)
        return;
    mend_index(index, index_len);
    hash_of(index, index_len, digests.index);
    memcpy(head + 24, digests.index, BUNDLE_ID_SIZE);
    hash_of(file->data, first_len, head + 40);
    hash_of(head, HEAD_SIZE, digests.head);
    mend_signature(signatures, signatures_len, &digests);
}

struct taken {
    const struct bundle *bundle;
    size_t count;
};

/* Members come whole and in order. */
static int take_member(void *ctx, const char *path, struct buf *bytes, struct err *e)
{
    struct taken *taken = ctx;
    struct bundle_member_info expected = bundle_member_at(taken->bundle, taken->count++);
    (void)e;
    if (strcmp(path, expected.path) != 0 || bytes->len != expected.size)
        __builtin_trap();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(buf) struct buf file = {0};
    struct medium medium = {.ctx = &file, .list = list_lent, .open = open_bytes, .read = read_file};
    struct bundle *b;
    struct err e;
    if (len == 0)
        return 0;
    buf_add(&file, bytes, len);
    mend(&file);
    if (bundle_open_on(&medium, NAME, &b, &e))
        return 0;
    struct taken taken = {.bundle = b};
    const struct bundle_taker taker = {.take = take_member, .ctx = &taken};
    if (bundle_read_metadata(b, &taker, &e) && bundle_check(b, 1, NULL, &e) == 0)
        __builtin_trap(); /* what checks as good can be read */
    if (bundle_check(b, 1, NULL, &e) == 0 && bundle_check(b, 2, NULL, &e))
        __builtin_trap(); /* the same bytes, the same answer */
    bundle_close(b);
    return 0;
}
