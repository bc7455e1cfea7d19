/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite as the ledger uses it: a statement that frees itself, and errors in our words. For files of our own;
 * those of a stick are read by usb-tools/database_copy.
 */
#ifndef AIRLOCK_REPORT_SQL_H
#define AIRLOCK_REPORT_SQL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

static inline void sql_statement_free(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}
#define AUTO_STATEMENT __attribute__((cleanup(sql_statement_free)))

/* What SQLite said last, as one of our errors; always -1. */
int sql_error(sqlite3 *db, struct err *e);
must_check int sql_run(sqlite3 *db, const char *text, struct err *e);
must_check int sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **ret, struct err *e);
/* *ret_row: there is one. */
must_check int sql_step(sqlite3_stmt *statement, bool *ret_row, struct err *e);
/* For a statement without rows: runs it and makes it ready to be bound again. */
must_check int sql_do(sqlite3_stmt *statement, struct err *e);

/* Text, or null for NULL; bytes. Valid until the statement is bound anew. */
void sql_bind_text(sqlite3_stmt *statement, int at, const char *text);
void sql_bind_bytes(sqlite3_stmt *statement, int at, const void *bytes, size_t n);
/* Text of a column, NULL for null; owned by the statement. */
const char *sql_text(sqlite3_stmt *statement, int column);

#endif
