/* SPDX-License-Identifier: Apache-2.0 */
#include "report/ledger_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include "base/fs.h"
#include "base/mem.h"

#define LEDGER_FOLDER "reports"
#define LEDGER_PATH LEDGER_FOLDER "/ledger.db"
#define WAIT_MS 15000 /* for another airlock: collecting a stick takes a second or two */

/* From version i to i + 1. A step that was in a release is never changed. */
static const char *const migrations[] = {
    "CREATE TABLE entries("
    " id INTEGER PRIMARY KEY,"
    " kind INTEGER NOT NULL,"
    " serial TEXT NOT NULL,"
    " counter INTEGER NOT NULL,"
    " sha256 BLOB NOT NULL,"
    " bytes BLOB NOT NULL,"
    " added_at INTEGER NOT NULL,"
    " UNIQUE(kind, serial, counter, sha256)) STRICT;"
    "CREATE TABLE sightings("
    " entry INTEGER NOT NULL REFERENCES entries(id),"
    " stick TEXT NOT NULL,"
    " path TEXT NOT NULL,"
    " row INTEGER NOT NULL,"
    " device TEXT NOT NULL,"
    " at INTEGER NOT NULL,"
    " PRIMARY KEY(entry, stick, path, row, device)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX sightings_place ON sightings(stick, path, row, device);"
    "CREATE TABLE lines("
    " entry INTEGER NOT NULL REFERENCES entries(id),"
    " time_us INTEGER NOT NULL,"
    " service TEXT NOT NULL,"
    " message TEXT NOT NULL,"
    " PRIMARY KEY(entry, time_us, service, message)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE keys("
    " serial TEXT NOT NULL,"
    " type TEXT NOT NULL,"
    " value TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " added_at INTEGER NOT NULL,"
    " PRIMARY KEY(serial, value)) STRICT, WITHOUT ROWID;",
    "CREATE TABLE cloud_devices("
    " profile TEXT NOT NULL,"
    " serial TEXT NOT NULL,"
    " uuid TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " at INTEGER NOT NULL,"
    " PRIMARY KEY(profile, serial)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE published("
    " id INTEGER PRIMARY KEY,"
    " profile TEXT NOT NULL,"
    " uuid TEXT NOT NULL,"
    " former TEXT NOT NULL,"
    " text TEXT NOT NULL,"
    " at INTEGER NOT NULL,"
    " done INTEGER NOT NULL) STRICT;",
    "CREATE TABLE requests("
    " key TEXT PRIMARY KEY,"
    " sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
    "CREATE TABLE relays("
    " id INTEGER PRIMARY KEY,"
    " profile TEXT NOT NULL,"
    " uuid TEXT NOT NULL,"
    " entry INTEGER NOT NULL REFERENCES entries(id),"
    " counter INTEGER NOT NULL,"
    " gateway TEXT NOT NULL,"
    " at INTEGER NOT NULL,"
    " outcome INTEGER NOT NULL,"
    " status INTEGER NOT NULL,"
    " answer BLOB NOT NULL,"
    " seen TEXT) STRICT;"
    "CREATE INDEX relays_entry ON relays(entry);"
    "CREATE INDEX relays_device ON relays(uuid, counter);",
    "CREATE TABLE fleets("
    " profile TEXT NOT NULL,"
    " fleet TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " at INTEGER NOT NULL,"
    " PRIMARY KEY(profile, fleet)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE fleet_devices("
    " profile TEXT NOT NULL,"
    " fleet TEXT NOT NULL,"
    " uuid TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " id TEXT,"
    " PRIMARY KEY(profile, fleet, uuid)) STRICT, WITHOUT ROWID;",
};

static int open_database(int state_fd, bool make, sqlite3 **ret, struct err *e);
static int migrate(struct ledger *l, struct err *e);

int ledger_open(int state_fd, bool make, struct ledger **ret, struct err *e)
{
    AUTO_LEDGER struct ledger *l = mem_zeroed(1, sizeof *l);
    if (open_database(state_fd, make, &l->db, e) ||
        sql_run(l->db,
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                "PRAGMA trusted_schema=OFF",
                e) ||
        migrate(l, e))
        return -1;
    *ret = steal_ptr(l);
    return 0;
}

void ledger_close(struct ledger **l)
{
    if (!*l)
        return;
    sqlite3_close_v2((*l)->db);
    free(*l);
    *l = NULL;
}

static bool is_there(int state_fd)
{
    struct stat st;
    return state_fd >= 0 && fstatat(state_fd, LEDGER_PATH, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* SQLite takes a path, and the folder may have been named otherwise than it is: /proc leads to the one that
 * is open. */
static int open_database(int state_fd, bool make, sqlite3 **ret, struct err *e)
{
    AUTO_FD int folder = -1;
    if (!make && !is_there(state_fd))
        return err_set(e, ERR_NO_SUCH_PATH, "there is no ledger of reports yet");
    if (fs_open_dir_at(state_fd, LEDGER_FOLDER, make, &folder, e))
        return -1;
    AUTO_FREE char *path = mem_format("/proc/self/fd/%d/ledger.db", folder);
    int flags = SQLITE_OPEN_READWRITE | (make ? SQLITE_OPEN_CREATE : 0);
    if (sqlite3_open_v2(path, ret, flags, NULL))
        return *ret ? sql_error(*ret, e) : err_set(e, ERR_INTERNAL, "SQLite has no memory");
    sqlite3_busy_timeout(*ret, WAIT_MS);
    return 0;
}

int ledger_lock_cloud(int state_fd, int *ret_fd, struct err *e)
{
    AUTO_FD int folder = -1;
    if (fs_open_dir_at(state_fd, LEDGER_FOLDER, true, &folder, e))
        return -1;
    while (flock(folder, LOCK_EX))
        if (errno != EINTR)
            return err_errno(e, ERR_SYSTEM, "cannot lock the ledger of reports");
    *ret_fd = steal_fd(&folder);
    return 0;
}

/* ---- schema ---- */

static int read_version(struct ledger *l, size_t *ret, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *ask = NULL;
    bool row;
    if (sql_prepare(l->db, "PRAGMA user_version", &ask, e) || sql_step(ask, &row, e))
        return -1;
    int version = row ? sqlite3_column_int(ask, 0) : -1;
    if (version < 0 || version > (int)COUNT_OF(migrations))
        return err_set(e, ERR_LEDGER_VERSION,
                       "the ledger of reports is of version %d, this airlock knows %zu", version,
                       COUNT_OF(migrations));
    *ret = (size_t)version;
    return 0;
}

/* All steps in one transaction: another airlock sees the old schema or the new one. */
static int migrate(struct ledger *l, struct err *e)
{
    size_t version;
    if (read_version(l, &version, e))
        return -1;
    if (version == COUNT_OF(migrations))
        return 0;
    if (ledger_begin(l, e) || read_version(l, &version, e)) /* again: it may have been another's */
        return -1;
    for (; version < COUNT_OF(migrations); version++) {
        AUTO_FREE char *mark = mem_format("PRAGMA user_version=%zu", version + 1);
        if (sql_run(l->db, migrations[version], e) || sql_run(l->db, mark, e))
            return -1;
    }
    return ledger_commit(l, e);
}

/* ---- transactions ---- */

int ledger_begin(struct ledger *l, struct err *e)
{
    return sql_run(l->db, "BEGIN IMMEDIATE", e);
}

int ledger_commit(struct ledger *l, struct err *e)
{
    return sql_run(l->db, "COMMIT", e);
}

void ledger_roll_back(struct ledger *l)
{
    sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL); /* refused where SQLite has rolled back by itself */
}
