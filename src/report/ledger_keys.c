/* SPDX-License-Identifier: Apache-2.0 */
#include "report/ledger_internal.h"

#include "base/mem.h"

int ledger_add_key(struct ledger *l, const struct ecu_key *key, const char *name, int64_t now, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *insert = NULL;
    if (sql_prepare(l->db,
                    "INSERT INTO keys(serial, type, value, name, added_at) VALUES(?, ?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET name = excluded.name WHERE excluded.name != ''",
                    &insert, e))
        return -1;
    sql_bind_text(insert, 1, key->serial);
    sql_bind_text(insert, 2, key->type);
    sql_bind_text(insert, 3, key->value);
    sql_bind_text(insert, 4, name);
    sqlite3_bind_int64(insert, 5, now);
    return sql_do(insert, e);
}

int ledger_load_keys(struct ledger *l, struct ecu_keys *ret, struct err *e)
{
    AUTO(ecu_keys) struct ecu_keys keys = {0};
    AUTO_STATEMENT sqlite3_stmt *list = NULL;
    bool row;
    if (sql_prepare(l->db, "SELECT serial, type, value FROM keys ORDER BY serial, value", &list, e))
        return -1;
    for (;;) {
        struct ecu_key key = {0};
        if (sql_step(list, &row, e))
            return -1;
        if (!row)
            break;
        if (ecu_key_make(sql_text(list, 0), sql_text(list, 1), sql_text(list, 2), &key, e))
            return err_context(e, "a key of the ledger of reports");
        ecu_keys_add(&keys, &key);
    }
    *ret = keys;
    keys = (struct ecu_keys){0};
    return 0;
}

int ledger_device_name(struct ledger *l, const char *serial, char **ret, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    bool row;
    if (sql_prepare(l->db, "SELECT name FROM keys WHERE serial = ? AND name != '' ORDER BY added_at LIMIT 1",
                    &ask, e))
        return -1;
    sql_bind_text(ask, 1, serial);
    if (sql_step(ask, &row, e))
        return -1;
    *ret = row ? mem_strdup(sql_text(ask, 0)) : NULL;
    return 0;
}

int ledger_has_helper(struct ledger *l, const char *hex, bool *ret, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    /* a helper's key is its serial; that of an ECU, though enrolled, has no say in requests */
    if (sql_prepare(l->db, "SELECT 1 FROM keys WHERE serial = ? AND lower(value) = serial AND name != ''",
                    &ask, e))
        return -1;
    sql_bind_text(ask, 1, hex);
    return sql_step(ask, ret, e);
}

/* ---- requests ---- */

int ledger_last_request(struct ledger *l, const char *hex, int64_t *ret, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    bool row;
    if (sql_prepare(l->db, "SELECT sequence FROM requests WHERE key = ?", &ask, e))
        return -1;
    sql_bind_text(ask, 1, hex);
    if (sql_step(ask, &row, e))
        return -1;
    *ret = row ? sqlite3_column_int64(ask, 0) : 0;
    return 0;
}

int ledger_use_request(struct ledger *l, const char *hex, int64_t sequence, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *insert = NULL;
    if (sql_prepare(l->db,
                    "INSERT INTO requests(key, sequence) VALUES(?, ?) ON CONFLICT DO UPDATE SET sequence = "
                    "excluded.sequence WHERE excluded.sequence > sequence",
                    &insert, e))
        return -1;
    sql_bind_text(insert, 1, hex);
    sqlite3_bind_int64(insert, 2, sequence);
    return sql_do(insert, e);
}
