/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/head.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "bundle-format/wire.h"

#define SKIPPABLE_START (FRAME_SKIP_HEADER + FRAME_TAG)
#define ALGORITHM_ED25519 1
#define SIGN_CONTEXT "LBX-SIG-1"

void head_add(struct buf *to, const struct head *head)
{
    size_t start = to->len;
    frame_add_skippable(to, HEAD_TAG, HEAD_SIZE - SKIPPABLE_START);
    wire_add_u16(to, HEAD_VERSION_MAJOR);
    wire_add_u16(to, HEAD_VERSION_MINOR);
    wire_add_u32(to, 0); /* flags */
    buf_add(to, head->bundle_id, BUNDLE_ID_SIZE);
    buf_add(to, head->first_frame, HASH_SIZE);
    wire_add_zeros(to, start + HEAD_SIZE - to->len);
}

int head_parse(const uint8_t bytes[HEAD_SIZE], struct head *ret, struct err *e)
{
    uint64_t len;
    struct head head;
    struct cursor c = {.at = bytes + SKIPPABLE_START, .left = HEAD_SIZE - SKIPPABLE_START};
    if (!frame_is_skippable(bytes, HEAD_TAG, &len))
        return err_set(e, ERR_NOT_A_BUNDLE, "no bundle head follows its first frame");
    uint16_t major = cursor_u16(&c), minor = cursor_u16(&c);
    if (major != HEAD_VERSION_MAJOR || minor > HEAD_VERSION_MINOR)
        return err_set(e, ERR_BUNDLE_VERSION, "format %u.%u; this version reads up to %d.%d", major, minor,
                       HEAD_VERSION_MAJOR, HEAD_VERSION_MINOR);
    uint32_t flags = cursor_u32(&c);
    if (flags)
        return err_set(e, ERR_BUNDLE_FEATURE, "unknown flags %#x", flags);
    cursor_copy(&c, head.bundle_id, BUNDLE_ID_SIZE);
    cursor_copy(&c, head.first_frame, HASH_SIZE);
    if (len != HEAD_SIZE || !cursor_zeros(&c, c.left))
        return err_set(e, ERR_BUNDLE_DAMAGED, "the head is damaged");
    *ret = head;
    return 0;
}

/* "LBX-SIG-1" ‖ algorithm ‖ public key ‖ SHA-256(H) ‖ SHA-256(I) ‖ comment length ‖ comment */
static void add_signed_message(struct buf *to, const struct head_digests *digests, const uint8_t *public_key,
                               const void *comment, uint16_t comment_len)
{
    buf_add_text(to, SIGN_CONTEXT);
    buf_add_char(to, ALGORITHM_ED25519);
    buf_add(to, public_key, SIGN_PUBLIC_SIZE);
    buf_add(to, digests->head, HASH_SIZE);
    buf_add(to, digests->index, HASH_SIZE);
    wire_add_u16(to, comment_len);
    buf_add(to, comment, comment_len);
}

static int add_entry(struct buf *to, const struct head_digests *digests, const struct sign_key *key,
                     const char *comment, struct err *e)
{
    AUTO(buf) struct buf message = {0};
    uint8_t signature[SIGN_SIZE];
    size_t len = strlen(comment);
    if (len > LIMIT_COMMENT || !utf8_valid(comment, len))
        return err_set(e, ERR_USAGE, "the signature's comment must be UTF-8 of at most %u bytes",
                       LIMIT_COMMENT);
    add_signed_message(&message, digests, key->public_key, comment, (uint16_t)len);
    sign_make(key, message.data, message.len, signature);
    buf_add_char(to, ALGORITHM_ED25519);
    buf_add(to, key->public_key, SIGN_PUBLIC_SIZE);
    wire_add_u16(to, (uint16_t)len);
    buf_add(to, comment, len);
    buf_add(to, signature, SIGN_SIZE);
    return 0;
}

int head_add_signature(struct buf *to, const struct head_digests *digests, const struct sign_key *key,
                       const char *comment, struct err *e)
{
    AUTO(buf) struct buf entry = {0};
    if (add_entry(&entry, digests, key, comment, e))
        return -1;
    frame_add_skippable(to, SIGN_TAG, entry.len);
    buf_add(to, entry.data, entry.len);
    return 0;
}

/* The entries of a verified S but those of this key. */
static size_t keep_others(struct buf *to, const uint8_t *signatures, size_t len, const struct sign_key *key)
{
    struct cursor c = {.at = signatures + SKIPPABLE_START, .left = len - SKIPPABLE_START};
    size_t kept = 0;
    while (c.left > 0 && !c.failed) {
        const uint8_t *entry = c.at;
        cursor_u8(&c);
        const uint8_t *public_key = cursor_take(&c, SIGN_PUBLIC_SIZE);
        cursor_take(&c, cursor_u16(&c));
        cursor_take(&c, SIGN_SIZE);
        if (c.failed || !memcmp(public_key, key->public_key, SIGN_PUBLIC_SIZE))
            continue;
        buf_add(to, entry, (size_t)(c.at - entry));
        kept++;
    }
    return kept;
}

int head_countersign(struct buf *to, const void *signatures, size_t len, const struct head_digests *digests,
                     const struct sign_key *key, const char *comment, struct err *e)
{
    AUTO(buf) struct buf entries = {0};
    if (keep_others(&entries, signatures, len, key) >= LIMIT_SIGNATURES)
        return err_set(e, ERR_BUNDLE_LIMIT, "it has %u signatures, as many as a bundle can have",
                       LIMIT_SIGNATURES);
    if (add_entry(&entries, digests, key, comment, e))
        return -1;
    frame_add_skippable(to, SIGN_TAG, entries.len);
    buf_add(to, entries.data, entries.len);
    return 0;
}

static bool has_key(const struct head_signatures *s, const uint8_t *public_key)
{
    for (size_t i = 0; i < s->count; i++)
        if (!memcmp(s->list[i].public_key, public_key, SIGN_PUBLIC_SIZE))
            return true;
    return false;
}

/* Reads and verifies one entry; adds it to s. */
static int check_entry(struct cursor *c, const struct head_digests *digests, struct head_signatures *s,
                       struct err *e)
{
    AUTO(buf) struct buf message = {0};
    uint8_t algorithm = cursor_u8(c);
    if (algorithm != ALGORITHM_ED25519)
        return err_set(e, ERR_BUNDLE_FEATURE, "a signature by the unknown algorithm %u", algorithm);
    const uint8_t *public_key = cursor_take(c, SIGN_PUBLIC_SIZE);
    uint16_t comment_len = cursor_u16(c);
    const uint8_t *comment = cursor_take(c, comment_len);
    const uint8_t *signature = cursor_take(c, SIGN_SIZE);
    if (c->failed)
        return err_set(e, ERR_BUNDLE_DAMAGED, "a signature is cut short");
    if (s->count == LIMIT_SIGNATURES || comment_len > LIMIT_COMMENT)
        return err_set(e, ERR_BUNDLE_LIMIT, "too many signatures or too long a comment");
    add_signed_message(&message, digests, public_key, comment, comment_len);
    if (!sign_check(public_key, message.data, message.len, signature))
        return err_set(e, ERR_BUNDLE_SIGNATURE, "a signature does not match head and index");
    if (has_key(s, public_key))
        return err_set(e, ERR_BUNDLE_SIGNATURE, "two signatures by the same key");
    if (memchr(comment, '\0', comment_len) || !utf8_valid(comment, comment_len))
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "a signature's comment is not text");

    struct head_signature *entry = &s->list[s->count++];
    memcpy(entry->public_key, public_key, SIGN_PUBLIC_SIZE);
    entry->comment = mem_strndup(comment, comment_len);
    return 0;
}

int head_check_signatures(const uint8_t *bytes, size_t len, const struct head_digests *digests,
                          struct head_signatures *ret, struct err *e)
{
    AUTO(head_signatures) struct head_signatures s = {0};
    uint64_t frame_len;
    if (len < SKIPPABLE_START || !frame_is_skippable(bytes, SIGN_TAG, &frame_len) || frame_len != len)
        return err_set(e, ERR_BUNDLE_DAMAGED, "no signatures follow the head");
    struct cursor c = {.at = bytes + SKIPPABLE_START, .left = len - SKIPPABLE_START};
    while (c.left > 0)
        if (check_entry(&c, digests, &s, e))
            return -1;
    if (s.count == 0)
        return err_set(e, ERR_BUNDLE_SIGNATURE, "nobody signed it");
    *ret = s;
    s = (struct head_signatures){0};
    return 0;
}

void head_signatures_free(struct head_signatures *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->list[i].comment);
    *s = (struct head_signatures){0};
}

void head_add_volume(struct buf *to, const struct volume_id *v)
{
    size_t start = to->len;
    frame_add_skippable(to, VOLUME_TAG, VOLUME_SIZE - SKIPPABLE_START);
    buf_add(to, v->id, BUNDLE_ID_SIZE);
    wire_add_u16(to, v->number);
    wire_add_zeros(to, start + VOLUME_SIZE - to->len);
}

int head_parse_volume(const uint8_t bytes[VOLUME_SIZE], struct volume_id *ret, struct err *e)
{
    uint64_t len;
    struct volume_id v;
    struct cursor c = {.at = bytes + SKIPPABLE_START, .left = VOLUME_SIZE - SKIPPABLE_START};
    cursor_copy(&c, v.id, BUNDLE_ID_SIZE);
    v.number = cursor_u16(&c);
    if (!frame_is_skippable(bytes, VOLUME_TAG, &len) || len != VOLUME_SIZE || !cursor_zeros(&c, c.left))
        return err_set(e, ERR_BUNDLE_DAMAGED, "the start of a volume is damaged");
    *ret = v;
    return 0;
}
