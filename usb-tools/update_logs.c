/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/update_logs.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "usb-tools/database_copy.h"

struct column {
    const char *table, *name;
};

/* What is read. Other tables and columns may be there: a newer client will have them. */
static const struct column columns[] = {
    {"installs", "id"},      {"installs", "device_id"},      {"installs", "name"},
    {"installs", "version"}, {"installs", "report_counter"}, {"installs", "manifest"},
    {"logs", "install_id"},  {"logs", "timestamp"},          {"logs", "service"},
    {"logs", "message"},
};

/* A table, row by row: `list` gives the row ids, `pick` the values of one. A row whose bytes are damaged, or
 * whose values are too large, then costs only itself. NOT INDEXED, since an index may say something else. */
struct table {
    const char *name, *list, *pick;
    unsigned rows_max;
    int (*read)(sqlite3_stmt *row, const struct update_logs_reader *reader, struct err *e);
};

static int check_schema(sqlite3 *db, struct err *e);
static int read_table(sqlite3 *db, const struct table *table, const struct update_logs_reader *reader,
                      struct err *e);
static int read_install(sqlite3_stmt *row, const struct update_logs_reader *reader, struct err *e);
static int read_line(sqlite3_stmt *row, const struct update_logs_reader *reader, struct err *e);

static const struct table installs = {
    .name = "installs",
    .list = "SELECT rowid FROM installs NOT INDEXED ORDER BY rowid",
    .pick = "SELECT id, device_id, name, version, report_counter, manifest FROM installs NOT INDEXED WHERE "
            "rowid = ?",
    .rows_max = UPDATE_INSTALLS_MAX,
    .read = read_install,
};
static const struct table lines = {
    .name = "logs",
    .list = "SELECT rowid FROM logs NOT INDEXED ORDER BY rowid",
    .pick = "SELECT install_id, timestamp, service, message FROM logs NOT INDEXED WHERE rowid = ?",
    .rows_max = UPDATE_LINES_MAX,
    .read = read_line,
};

int update_logs_read(int dirfd, const char *name, const struct update_logs_reader *reader, struct err *e)
{
    AUTO(database_copy) struct database_copy copy = {0};
    if (database_copy_open(dirfd, name, &copy, e) || check_schema(copy.db, e) ||
        read_table(copy.db, &installs, reader, e))
        return -1;
    return reader->line ? read_table(copy.db, &lines, reader, e) : 0;
}

/* ---- statements ---- */

static void statement_free(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}
#define AUTO_STATEMENT __attribute__((cleanup(statement_free)))

static int refuse(sqlite3 *db, struct err *e)
{
    return err_set(e, ERR_BAD_UPDATE_LOG, "SQLite: %s", sqlite3_errmsg(db));
}

static int prepare(sqlite3 *db, const char *text, sqlite3_stmt **ret, struct err *e)
{
    return sqlite3_prepare_v2(db, text, -1, ret, NULL) ? refuse(db, e) : 0;
}

/* ---- the schema ---- */

/* A table with row ids, no view and nothing virtual; a plain column, none that is computed. */
static const char has_column[] =
    "SELECT count(*) FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c "
    "WHERE t.schema = 'main' AND t.type = 'table' AND t.wr = 0 AND t.name = ?1 AND c.name = ?2 AND c.hidden "
    "= 0";

static int check_schema(sqlite3 *db, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    if (prepare(db, has_column, &ask, e))
        return -1;
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        sqlite3_bind_text(ask, 1, columns[i].table, -1, SQLITE_STATIC);
        sqlite3_bind_text(ask, 2, columns[i].name, -1, SQLITE_STATIC);
        if (sqlite3_step(ask) != SQLITE_ROW)
            return refuse(db, e);
        if (sqlite3_column_int(ask, 0) != 1)
            return err_set(e, ERR_BAD_UPDATE_LOG, "it has no table '%s' with a column '%s'", columns[i].table,
                           columns[i].name);
        sqlite3_reset(ask);
    }
    return 0;
}

/* ---- rows ---- */

static void tell_bad(const struct update_logs_reader *reader, const struct table *table, int64_t id,
                     struct err *e)
{
    err_context(e, "row %lld of '%s'", (long long)id, table->name);
    reader->bad(reader->ctx, e);
}

/* 0, also where the row is bad and was told; -1 where the reader wants no more. */
static int read_row(sqlite3_stmt *pick, int64_t id, const struct table *table,
                    const struct update_logs_reader *reader, struct err *e)
{
    struct err bad = {0};
    sqlite3_bind_int64(pick, 1, id);
    int code = sqlite3_step(pick);
    if (code == SQLITE_ROW && table->read(pick, reader, e))
        bad = *e;
    else if (code != SQLITE_ROW && code != SQLITE_DONE)
        refuse(sqlite3_db_handle(pick), &bad);
    sqlite3_reset(pick);
    if (bad.id == ERR_BAD_UPDATE_LOG)
        tell_bad(reader, table, id, &bad);
    return bad.id && bad.id != ERR_BAD_UPDATE_LOG ? -1 : 0;
}

static int read_table(sqlite3 *db, const struct table *table, const struct update_logs_reader *reader,
                      struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *list = NULL;
    AUTO_STATEMENT sqlite3_stmt *pick = NULL;
    struct err bad = {0};
    unsigned count = 0;
    int code;
    if (prepare(db, table->list, &list, e) || prepare(db, table->pick, &pick, e))
        return -1;
    while ((code = sqlite3_step(list)) == SQLITE_ROW && count++ < table->rows_max)
        if (read_row(pick, sqlite3_column_int64(list, 0), table, reader, e))
            return -1;
    if (code == SQLITE_ROW)
        err_set(&bad, ERR_TOO_LARGE, "'%s' has more than %u rows; the others were not read", table->name,
                table->rows_max);
    else if (code != SQLITE_DONE)
        refuse(db, &bad);
    if (bad.id)
        reader->bad(reader->ctx, &bad);
    return 0;
}

static int wrong_type(const char *what, struct err *e)
{
    return err_set(e, ERR_BAD_UPDATE_LOG, "'%s' is not what a client writes there", what);
}

/* UTF-8 of at most `max` bytes without NUL; NULL for null. */
static int get_text(sqlite3_stmt *row, int column, size_t max, const char **ret, struct err *e)
{
    int type = sqlite3_column_type(row, column);
    *ret = NULL;
    if (type == SQLITE_NULL)
        return 0;
    if (type != SQLITE_TEXT)
        return wrong_type(sqlite3_column_name(row, column), e);
    const char *text = (const char *)sqlite3_column_text(row, column);
    size_t len = (size_t)sqlite3_column_bytes(row, column);
    if (!text || len > max || strlen(text) != len || !utf8_valid(text, len))
        return wrong_type(sqlite3_column_name(row, column), e);
    *ret = text;
    return 0;
}

/* A whole number; `otherwise` for null. */
static int get_number(sqlite3_stmt *row, int column, int64_t otherwise, int64_t *ret, struct err *e)
{
    int type = sqlite3_column_type(row, column);
    if (type != SQLITE_NULL && type != SQLITE_INTEGER)
        return wrong_type(sqlite3_column_name(row, column), e);
    *ret = type == SQLITE_NULL ? otherwise : sqlite3_column_int64(row, column);
    return 0;
}

/* ---- an install ---- */

bool update_logs_split_urn(const char *urn, char **ret_lockbox, int64_t *ret_version)
{
    static const char start[] = "urn:tdx-ota:lockbox:";
    if (strncmp(urn, start, sizeof start - 1) != 0)
        return false;
    const char *name = urn + sizeof start - 1, *hex = strrchr(name, ':'), *version = hex;
    while (version && version > name && version[-1] != ':')
        version--;
    if (!hex || version <= name + 1 || strlen(hex + 1) != 12 || strspn(hex + 1, "0123456789abcdef") != 12)
        return false;
    size_t digits = (size_t)(hex - version);
    if (digits == 0 || digits > 10 || strspn(version, "0123456789") != digits)
        return false;
    *ret_version = strtoll(version, NULL, 10);
    *ret_lockbox = mem_strndup(name, (size_t)(version - 1 - name));
    return true;
}

/* The client writes the correlation id and the number of targets; its documentation says the lockbox's name
 * and version. */
static char *tell_lockbox(struct update_install *install, const char *name, int64_t version)
{
    char *lockbox = NULL;
    if (!name)
        return NULL;
    if (update_logs_split_urn(name, &lockbox, &install->lockbox_version))
        install->correlation = name;
    else {
        lockbox = mem_strdup(name);
        install->lockbox_version = version >= 0 ? version : -1;
    }
    return lockbox;
}

static int read_install(sqlite3_stmt *row, const struct update_logs_reader *reader, struct err *e)
{
    struct update_install install = {.lockbox_version = -1};
    const char *name;
    int64_t version;
    if (get_number(row, 0, -1, &install.id, e) || get_text(row, 1, UPDATE_TEXT_MAX, &install.device, e) ||
        get_text(row, 2, UPDATE_TEXT_MAX, &name, e) || get_number(row, 3, -1, &version, e) ||
        get_number(row, 4, -1, &install.counter, e) ||
        get_text(row, 5, UPDATE_MANIFEST_MAX, &install.manifest, e))
        return -1;
    if (!install.device)
        return wrong_type("device_id", e);
    if (install.manifest)
        install.manifest_len = strlen(install.manifest);
    AUTO_FREE char *lockbox = tell_lockbox(&install, name, version);
    install.lockbox = lockbox;
    return reader->install(reader->ctx, &install, e);
}

/* ---- a line ---- */

/* A text of any length; what is too long is cut, where a character ends. */
static int get_cut_text(sqlite3_stmt *row, int column, char **ret, struct err *e)
{
    const char *text;
    if (get_text(row, column, DATABASE_VALUE_MAX, &text, e))
        return -1;
    size_t len = text ? strlen(text) : 0, end = len;
    if (len > UPDATE_TEXT_MAX)
        for (end = UPDATE_TEXT_MAX; end > UPDATE_TEXT_MAX - 4 && (text[end] & 0xc0) == 0x80;)
            end--;
    *ret = mem_strndup(text ? text : "", end);
    return 0;
}

static int read_line(sqlite3_stmt *row, const struct update_logs_reader *reader, struct err *e)
{
    struct update_line line = {0};
    AUTO_FREE char *service = NULL;
    AUTO_FREE char *message = NULL;
    if (get_number(row, 0, -1, &line.install, e) || get_number(row, 1, INT64_MIN, &line.time_us, e) ||
        get_cut_text(row, 2, &service, e) || get_cut_text(row, 3, &message, e))
        return -1;
    line.service = service;
    line.message = message;
    return reader->line(reader->ctx, &line, e);
}
