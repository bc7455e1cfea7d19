/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/mem.h"
#include "report/ledger_internal.h"

int ledger_find_fleet(struct ledger *l, const char *profile, const char *word, struct ledger_fleet *ret,
                      struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    bool row;
    if (sql_prepare(l->db,
                    "SELECT fleet, name, at FROM fleets WHERE profile = ?1 AND (fleet = ?2 OR name = ?2) "
                    "ORDER BY fleet = ?2 DESC LIMIT 1",
                    &ask, e))
        return -1;
    sql_bind_text(ask, 1, profile);
    sql_bind_text(ask, 2, word);
    if (sql_step(ask, &row, e))
        return -1;
    *ret = (struct ledger_fleet){0};
    if (row)
        *ret = (struct ledger_fleet){.id = mem_strdup(sql_text(ask, 0)),
                                     .name = mem_strdup(sql_text(ask, 1)),
                                     .at = sqlite3_column_int64(ask, 2)};
    return 0;
}

void ledger_fleet_free(struct ledger_fleet *f)
{
    free(f->id);
    free(f->name);
    *f = (struct ledger_fleet){0};
}

int ledger_each_fleet_device(struct ledger *l, const char *profile, const char *fleet,
                             void (*each)(void *ctx, const char *uuid, const char *name, const char *id),
                             void *ctx, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *list = NULL;
    bool row;
    if (sql_prepare(l->db,
                    "SELECT uuid, name, id FROM fleet_devices WHERE profile = ? AND fleet = ? "
                    "ORDER BY name, uuid",
                    &list, e))
        return -1;
    sql_bind_text(list, 1, profile);
    sql_bind_text(list, 2, fleet);
    for (;;) {
        if (sql_step(list, &row, e))
            return -1;
        if (!row)
            return 0;
        each(ctx, sql_text(list, 0), sql_text(list, 1), sql_text(list, 2));
    }
}

static int drop(struct ledger *l, const char *text, const char *profile, const char *which, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *drop = NULL;
    if (sql_prepare(l->db, text, &drop, e))
        return -1;
    sql_bind_text(drop, 1, profile);
    sql_bind_text(drop, 2, which);
    return sql_do(drop, e);
}

int ledger_put_fleet(struct ledger *l, const char *profile, const struct ledger_fleet *fleet, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *put = NULL;
    if (drop(l, "DELETE FROM fleet_devices WHERE profile = ? AND fleet = ?", profile, fleet->id, e) ||
        drop(l, "DELETE FROM fleets WHERE profile = ? AND name = ?", profile, fleet->name, e) ||
        sql_prepare(l->db, "INSERT OR REPLACE INTO fleets(profile, fleet, name, at) VALUES(?, ?, ?, ?)", &put,
                    e))
        return -1;
    sql_bind_text(put, 1, profile);
    sql_bind_text(put, 2, fleet->id);
    sql_bind_text(put, 3, fleet->name);
    sqlite3_bind_int64(put, 4, fleet->at);
    return sql_do(put, e);
}

int ledger_put_fleet_device(struct ledger *l, const char *profile, const char *fleet, const char *uuid,
                            const char *name, const char *id, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *put = NULL;
    if (sql_prepare(l->db,
                    "INSERT OR REPLACE INTO fleet_devices(profile, fleet, uuid, name, id) "
                    "VALUES(?, ?, ?, ?, ?)",
                    &put, e))
        return -1;
    sql_bind_text(put, 1, profile);
    sql_bind_text(put, 2, fleet);
    sql_bind_text(put, 3, uuid);
    sql_bind_text(put, 4, name);
    sql_bind_text(put, 5, id);
    return sql_do(put, e);
}
