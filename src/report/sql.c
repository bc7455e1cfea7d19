/* SPDX-License-Identifier: Apache-2.0 */
#include "report/sql.h"

static enum err_id id_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return ERR_NO_SPACE;
    case SQLITE_READONLY:
        return ERR_READ_ONLY;
    case SQLITE_IOERR:
        return ERR_MEDIUM_IO;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_STORE_LOCKED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_BAD_LEDGER;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return ERR_SYSTEM;
    default:
        return ERR_INTERNAL;
    }
}

int sql_error(sqlite3 *db, struct err *e)
{
    return err_set(e, id_of(sqlite3_errcode(db)), "the ledger of reports: %s", sqlite3_errmsg(db));
}

int sql_run(sqlite3 *db, const char *text, struct err *e)
{
    return sqlite3_exec(db, text, NULL, NULL, NULL) ? sql_error(db, e) : 0;
}

int sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **ret, struct err *e)
{
    return sqlite3_prepare_v2(db, text, -1, ret, NULL) ? sql_error(db, e) : 0;
}

int sql_step(sqlite3_stmt *statement, bool *ret_row, struct err *e)
{
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return sql_error(sqlite3_db_handle(statement), e);
    *ret_row = code == SQLITE_ROW;
    return 0;
}

int sql_do(sqlite3_stmt *statement, struct err *e)
{
    bool row;
    if (sql_step(statement, &row, e))
        return -1;
    sqlite3_reset(statement);
    return 0;
}

void sql_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

void sql_bind_bytes(sqlite3_stmt *statement, int at, const void *bytes, size_t n)
{
    sqlite3_bind_blob64(statement, at, bytes ? bytes : "", n, SQLITE_STATIC);
}

const char *sql_text(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}
