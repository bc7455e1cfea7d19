/* SPDX-License-Identifier: Apache-2.0 */
#include "report/ledger_internal.h"

#include "crypto/hash.h"

static int insert_entry(struct ledger *l, const struct ledger_entry *entry, int64_t at, const uint8_t *sha256,
                        bool *ret_new, struct err *e);
static int find_entry(struct ledger *l, const struct ledger_entry *entry, const uint8_t *sha256,
                      int64_t *ret_id, struct err *e);
static int insert_sighting(struct ledger *l, int64_t entry, const struct ledger_sighting *seen,
                           struct err *e);

int ledger_add(struct ledger *l, const struct ledger_entry *entry, const struct ledger_sighting *seen,
               int64_t *ret_id, bool *ret_new, struct err *e)
{
    uint8_t sha256[HASH_SIZE];
    hash_of(entry->bytes, entry->len, sha256);
    if (insert_entry(l, entry, seen->at, sha256, ret_new, e) || find_entry(l, entry, sha256, ret_id, e))
        return -1;
    return insert_sighting(l, *ret_id, seen, e);
}

/* What makes an entry that one. */
static void bind_identity(sqlite3_stmt *statement, const struct ledger_entry *entry, const uint8_t *sha256)
{
    sqlite3_bind_int(statement, 1, (int)entry->kind);
    sql_bind_text(statement, 2, entry->serial);
    sqlite3_bind_int64(statement, 3, entry->counter);
    sql_bind_bytes(statement, 4, sha256, HASH_SIZE);
}

static int insert_entry(struct ledger *l, const struct ledger_entry *entry, int64_t at, const uint8_t *sha256,
                        bool *ret_new, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *insert = NULL;
    if (sql_prepare(l->db,
                    "INSERT INTO entries(kind, serial, counter, sha256, bytes, added_at) "
                    "VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT(kind, serial, counter, sha256) DO NOTHING",
                    &insert, e))
        return -1;
    bind_identity(insert, entry, sha256);
    sql_bind_bytes(insert, 5, entry->bytes, entry->len);
    sqlite3_bind_int64(insert, 6, at);
    if (sql_do(insert, e))
        return -1;
    *ret_new = sqlite3_changes(l->db) > 0;
    return 0;
}

static int find_entry(struct ledger *l, const struct ledger_entry *entry, const uint8_t *sha256,
                      int64_t *ret_id, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *find = NULL;
    bool row;
    if (sql_prepare(l->db,
                    "SELECT id FROM entries WHERE kind = ? AND serial = ? AND counter = ? AND sha256 = ?",
                    &find, e))
        return -1;
    bind_identity(find, entry, sha256);
    if (sql_step(find, &row, e))
        return -1;
    if (!row)
        return err_set(e, ERR_INTERNAL, "the ledger of reports lost an entry");
    *ret_id = sqlite3_column_int64(find, 0);
    return 0;
}

static int insert_sighting(struct ledger *l, int64_t entry, const struct ledger_sighting *seen, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *insert = NULL;
    if (sql_prepare(l->db,
                    "INSERT INTO sightings(entry, stick, path, row, device, at) VALUES(?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET at = min(at, excluded.at)",
                    &insert, e))
        return -1;
    sqlite3_bind_int64(insert, 1, entry);
    sql_bind_text(insert, 2, seen->stick);
    sql_bind_text(insert, 3, seen->path);
    sqlite3_bind_int64(insert, 4, seen->row);
    sql_bind_text(insert, 5, seen->device);
    sqlite3_bind_int64(insert, 6, seen->at);
    return sql_do(insert, e);
}

int ledger_add_line(struct ledger *l, int64_t entry, int64_t time_us, const char *service,
                    const char *message, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *insert = NULL;
    if (sql_prepare(l->db,
                    "INSERT INTO lines(entry, time_us, service, message) VALUES(?, ?, ?, ?) "
                    "ON CONFLICT DO NOTHING",
                    &insert, e))
        return -1;
    sqlite3_bind_int64(insert, 1, entry);
    sqlite3_bind_int64(insert, 2, time_us);
    sql_bind_text(insert, 3, service);
    sql_bind_text(insert, 4, message);
    return sql_do(insert, e);
}

/* ---- reading ---- */

int ledger_each(struct ledger *l, int (*each)(void *ctx, const struct ledger_entry *, struct err *),
                void *ctx, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *list = NULL;
    bool row;
    if (sql_prepare(l->db, "SELECT id, kind, serial, counter, bytes, added_at FROM entries ORDER BY id",
                    &list, e))
        return -1;
    for (;;) {
        if (sql_step(list, &row, e))
            return -1;
        if (!row)
            return 0;
        const struct ledger_entry entry = {
            .id = sqlite3_column_int64(list, 0),
            .kind = (enum entry_kind)sqlite3_column_int(list, 1),
            .serial = sql_text(list, 2),
            .counter = sqlite3_column_int64(list, 3),
            .bytes = sqlite3_column_blob(list, 4),
            .len = (size_t)sqlite3_column_bytes(list, 4),
            .added_at = sqlite3_column_int64(list, 5),
        };
        if (each(ctx, &entry, e))
            return -1;
    }
}

int ledger_read(struct ledger *l, int64_t entry, struct buf *ret, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    bool row;
    if (sql_prepare(l->db, "SELECT bytes FROM entries WHERE id = ?", &ask, e))
        return -1;
    sqlite3_bind_int64(ask, 1, entry);
    if (sql_step(ask, &row, e))
        return -1;
    if (!row)
        return err_set(e, ERR_INTERNAL, "the ledger of reports has no entry %lld", (long long)entry);
    buf_clear(ret);
    buf_add(ret, sqlite3_column_blob(ask, 0), (size_t)sqlite3_column_bytes(ask, 0));
    return 0;
}

int ledger_each_sighting(struct ledger *l, int64_t entry,
                         int (*each)(void *ctx, const struct ledger_sighting *, struct err *), void *ctx,
                         struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *list = NULL;
    bool row;
    if (sql_prepare(l->db,
                    "SELECT stick, path, row, device, at FROM sightings WHERE entry = ? "
                    "ORDER BY at, stick, path, row, device",
                    &list, e))
        return -1;
    sqlite3_bind_int64(list, 1, entry);
    for (;;) {
        if (sql_step(list, &row, e))
            return -1;
        if (!row)
            return 0;
        const struct ledger_sighting seen = {
            .stick = sql_text(list, 0),
            .path = sql_text(list, 1),
            .row = sqlite3_column_int64(list, 2),
            .device = sql_text(list, 3),
            .at = sqlite3_column_int64(list, 4),
        };
        if (each(ctx, &seen, e))
            return -1;
    }
}

int ledger_each_line(struct ledger *l, int64_t entry,
                     int (*each)(void *ctx, int64_t time_us, const char *service, const char *message,
                                 struct err *),
                     void *ctx, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *list = NULL;
    bool row;
    if (sql_prepare(l->db, "SELECT time_us, service, message FROM lines WHERE entry = ? ORDER BY time_us",
                    &list, e))
        return -1;
    sqlite3_bind_int64(list, 1, entry);
    for (;;) {
        if (sql_step(list, &row, e))
            return -1;
        if (!row)
            return 0;
        if (each(ctx, sqlite3_column_int64(list, 0), sql_text(list, 1), sql_text(list, 2), e))
            return -1;
    }
}

int ledger_first_line(struct ledger *l, int64_t entry, int64_t *ret_time_us, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    bool row;
    if (sql_prepare(l->db,
                    "SELECT time_us FROM lines WHERE entry = ? AND time_us > ? ORDER BY time_us LIMIT 1",
                    &ask, e))
        return -1;
    sqlite3_bind_int64(ask, 1, entry);
    sqlite3_bind_int64(ask, 2, INT64_MIN); /* a line of which that is not known */
    if (sql_step(ask, &row, e))
        return -1;
    *ret_time_us = row ? sqlite3_column_int64(ask, 0) : INT64_MAX;
    return 0;
}

int ledger_is_completed(struct ledger *l, int64_t entry, bool *ret, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    if (sql_prepare(l->db,
                    "SELECT 1 FROM sightings AS a JOIN sightings AS b USING(stick, path, row, device) "
                    "JOIN entries AS m ON m.id = b.entry WHERE a.entry = ?1 AND m.kind = ?2 LIMIT 1",
                    &ask, e))
        return -1;
    sqlite3_bind_int64(ask, 1, entry);
    sqlite3_bind_int(ask, 2, ENTRY_MANIFEST);
    return sql_step(ask, ret, e);
}
