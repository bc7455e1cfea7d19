/* SPDX-License-Identifier: Apache-2.0 */
#include "report/ledger_internal.h"

#include "base/mem.h"

int ledger_find_device(struct ledger *l, const char *profile, const char *serial, char **ret_uuid,
                       char **ret_name, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    bool row;
    if (sql_prepare(l->db, "SELECT uuid, name FROM cloud_devices WHERE profile = ? AND serial = ?", &ask, e))
        return -1;
    sql_bind_text(ask, 1, profile);
    sql_bind_text(ask, 2, serial);
    if (sql_step(ask, &row, e))
        return -1;
    *ret_uuid = row ? mem_strdup(sql_text(ask, 0)) : NULL;
    *ret_name = row ? mem_strdup(sql_text(ask, 1)) : NULL;
    return 0;
}

int ledger_find_serial(struct ledger *l, const char *profile, const char *uuid, char **ret_serial,
                       char **ret_name, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    bool row;
    if (sql_prepare(l->db,
                    "SELECT serial, name FROM cloud_devices WHERE profile = ? AND lower(uuid) = lower(?) "
                    "ORDER BY at DESC LIMIT 1",
                    &ask, e))
        return -1;
    sql_bind_text(ask, 1, profile);
    sql_bind_text(ask, 2, uuid);
    if (sql_step(ask, &row, e))
        return -1;
    *ret_serial = row ? mem_strdup(sql_text(ask, 0)) : NULL;
    *ret_name = row ? mem_strdup(sql_text(ask, 1)) : NULL;
    return 0;
}

int ledger_remember_device(struct ledger *l, const char *profile, const char *serial, const char *uuid,
                           const char *name, int64_t now, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *insert = NULL;
    if (sql_prepare(
            l->db,
            "INSERT INTO cloud_devices(profile, serial, uuid, name, at) VALUES(?, ?, ?, ?, ?) ON CONFLICT "
            "DO UPDATE SET uuid = excluded.uuid, name = excluded.name, at = excluded.at",
            &insert, e))
        return -1;
    sql_bind_text(insert, 1, profile);
    sql_bind_text(insert, 2, serial);
    sql_bind_text(insert, 3, uuid);
    sql_bind_text(insert, 4, name);
    sqlite3_bind_int64(insert, 5, now);
    return sql_do(insert, e);
}

int ledger_knows_device(struct ledger *l, const char *profile, const char *uuid, int64_t since, bool *ret,
                        struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    if (sql_prepare(l->db, "SELECT 1 FROM cloud_devices WHERE profile = ? AND uuid = ? AND at >= ?", &ask, e))
        return -1;
    sql_bind_text(ask, 1, profile);
    sql_bind_text(ask, 2, uuid);
    sqlite3_bind_int64(ask, 3, since);
    return sql_step(ask, ret, e);
}

int ledger_begin_publishing(struct ledger *l, const char *profile, const char *uuid, const char *former,
                            const char *text, int64_t now, int64_t *ret_id, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *insert = NULL;
    if (sql_prepare(l->db,
                    "INSERT INTO published(profile, uuid, former, text, at, done) VALUES(?, ?, ?, ?, ?, 0)",
                    &insert, e))
        return -1;
    sql_bind_text(insert, 1, profile);
    sql_bind_text(insert, 2, uuid);
    sql_bind_text(insert, 3, former);
    sql_bind_text(insert, 4, text);
    sqlite3_bind_int64(insert, 5, now);
    if (sql_do(insert, e))
        return -1;
    *ret_id = sqlite3_last_insert_rowid(l->db);
    return 0;
}

int ledger_end_publishing(struct ledger *l, int64_t id, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *update = NULL;
    if (sql_prepare(l->db, "UPDATE published SET done = 1 WHERE id = ?", &update, e))
        return -1;
    sqlite3_bind_int64(update, 1, id);
    return sql_do(update, e);
}
