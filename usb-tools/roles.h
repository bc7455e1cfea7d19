/* SPDX-License-Identifier: Apache-2.0
 *
 * The signed roles of one lockbox as exact bytes: from a bundle, from a folder, or added one by one by who
 * has them from elsewhere. Nothing is judged here; uptane/verdict does.
 */
#ifndef AIRLOCK_USB_TOOLS_ROLES_H
#define AIRLOCK_USB_TOOLS_ROLES_H

#include "bundle-format/bundle.h"
#include "uptane/verdict.h"

#define ROLE_BYTES_MAX                                                                                       \
    (16u << 20)                     /* one role: twice what the device reads, so that too large can be told  \
                                     */
#define ROLES_BYTES_MAX (48u << 20) /* all roles of a lockbox: they are held in memory together */
#define ROLES_COUNT_MAX 4096u       /* roots of both chains and delegations */

struct roles {
    struct verdict_file *files; /* paths and bytes are owned */
    size_t count, room;
    size_t total;
};

/* Takes the bytes over. ERR_TOO_LARGE beyond the limits above. */
must_check int roles_add(struct roles *r, const char *path, struct buf *bytes, struct err *e);
/* metadata/director/ and metadata/image-repo/ beneath a lockbox directory; a missing folder holds no roles.
 */
must_check int roles_from_folder(int dirfd, struct roles *ret, struct err *e);
/* For a struct bundle_taker of the members in metadata/, with struct roles: takes those that are roles. */
must_check int roles_take(void *roles, const char *path, struct buf *bytes, struct err *e);
must_check int roles_from_bundle(struct bundle *b, struct roles *ret, struct err *e);
void roles_free(struct roles *r);

#endif
