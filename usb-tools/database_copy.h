/* SPDX-License-Identifier: Apache-2.0
 *
 * A SQLite database from a stick, as a private copy. The file is hostile: it is copied into a folder of its
 * own, with the journal or WAL that lies beside it, each at most so large; SQLite sees the copy alone. What a
 * device left half-written is rolled back there (or taken over from the WAL), and then the copy is opened as
 * immutable: from there on nothing is written, and no other file is looked for.
 *
 *     AUTO(database_copy) struct database_copy copy = {0};
 *     if (database_copy_open(dirfd, "update-logs.db", &copy, e)) …
 *     … sqlite3_prepare_v2(copy.db, …) …
 *
 * The connection obeys no trigger, view, extension or function of the file's schema, reads no value above
 * DATABASE_VALUE_MAX, and ends a statement that works for too long.
 */
#ifndef AIRLOCK_USB_DATABASE_COPY_H
#define AIRLOCK_USB_DATABASE_COPY_H

#include "base/err.h"

struct sqlite3;

#define DATABASE_FILE_MAX (256u << 20) /* bytes, of each file: far above any log that a device wrote */
#define DATABASE_VALUE_MAX (2u << 20)  /* bytes of one text: a manifest has at most 1 MiB */

struct database_copy {
    struct sqlite3 *db;   /* its file has no name any more: nothing is left behind, whatever happens */
    unsigned *steps_left; /* before statements are ended */
};

/* ERR_NO_SUCH_PATH where there is none; ERR_TOO_LARGE; ERR_UNSAFE_NAME for a link or what is no file;
 * ERR_BAD_UPDATE_LOG for what SQLite does not take. */
must_check int database_copy_open(int dirfd, const char *name, struct database_copy *ret, struct err *e);
void database_copy_free(struct database_copy *copy);

#endif
