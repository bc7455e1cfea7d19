/* SPDX-License-Identifier: Apache-2.0
 *
 * The .lockbox bundle, seen from outside: write one from members, open one, check it, take members out of it.
 * The bytes are in SPEC.md; the parts in head.h, index.h, frame.h, …; nobody else includes those. No network,
 * no Uptane, no USB.
 *
 * Writing:  bundle_write() – payload volume, read back, renamed; head, read back, renamed (that rename is the
 * commit). Reading:  bundle_open() authenticates H, S and I before any decompressor or tar reader sees a
 * byte; bundle_read_metadata() for the signed roles; bundle_check() and bundle_extract() for all members, in
 * parallel, each frame's hash before it is decompressed and each content's hash before its file counts.
 */
#ifndef AIRLOCK_BUNDLE_BUNDLE_H
#define AIRLOCK_BUNDLE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/progress.h"
#include "base/several.h"
#include "bundle-format/medium.h"
#include "bundle-format/member.h"
#include "crypto/sign_key.h"

/* ---- writing ---- */

struct bundle_options {
    int level;             /* zstd level for data that compresses; 0: BUNDLE_LEVEL_DEFAULT */
    unsigned workers;      /* compressing threads; 0: one per core, fewer where memory is short */
    uint64_t memory;       /* bytes for contexts and frames; 0: BUNDLE_MEMORY_DEFAULT */
    bool single;           /* one file: the head and the payload volumes concatenated */
    uint64_t volume_bytes; /* a payload volume ends before; 0: BUNDLE_VOLUME_DEFAULT */
    bool keep_cache;       /* tests only: read back without dropping the page cache */
};
#define BUNDLE_LEVEL_DEFAULT 3
#define BUNDLE_MEMORY_DEFAULT (48u << 20)
#define BUNDLE_VOLUME_DEFAULT (4000ull << 20) /* below FAT32's 4 GiB - 1, with room to spare */

struct bundle_loans;

struct bundle_plan {
    const char *manifest_json; /* LOCKBOX.json, written as it stands; its "features" must be known ones */
    size_t manifest_len;
    const struct member *members; /* metadata/… first, then images/…; sorted by path within each */
    size_t member_count;
    const struct sign_key *signer;
    const char *comment; /* trusted comment of the signature, at most 1 KiB; "" for none */
    /* Contents that need not be written; then the manifest has the feature "shared-content". NULL: the bundle
     * stands for itself. */
    const struct bundle_loans *loans;
};

struct bundle_summary {
    uint64_t head_bytes, payload_bytes, raw_bytes;
    size_t frames, contents, members;
};

/* What of the members' contents in images/ lies already in the payload volumes of other bundles in that
 * folder, each proven by reading it; *ret = NULL where there is nothing. A bundle that turns out damaged
 * lends nothing. `name`: of the bundle to be written, which is none of the others. ERR_BUNDLE_LIMIT,
 * ERR_UNSAFE_NAME, ERR_BUNDLE_INCONSISTENT of the members. */
must_check int bundle_loans_find(const struct medium *medium, const char *name, const struct member *members,
                                 size_t member_count, struct progress *progress, struct bundle_loans **ret,
                                 struct err *e);
void bundle_loans_free(struct bundle_loans *l);
/* One borrowed volume. */
struct bundle_loan {
    uint8_t id[16];
    char *file; /* in that folder */
};
size_t bundle_loans_count(const struct bundle_loans *l);
struct bundle_loan bundle_loans_at(const struct bundle_loans *l, size_t i);
/* Bytes of the contents that need not be written. */
uint64_t bundle_loans_bytes(const struct bundle_loans *l);

/* Where a bundle goes: its head's name ("x.lockbox") on a medium. */
struct bundle_place {
    const struct medium *medium;
    const char *name;
};

/* Writes the head and "x.lockbox.001" … to each of the places that are left in `at`, from one reading of the
 * members, compressed once. An older bundle of that name stays whole until the head's rename
 * (docs/decisions/0004). Where it fails either the older bundle or the new one is there, whole, and the same
 * call finishes what is left; -1 where it failed everywhere. Loans and several places exclude each other.
 * Errors: ERR_WRONG_HASH and ERR_WRONG_LENGTH
 * of a member's source, ERR_UNSAFE_NAME, ERR_BUNDLE_LIMIT, ERR_BUNDLE_FEATURE, ERR_BUNDLE_INCONSISTENT of the
 * plan, ERR_BUNDLE_NEEDED (a volume that would be replaced is lent to another bundle), ERR_READ_BACK, and the
 * medium's. */
must_check int bundle_write(const struct bundle_plan *plan, const struct bundle_options *options,
                            const struct bundle_place *places, struct several *at, struct bundle_summary *ret,
                            struct err *e);

/* ---- reading ---- */

struct bundle;

struct bundle_signature {
    uint8_t public_key[SIGN_PUBLIC_SIZE];
    const char *comment; /* NUL-terminated, valid UTF-8; escape before showing */
};

struct bundle_member_info {
    const char *path;
    uint64_t size;
    uint8_t sha256[HASH_SIZE];
};

/* Where a payload volume may be that is not beside the head: on another stick, which somebody has to bring.
 */
struct bundle_elsewhere {
    /* Opens a file of that name; `why`: what spoke against the one it opened before, NULL at first. -1 ends
     * the search. Called from any thread, by one at a time. */
    int (*open)(void *ctx, const char *file, const struct err *why, int *ret_fd, struct err *e);
    void *ctx;
};

/* Opens the head `name` in dirfd, and the payload volumes beside it. Authenticated when it returns 0: the
 * signatures of S hold (at least one there), the index is theirs, F0's hash is H's, and index, LOCKBOX.sha256
 * and M agree. Payload is not read yet. */
must_check int bundle_open(int dirfd, const char *name, struct bundle **ret, struct err *e);
/* The same, but its own volumes that are not there are looked for when they are needed, in the order of their
 * numbers and again for each reading of the whole; only one of them is open at a time. `elsewhere`: NULL for
 * bundle_open(); copied, but for its ctx. */
must_check int bundle_open_from(int dirfd, const char *name, const struct bundle_elsewhere *elsewhere,
                                struct bundle **ret, struct err *e);
void bundle_close(struct bundle *b);

const char *bundle_manifest(const struct bundle *b, size_t *ret_len);
size_t bundle_signature_count(const struct bundle *b);
struct bundle_signature bundle_signature_at(const struct bundle *b, size_t i);
size_t bundle_member_count(const struct bundle *b);
struct bundle_member_info bundle_member_at(const struct bundle *b, size_t i);
/* All of them, by their numbers; to be freed, before the bundle is closed. */
struct bundle_member_info *bundle_list_members(const struct bundle *b);
/* Bytes of all its files as stored, and of all members. */
void bundle_sizes(const struct bundle *b, uint64_t *ret_stored, uint64_t *ret_raw);

/* Gets whole members in order, each checked against its hash; may keep the bytes, leaving *bytes empty. */
struct bundle_taker {
    int (*take)(void *ctx, const char *path, struct buf *bytes, struct err *e);
    void *ctx;
};
/* Every member in metadata/, one after the other, at most 64 MiB in all. Each frame is decompressed once,
 * however its signer cut members into contents. */
must_check int bundle_read_metadata(struct bundle *b, const struct bundle_taker *taker, struct err *e);
/* Reads every byte of every volume: frames, contents, tar headers, LOCKBOX.sha256. */
must_check int bundle_check(struct bundle *b, unsigned workers, struct progress *progress, struct err *e);
/* Receives the content of members in order, from one thread: begin() with the member's number, its bytes in
 * pieces, end() once they have proven to be the member's. A -1 ends the reading. */
struct bundle_sink {
    int (*begin)(void *ctx, size_t member, struct err *e);
    int (*write)(void *ctx, const void *bytes, size_t n, struct err *e);
    int (*end)(void *ctx, struct err *e);
    void *ctx;
};
/* bundle_check(), with somebody who looks at the members of images/. */
must_check int bundle_watch(struct bundle *b, unsigned workers, const struct bundle_sink *sink,
                            struct progress *progress, struct err *e);
/* Writes every member (not LOCKBOX.json and LOCKBOX.sha256) beneath dirfd, an empty folder of the caller's,
 * while checking all that bundle_check() checks; flushed when it returns 0. After -1 the folder holds an
 * unusable part: the caller removes it. */
must_check int bundle_extract(struct bundle *b, int dirfd, unsigned workers, struct progress *progress,
                              struct err *e);

/* Does it borrow contents of other bundles? */
bool bundle_is_shared(const struct bundle *b);
/* Is it one file? */
bool bundle_is_single(const struct bundle *b);

/* The bundle's members as sources for another one, in order; what they deliver is read from the open bundle
 * and checked by whoever takes it. */
struct bundle_parts {
    struct member *members;
    size_t count;
    struct content *contents; /* behind the members */
    struct picked *picked;    /* behind the contents */
    struct picker *picker;
};
void bundle_take_apart(struct bundle *b, struct bundle_parts *ret);
void bundle_parts_free(struct bundle_parts *p);

/* Removes a bundle: its head, then its volumes. ERR_NO_SUCH_PATH, ERR_BUNDLE_NEEDED, or the medium's. */
must_check int bundle_remove(const struct medium *medium, const char *name, struct err *e);

/* A copy can have another form, which the signatures do not notice: all in one file, or head and volumes,
 * which meet where they met when the bundle was made. */
enum bundle_form { BUNDLE_AS_IT_IS, BUNDLE_SINGLE, BUNDLE_SPLIT };

/* Copies the bundle, signatures and all, to the places, read once, and proves its contents on the way as
 * bundle_check() does: payload volumes first, read back, the head last, as bundle_write() does.
 * ERR_BUNDLE_SHARED, ERR_BUNDLE_NEEDED, ERR_BUNDLE_DAMAGED, ERR_READ_BACK, or the medium's. */
must_check int bundle_copy(struct bundle *b, const struct bundle_place *places, struct several *at,
                           enum bundle_form form, struct err *e);

/* Adds a signature to the bundle `b`, open from `name` on that medium, or replaces this key's: proves the
 * contents, and makes a new head, which takes the older one's place by a rename. Payload volumes stay as
 * they are; of a single file, whose payload moves, a copy takes its place. ERR_BUNDLE_LIMIT for one signature
 * too many, ERR_USAGE for a comment of more than 1 KiB or not UTF-8, or what bundle_copy() brings. */
must_check int bundle_countersign(struct bundle *b, const struct medium *where, const char *name,
                                  const struct sign_key *key, const char *comment, struct progress *progress,
                                  struct err *e);

#endif
