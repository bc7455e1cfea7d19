/* SPDX-License-Identifier: Apache-2.0
 *
 * The one question: is this lockbox valid by the Uptane standard, and what would the device do with it? A
 * pure function of bytes, trust and time: no file, no network, no clock.
 *
 *     struct verdict_input in = {.files = …, .trust = …, .now = …};
 *     AUTO(verdict) struct verdict v = {0};
 *     if (verdict_decide(&in, &v, e)) …   // -1 only for errors of ours; bad metadata is in v.problems
 *
 * "valid" is the standard, strictly. "outcome" is the device's: it may install what we call invalid (its
 * parser is lenient) and refuse what is valid (its limits). Both are derived from v.problems: each names the
 * role and says whether the device refuses for it.
 */
#ifndef AIRLOCK_UPTANE_VERDICT_H
#define AIRLOCK_UPTANE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/hash.h"

/* One signed file as it lies in metadata/: "director/1.root.json", "director/offline-snapshot.json",
 * "director/<lockbox>.json", "image-repo/snapshot.json" … The un-versioned director/root.json may be there
 * too. */
struct verdict_file {
    const char *path;
    const uint8_t *bytes;
    size_t len;
};

struct verdict_trust {
    const uint8_t *director_root,
        *image_root; /* a root of any version, or NULL: start from the lowest that is there */
    size_t director_root_len, image_root_len;
};

struct device; /* uptane/device.h */

struct verdict_input {
    const struct verdict_file *files;
    size_t file_count;
    struct verdict_trust trust;
    int64_t now;                     /* the time at which the device decides */
    const struct device *device;     /* what is known of it; NULL: it is fresh */
    const char *const *hardware_ids; /* without a device that names its ECUs: first the primary's, then those
                                        behind it; none: those that the lockbox names are taken for granted */
    size_t hardware_id_count;
    const char
        *lockbox; /* NULL: the one that the device would take, the first of the snapshot that is there */
};

enum verdict_outcome { VERDICT_INSTALL, VERDICT_REFUSE, VERDICT_NOTHING };

struct verdict_problem {
    enum err_id id;
    char *role;    /* path of the file: "director/offline-snapshot.json"; "" where none can be named */
    char *message; /* names role, key id, version, date as they matter; escaped text */
    char *hint;    /* what to do; "" where nothing is known */
    bool device_refuses;
    bool breaks_validity; /* false: the standard has nothing against it, only the device has */
};

enum verdict_repo { REPO_DIRECTOR, REPO_IMAGE };

struct verdict_role {
    char *path;
    enum verdict_repo repo;
    char *
        name; /* "root", "offline-snapshot", the lockbox's name, "snapshot", "targets", a delegation's name */
    int64_t version;
    int64_t expires;
    bool good;                 /* signatures, version, hash and date all hold */
    bool device_reads;         /* its date counts for valid_until */
    uint8_t sha256[HASH_SIZE]; /* of the bytes as they stand */
};

struct verdict_target {
    char *name;
    uint8_t sha256[HASH_SIZE];
    uint64_t length;
    char **hardware_ids;
    size_t hardware_id_count;
    bool is_ostree;     /* what the cloud means: the image repository's targetFormat, else the lockbox's, else
                           length 0 */
    char *package_name; /* custom.name, custom.version, custom.uri of the image repository's entry; NULL where
                           absent */
    char *package_version;
    char *uri;      /* NULL where absent or empty */
    bool wanted;    /* for hardware of the device, which does not have it yet */
    bool installed; /* the device has it already */
    bool differs;   /* the device has something else of this name installed, and refuses */
};

struct verdict {
    bool valid;
    enum verdict_outcome outcome;
    char *lockbox; /* NULL where none was found */
    int64_t lockbox_version;
    char *correlation_id; /* "urn:tdx-ota:lockbox:<name>:<version>:<12 hex>", NULL without snapshot entry */
    int64_t
        valid_until; /* the earliest expiry of a role that the device checks; INT64_MAX where there is none */
    char *valid_until_role;
    struct verdict_role *roles;
    size_t role_count;
    struct verdict_target *targets;
    size_t target_count;
    struct verdict_problem *problems;
    size_t problem_count;
    char **assumed; /* one sentence each */
    size_t assumed_count;
    const struct device *device; /* the input's */
    /* newest root of each chain that verified: what is pinned next; indexes into files, -1 where none */
    int newest_root[2];
};

/* "director" or "image-repo": the folder of its roles. */
const char *verdict_folder(enum verdict_repo repo);

must_check int verdict_decide(const struct verdict_input *in, struct verdict *ret, struct err *e);
/* Who can renew the role with this path when it ends, and what comes then: a sentence without a full stop.
 * `lockbox` may be NULL where it is unknown. */
const char *verdict_renewal(const char *role_path, const char *lockbox);
void verdict_free(struct verdict *v);

#endif
