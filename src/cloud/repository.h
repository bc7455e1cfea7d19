/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed roles by name, as exact bytes: which URL each has in director and image repository, how large it may
 * be, and fetching a set of them side by side.
 */
#ifndef AIRLOCK_CLOUD_REPOSITORY_H
#define AIRLOCK_CLOUD_REPOSITORY_H

#include "base/buf.h"
#include "cloud/cloud.h"

/* Twice what a device reads, so that "too large for the device" can be told from "absurd": image targets and
 * delegations, and all others (the device's own limit is 64 KiB; newer ones read a larger offline snapshot).
 */
#define REPOSITORY_TARGETS_MAX (16u << 20)
#define REPOSITORY_ROLE_MAX (1u << 20)

enum repository { REPOSITORY_DIRECTOR, REPOSITORY_IMAGE };

struct role_request {
    enum repository repository;
    char *
        file; /* "root.json", "3.root.json", "offline-snapshot.json", "timestamp.json", "<delegation>.json" */
    bool is_lockbox; /* director: "<lockbox>.json" among the offline updates */
    struct buf ret_bytes;
    bool ret_is_missing; /* the server has none */
};
void role_request_free(struct role_request *r);

/* "[A-Za-z0-9_-]+", fewer than 254 characters, and no name of another role: else ERR_NO_SUCH_LOCKBOX. */
must_check int repository_check_lockbox_name(const char *name, struct err *e);
/* Fetches n roles in any order. A role that the server does not have is no error. `limit`: bytes of all
 * together, ERR_TOO_LARGE beyond. */
must_check int repository_fetch(struct cloud *c, struct role_request *requests, size_t n, size_t limit,
                                struct err *e);

#endif
