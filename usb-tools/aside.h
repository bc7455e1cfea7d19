/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder that is built aside and appears under its final name by one rename. A device that polls for the
 * final name sees nothing, or the old folder, or the new one, whole.
 *
 *     AUTO(aside) struct aside a = {0};
 *     if (aside_begin(&a, dirfd, "update", e)) …
 *     … write beneath a.fd …
 *     if (aside_commit(&a, e)) …         // without it the part is removed at the end of the scope
 *
 * An older folder is replaced only when it is a lockbox directory (metadata/, images/, the client's log,
 * nothing else), and by an exchange where the file system can; else by two renames, and a crash between them
 * is mended by the next aside_begin(). The database in which the stock client logs its installs
 * (update-logs.db) moves on into the new folder: it may be the only copy.
 */
#ifndef AIRLOCK_USB_ASIDE_H
#define AIRLOCK_USB_ASIDE_H

#include "base/err.h"

struct aside {
    int parent_fd;
    int fd;       /* the folder that is being built; locked against a second airlock */
    char *name;   /* final */
    char *part;   /* until then: ".<name>.part" */
    char *former; /* the replaced folder for a moment: ".<name>.old" */
};

/* Whatever an earlier, killed run left under the temporary names is removed. Errors: ERR_ALREADY_EXISTS when
 * something other than a lockbox directory stands under the final name; ERR_STORE_LOCKED when another airlock
 * builds the same. */
must_check int aside_begin(struct aside *ret, int dirfd, const char *name, struct err *e);
/* Flushes the file system, renames, flushes the folder. */
must_check int aside_commit(struct aside *a, struct err *e);
void aside_free(struct aside *a);

#endif
