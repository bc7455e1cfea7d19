/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalogue part of a snapshot: "meta" names files with their version and, where the repository gives
 * them, hashes and length. The director's offline snapshot lists lockboxes, the image repository's snapshot
 * its targets and delegations.
 *
 * Hashes are those of the canonical form of the whole file, so a file that was formatted anew on its way
 * still matches. For the same reason a length that differs counts only if it fits neither the file as it lies
 * here nor its canonical form, which is as long as what the cloud serves.
 */
#ifndef AIRLOCK_UPTANE_SNAPSHOT_H
#define AIRLOCK_UPTANE_SNAPSHOT_H

#include "uptane/role.h"

struct snapshot_entry {
    const char *file; /* "targets.json"; not NUL-terminated */
    size_t file_len;
    size_t name_len; /* without ".json" */
    int64_t version;
    int64_t length; /* -1 where it gives none */
    bool has_sha256, has_sha512;
    uint8_t sha256[HASH_SIZE], sha512[HASH_512_SIZE];
};

/* Every entry, or ERR_BAD_ROLE: a name that does not end in ".json", a version that is none, a name in
 * another case than a role that is fixed (at which the device's client stops), hashes of wrong form. */
must_check int snapshot_check(const struct role *snapshot, struct err *e);
size_t snapshot_count(const struct role *snapshot);
/* Entry i in the order in which the device goes through them (the bytes of their names). After
 * snapshot_check(). */
void snapshot_at(const struct role *snapshot, size_t i, struct snapshot_entry *ret);
bool snapshot_find(const struct role *snapshot, const char *file, struct snapshot_entry *ret);

/* Holds a role against its entry. `device_reads_hash`: the image repository's side; for a lockbox the device
 * compares the version only. True unless the standard is violated. */
bool snapshot_confirms(const struct snapshot_entry *entry, const struct role *role, bool device_reads_hash,
                       struct flaws *flaws);

#endif
