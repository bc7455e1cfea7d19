/* SPDX-License-Identifier: Apache-2.0
 *
 * What is remembered of a repository besides its roots, so that a later fetch can tell that it was led back
 * in time: the newest snapshot that ever verified, with everything that it listed. (The director's snapshot
 * is the offline snapshot, which lists lockboxes; the image repository's lists targets and delegations.) Also
 * how its first root came to be pinned.
 *
 * One small JSON file in the state folder, trust/<profile>/memory.json, replaced durably as a whole. Who
 * reads and then saves it holds pins_lock(). What is older than what is judged in lockbox/replay.
 */
#ifndef AIRLOCK_STORE_MEMORY_H
#define AIRLOCK_STORE_MEMORY_H

#include <stdbool.h>

#include "store/pins.h"

enum pin_origin {
    ORIGIN_UNKNOWN,     /* pinned by a version that did not note it */
    ORIGIN_CREDENTIALS, /* credentials.zip carried it, and the cloud served the same */
    ORIGIN_CLOUD,       /* the cloud served it, over TLS */
    ORIGIN_FOLDER,      /* --trust DIR, and the cloud served the same */
};

struct memory_entry {
    char *file; /* "pump-7.json": as the snapshot lists it */
    int64_t version;
    bool has_sha256;
    uint8_t sha256[HASH_SIZE]; /* of the canonical form of the whole file */
};

struct memory_repo {
    enum pin_origin origin;
    int64_t pinned_at;             /* seconds since the epoch; 0: not known */
    int64_t version;               /* of the snapshot; 0: none was seen */
    uint8_t content[HASH_SIZE];    /* SHA-256 of the canonical form of what is signed in it */
    uint8_t (*signers)[HASH_SIZE]; /* SHA-256 of the canonical form of each key that might sign it then */
    size_t signer_count;
    struct memory_entry *entries; /* in the order of their names */
    size_t count;
};

struct memory {
    struct memory_repo repos[2]; /* by enum pin_repo */
};

/* Nothing remembered is no error. ERR_BAD_CONFIG where the file cannot be read: it is never taken for an
 * empty one. */
must_check int memory_load(const struct store *s, const char *profile, struct memory *ret, struct err *e);
must_check int memory_save(const struct store *s, const char *profile, const struct memory *m, struct err *e);
/* Forgets the snapshot, not how the root was pinned. */
void memory_forget_snapshot(struct memory_repo *r);
void memory_free(struct memory *m);

#endif
