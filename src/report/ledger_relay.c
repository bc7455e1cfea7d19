/* SPDX-License-Identifier: Apache-2.0 */
#include "report/ledger_internal.h"

#include "base/mem.h"

/* In SQL: what counts as sent. The values of an enum in a file are never changed. */
_Static_assert(RELAY_UNKNOWN == 0 && RELAY_ACCEPTED == 1, "the statements below name them by number");
#define SENT "outcome IN (0, 1)"

static void bind_relay(sqlite3_stmt *insert, const struct ledger_relay *r)
{
    sql_bind_text(insert, 1, r->profile);
    sql_bind_text(insert, 2, r->uuid);
    sqlite3_bind_int64(insert, 3, r->entry);
    sqlite3_bind_int64(insert, 4, r->counter);
    sql_bind_text(insert, 5, r->gateway);
    sqlite3_bind_int64(insert, 6, r->at);
}

/* One statement, and so nobody comes in between: of two airlocks one claims it. */
int ledger_begin_relay(struct ledger *l, const struct ledger_relay *relay, bool again, int64_t *ret_id,
                       bool *ret_claimed, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *insert = NULL;
    if (sql_prepare(l->db,
                    "INSERT INTO relays(profile, uuid, entry, counter, gateway, at, outcome, status, answer) "
                    "SELECT ?1, ?2, ?3, ?4, ?5, ?6, 0, 0, x'' WHERE NOT EXISTS("
                    "SELECT 1 FROM relays WHERE uuid = ?2 AND " SENT " AND counter >= ?4 "
                    "AND NOT (?7 AND entry = ?3 AND outcome = 0))",
                    &insert, e))
        return -1;
    bind_relay(insert, relay);
    sqlite3_bind_int(insert, 7, again);
    if (sql_do(insert, e))
        return -1;
    *ret_claimed = sqlite3_changes(l->db) > 0;
    *ret_id = *ret_claimed ? sqlite3_last_insert_rowid(l->db) : 0;
    return 0;
}

int ledger_end_relay(struct ledger *l, int64_t id, enum relay_outcome outcome, int status, const void *answer,
                     size_t len, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *update = NULL;
    if (sql_prepare(l->db, "UPDATE relays SET outcome = ?, status = ?, answer = ? WHERE id = ?", &update, e))
        return -1;
    sqlite3_bind_int(update, 1, (int)outcome);
    sqlite3_bind_int(update, 2, status);
    sql_bind_bytes(update, 3, answer, len);
    sqlite3_bind_int64(update, 4, id);
    return sql_do(update, e);
}

int ledger_put_seen(struct ledger *l, int64_t id, const char *seen, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *update = NULL;
    if (sql_prepare(l->db, "UPDATE relays SET seen = ? WHERE id = ?", &update, e))
        return -1;
    sql_bind_text(update, 1, seen);
    sqlite3_bind_int64(update, 2, id);
    return sql_do(update, e);
}

int ledger_last_seen(struct ledger *l, const char *uuid, char **ret, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    bool row;
    if (sql_prepare(l->db,
                    "SELECT seen FROM relays WHERE uuid = ? AND seen IS NOT NULL ORDER BY id DESC LIMIT 1",
                    &ask, e))
        return -1;
    sql_bind_text(ask, 1, uuid);
    if (sql_step(ask, &row, e))
        return -1;
    *ret = row ? mem_strdup(sql_text(ask, 0)) : NULL;
    return 0;
}

int ledger_mark_overtaken(struct ledger *l, const struct ledger_relay *relay, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *insert = NULL;
    if (sql_prepare(l->db,
                    "INSERT INTO relays(profile, uuid, entry, counter, gateway, at, outcome, status, answer) "
                    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, x'')",
                    &insert, e))
        return -1;
    bind_relay(insert, relay);
    sqlite3_bind_int(insert, 7, RELAY_OVERTAKEN);
    return sql_do(insert, e);
}

int ledger_relay_outcome(struct ledger *l, const char *uuid, int64_t entry, enum relay_outcome *ret,
                         struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    bool row;
    if (sql_prepare(l->db, "SELECT outcome FROM relays WHERE uuid = ? AND entry = ? ORDER BY id DESC LIMIT 1",
                    &ask, e))
        return -1;
    sql_bind_text(ask, 1, uuid);
    sqlite3_bind_int64(ask, 2, entry);
    if (sql_step(ask, &row, e))
        return -1;
    *ret = row ? (enum relay_outcome)sqlite3_column_int(ask, 0) : RELAY_WAITING;
    return 0;
}

int ledger_last_relayed(struct ledger *l, const char *uuid, int64_t *ret, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    bool row;
    if (sql_prepare(l->db, "SELECT coalesce(max(counter), -1) FROM relays WHERE uuid = ? AND " SENT, &ask, e))
        return -1;
    sql_bind_text(ask, 1, uuid);
    if (sql_step(ask, &row, e))
        return -1;
    *ret = row ? sqlite3_column_int64(ask, 0) : -1;
    return 0;
}

int ledger_each_relay(struct ledger *l, int64_t entry,
                      int (*each)(void *ctx, const struct ledger_relay *, struct err *), void *ctx,
                      struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *list = NULL;
    bool row;
    if (sql_prepare(l->db,
                    "SELECT profile, uuid, counter, gateway, at, outcome, status, answer FROM relays "
                    "WHERE entry = ? ORDER BY id",
                    &list, e))
        return -1;
    sqlite3_bind_int64(list, 1, entry);
    for (;;) {
        if (sql_step(list, &row, e))
            return -1;
        if (!row)
            return 0;
        const struct ledger_relay relay = {
            .entry = entry,
            .profile = sql_text(list, 0),
            .uuid = sql_text(list, 1),
            .counter = sqlite3_column_int64(list, 2),
            .gateway = sql_text(list, 3),
            .at = sqlite3_column_int64(list, 4),
            .outcome = (enum relay_outcome)sqlite3_column_int(list, 5),
            .status = sqlite3_column_int(list, 6),
            .answer = sqlite3_column_blob(list, 7),
            .answer_len = (size_t)sqlite3_column_bytes(list, 7),
        };
        if (each(ctx, &relay, e))
            return -1;
    }
}
