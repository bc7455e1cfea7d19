/* SPDX-License-Identifier: Apache-2.0
 *
 * What is pinned, for people to compare, and as the folder that an offline device is provisioned with.
 *
 *     if (trust_read(s, NULL, &t, e)) …      // every profile; with a name that one
 *     … show t.profiles …
 *     trust_free(&t);
 *
 * Nothing is asked of the cloud and nothing that is pinned is changed.
 */
#ifndef AIRLOCK_ACCOUNT_TRUST_H
#define AIRLOCK_ACCOUNT_TRUST_H

#include "store/memory.h"
#include "store/root_mark.h"

struct trust_root {
    int64_t version, expires;
    uint8_t fingerprint[HASH_SIZE]; /* SHA-256 of the canonical form of the whole file */
};

struct trust_key {
    char *id;
    const char *type; /* "RSA", "ED25519", "ECDSA P-256"; NULL: of a type that airlock does not know */
};

struct trust_repo {
    bool is_pinned; /* false: nothing below */
    struct trust_root first, newest;
    struct trust_key *keys; /* that sign roots, by the newest */
    size_t key_count;
    int64_t threshold;
    enum pin_origin origin;
    int64_t pinned_at;        /* 0: not known */
    int64_t snapshot_version; /* the highest that was seen; 0: none */
};

struct trust_profile {
    char *name;
    struct trust_repo repos[2]; /* by enum pin_repo */
};

struct trust {
    struct trust_profile *profiles; /* by name; only those that have something pinned */
    size_t count, room;
};

/* ERR_BAD_CONFIG for a file of the state folder that is no root. ERR_NO_PROFILE where a profile is named that
 * has nothing pinned. */
must_check int trust_read(const struct store *s, const char *profile, struct trust *ret, struct err *e);
void trust_free(struct trust *t);

/* Writes dir/director/root.json and dir/repo/root.json, the first pinned roots as they were served, and makes
 * the folders. All of it or nothing; what is there already with the same bytes is left alone.
 * ERR_ALREADY_EXISTS where one of the two has other content; ERR_NO_PROFILE unless both are pinned. *ret
 * describes what was written. */
must_check int trust_export(const struct store *s, const char *profile, const char *dir,
                            struct trust_profile *ret, struct err *e);
void trust_profile_free(struct trust_profile *p);

#endif
