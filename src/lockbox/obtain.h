/* SPDX-License-Identifier: Apache-2.0
 *
 * A lockbox from the cloud into the store: its signed roles first, verified against the pinned roots before
 * anything is kept; then the packages that they name, and what compose files among them name; last the record
 * by which the store knows the lockbox. Interrupted at any moment, the same call goes on where it stopped.
 */
#ifndef AIRLOCK_LOCKBOX_OBTAIN_H
#define AIRLOCK_LOCKBOX_OBTAIN_H

#include "base/progress.h"
#include "cloud/cloud.h"
#include "lockbox/container_obtain.h"
#include "lockbox/judge.h"
#include "store/memory.h"

/* Roots that were pinned at this first contact, so that people can compare them; by enum pin_repo. */
struct obtain_contact {
    bool pinned[2];
    enum pin_origin origin[2];
    uint8_t fingerprint[2][HASH_SIZE]; /* SHA-256 of their canonical form */
};

struct obtain_request {
    const char *profile, *name;
    const struct pins *trust; /* everything must verify from its `first` roots, too; where none are pinned,
                                 these are from then on. NULL: none */
    int64_t now;
    struct container_options containers;
    struct progress *progress;
    struct obtain_contact *contact; /* filled when roots are pinned, also where the packages then fail */
};

struct obtained {
    char *lockbox;
    int64_t version;
    uint64_t bytes; /* of all targets */
    size_t targets;
    size_t images;        /* of containers */
    uint64_t image_bytes; /* of their tarballs */
    char *platforms;      /* "linux/arm64, …" where devices choose among images; NULL: nothing to choose */
    int64_t valid_until;
    char *valid_until_role;
};

/* Errors: what refusal_check() says of the roles; ERR_ROOT_CHANGED and ERR_ROLLBACK against what this
 * computer knows of the account (history.h), which is not changed then; those of the cloud, of fetch_files(),
 * of fetch_ostree() and of container_obtain(). */
must_check int obtain_lockbox(struct cloud *cloud, const struct store *s, const struct obtain_request *r,
                              struct obtained *ret, struct err *e);
void obtained_free(struct obtained *o);

#endif
