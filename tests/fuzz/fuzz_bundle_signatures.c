/* SPDX-License-Identifier: Apache-2.0
 *
 * S, the signatures of a bundle. The input is a list of entries, each
 *
 *     algorithm u8 | signer u8 | comment length u16 | comment | honest u8
 *
 * which the harness signs, as bundles are signed, over the digests of a head and an index; an entry that is
 * not honest gets a signature of something else. Whether S is good is known from the list, so acceptance can
 * be held against it. The bytes are also tried as an S themselves, with the digests under which the seeds in
 * the corpus hold.
 */
#include <string.h>

#include "base/utf8.h"
#include "bundle-format/head.h"
#include "bundle-format/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define SIGNERS 20u     /* more than may sign */
#define ENTRIES_MAX 18u /* the same */

/* Of what stands for a head and an index. */
static struct head_digests digests;
static struct sign_key keys[SIGNERS];

static void prepare(void)
{
    static bool prepared;
    uint8_t seed[32] = {0};
    if (prepared)
        return;
    hash_of("head", 4, digests.head);
    hash_of("index", 5, digests.index);
    for (seed[0] = 0; seed[0] < SIGNERS; seed[0]++)
        sign_key_from_seed(seed, &keys[seed[0]]);
    prepared = true;
}

struct expectation {
    size_t entries;
    bool good;
    bool signers[SIGNERS];
};

/* Appends an entry as SPEC.md, section 4, has it, and says whether a reader may take it. */
static bool add_entry(struct cursor *c, struct buf *to, struct expectation *x)
{
    AUTO(buf) struct buf message = {0};
    uint8_t algorithm = cursor_u8(c), signer = cursor_u8(c) % SIGNERS, signature[SIGN_SIZE];
    uint16_t wanted = cursor_u16(c), len = wanted < c->left ? wanted : (uint16_t)c->left;
    const uint8_t *comment = cursor_take(c, len);
    bool honest = cursor_u8(c) % 8 != 0, first = !x->signers[signer];
    if (c->failed)
        return true; /* the list ends with the entry before */
    buf_add_text(&message, honest ? "LBX-SIG-1" : "LBX-SIG-2");
    size_t start = to->len;
    buf_add_char(to, (char)algorithm);
    buf_add(to, keys[signer].public_key, SIGN_PUBLIC_SIZE);
    buf_add(&message, to->data + start, to->len - start);
    buf_add(&message, digests.head, HASH_SIZE);
    buf_add(&message, digests.index, HASH_SIZE);
    start = to->len;
    wire_add_u16(to, len);
    buf_add(to, comment, len);
    buf_add(&message, to->data + start, to->len - start);
    sign_make(&keys[signer], message.data, message.len, signature);
    buf_add(to, signature, sizeof signature);
    x->entries++;
    x->signers[signer] = true;
    return honest && first && algorithm == 1 && len <= LIMIT_COMMENT && !memchr(comment, '\0', len) &&
           utf8_valid(comment, len);
}

/* One more signature by key 0: takes the place of its older one. */
static void countersign(const struct buf *frame, const struct expectation *x)
{
    AUTO(buf) struct buf again = {0};
    AUTO(head_signatures) struct head_signatures s = {0};
    struct err e;
    size_t others = x->entries - x->signers[0];
    int rc = head_countersign(&again, frame->data, frame->len, &digests, &keys[0], "seen", &e);
    if ((rc == 0) != (others < LIMIT_SIGNATURES))
        __builtin_trap();
    if (rc == 0 && (head_check_signatures(again.data, again.len, &digests, &s, &e) || s.count != others + 1))
        __builtin_trap();
}

static void try_list(const uint8_t *bytes, size_t len)
{
    AUTO(buf) struct buf entries = {0}, frame = {0};
    AUTO(head_signatures) struct head_signatures s = {0};
    struct expectation x = {.good = true};
    struct cursor c = {.at = bytes, .left = len};
    struct err e;
    while (c.left > 0 && !c.failed && x.entries < ENTRIES_MAX)
        x.good &= add_entry(&c, &entries, &x);
    x.good &= x.entries >= 1 && x.entries <= LIMIT_SIGNATURES;
    frame_add_skippable(&frame, SIGN_TAG, entries.len);
    buf_add(&frame, entries.data, entries.len);
    if ((head_check_signatures(frame.data, frame.len, &digests, &s, &e) == 0) != x.good)
        __builtin_trap();
    if (!x.good)
        return;
    if (s.count != x.entries)
        __builtin_trap();
    countersign(&frame, &x);
    digests.head[0] ^= 1; /* another head: nothing holds */
    if (head_check_signatures(frame.data, frame.len, &digests, &s, &e) == 0)
        __builtin_trap();
    digests.head[0] ^= 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(head_signatures) struct head_signatures s = {0};
    struct err e;
    prepare();
    try_list(bytes, len);
    if (head_check_signatures(bytes, len, &digests, &s, &e) == 0 &&
        (s.count < 1 || s.count > LIMIT_SIGNATURES))
        __builtin_trap();
    return 0;
}
