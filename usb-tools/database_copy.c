/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/database_copy.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"

#define COPY_NAME "copy.db"

/* Steps of SQLite's machine after which a statement is ended: some seconds, where reading all that the limits
 * let in takes one. */
#define STEPS_MAX 200000000
#define STEPS_AT_ONCE 1000000
#define STATEMENT_MAX 65536 /* bytes, also of a statement in the schema: a client's have some hundred */

static int make_folder(char **ret_path, int *ret_fd, struct err *e);
static void remove_folder(const char *path, int fd);
static int copy_all(int from, const char *name, int to, bool *ret_unfinished, struct err *e);
static int recover(int folder, struct err *e);
static int open_copy(int folder, struct database_copy *ret, struct err *e);

int database_copy_open(int dirfd, const char *name, struct database_copy *ret, struct err *e)
{
    AUTO_FREE char *path = NULL;
    AUTO_FD int folder = -1;
    bool unfinished;
    if (make_folder(&path, &folder, e))
        return -1;
    int rc = copy_all(dirfd, name, folder, &unfinished, e);
    if (rc == 0 && unfinished)
        rc = recover(folder, e);
    if (rc == 0)
        rc = open_copy(folder, ret, e);
    remove_folder(path, folder);
    return rc;
}

void database_copy_free(struct database_copy *copy)
{
    sqlite3_close_v2(copy->db);
    free(copy->steps_left);
    *copy = (struct database_copy){0};
}

/* ---- the copy ---- */

static int make_folder(char **ret_path, int *ret_fd, struct err *e)
{
    const char *base = getenv("TMPDIR");
    AUTO_FREE char *path = mem_format("%s/airlock-XXXXXX", base && *base == '/' ? base : "/tmp");
    if (!mkdtemp(path))
        return err_errno(e, ERR_SYSTEM, "cannot make a temporary folder '%s'", path);
    if (fs_open_dir(path, ret_fd, e))
        return -1;
    *ret_path = steal_ptr(path);
    return 0;
}

/* What cannot be removed is the system's to clean, as everything below the folder for temporary files. */
static void remove_folder(const char *path, int fd)
{
    static const char *const ends[] = {"", "-journal", "-wal", "-shm"};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        AUTO_FREE char *name = mem_format(COPY_NAME "%s", ends[i]);
        unlinkat(fd, name, 0);
    }
    rmdir(path);
}

/* In pieces, up to where the file ended when it was opened. */
static int copy_bytes(int from, int to, uint64_t size, struct err *e)
{
    AUTO(buf) struct buf chunk = {0};
    for (uint64_t at = 0; at < size;) {
        size_t n = size - at < 1u << 20 ? (size_t)(size - at) : 1u << 20;
        if (fs_read_all(from, buf_reserve(&chunk, n), n, at, e) || fs_write_all(to, chunk.data, n, e))
            return -1;
        at += n;
    }
    return 0;
}

static int copy_file(int from, const char *name, int to, const char *as, bool *ret_there, struct err *e)
{
    AUTO_FD int in = -1;
    AUTO_FD int out = -1;
    struct stat st;
    *ret_there = false;
    if (fs_open_at(from, name, O_RDONLY, 0, &in, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    if (fstat(in, &st))
        return err_errno(e, ERR_MEDIUM_IO, "cannot stat '%s'", name);
    if (st.st_size > DATABASE_FILE_MAX)
        return err_set(e, ERR_TOO_LARGE, "'%s' is larger than %u MiB", name, DATABASE_FILE_MAX >> 20);
    if (fs_open_at(to, as, O_WRONLY | O_CREAT | O_EXCL, 0600, &out, e))
        return -1;
    if (copy_bytes(in, out, (uint64_t)st.st_size, e))
        return err_context(e, "'%s'", name);
    *ret_there = true;
    return 0;
}

/* A journal may end in the name of a super-journal, which belongs to transactions over several databases.
 * SQLite would open the file of that name, wherever it is, and delete it. No client's log needs that. (File
 * format of SQLite, "The Rollback Journal"; the name's end is marked by the journal's own magic.) */
static int check_journal(int fd, struct err *e)
{
    static const uint8_t magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    uint8_t end[sizeof magic];
    AUTO_FD int journal = -1;
    struct stat st;
    if (fs_open_at(fd, COPY_NAME "-journal", O_RDONLY, 0, &journal, e))
        return -1;
    if (fstat(journal, &st))
        return err_errno(e, ERR_SYSTEM, "cannot stat the copy of the journal");
    if (st.st_size < (off_t)sizeof end)
        return 0;
    if (fs_read_all(journal, end, sizeof end, (uint64_t)st.st_size - sizeof end, e))
        return -1;
    if (st.st_size >= 16 && !memcmp(end, magic, sizeof end))
        return err_set(e, ERR_BAD_UPDATE_LOG, "its journal names another file");
    return 0;
}

/* The database and what belongs to it. *ret_unfinished: a transaction was under way. */
static int copy_all(int from, const char *name, int to, bool *ret_unfinished, struct err *e)
{
    AUTO_FREE char *journal = mem_format("%s-journal", name);
    AUTO_FREE char *wal = mem_format("%s-wal", name);
    bool there, has_journal, has_wal;
    if (copy_file(from, name, to, COPY_NAME, &there, e))
        return -1;
    if (!there)
        return err_set(e, ERR_NO_SUCH_PATH, "there is no '%s'", name);
    if (copy_file(from, journal, to, COPY_NAME "-journal", &has_journal, e) ||
        copy_file(from, wal, to, COPY_NAME "-wal", &has_wal, e))
        return -1;
    *ret_unfinished = has_journal || has_wal;
    return has_journal ? check_journal(to, e) : 0;
}

/* ---- opening ---- */

static int refuse(sqlite3 *db, int code, struct err *e)
{
    return err_set(e, ERR_BAD_UPDATE_LOG, "SQLite: %s", db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

/* The settings that SQLite's own page on files of unknown origin asks for, and the limits. */
static void tame(sqlite3 *db)
{
    sqlite3_extended_result_codes(db, 1);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, DATABASE_VALUE_MAX);
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, STATEMENT_MAX);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_VDBE_OP, 100000);
}

static int count_steps(void *ctx)
{
    unsigned *left = ctx;
    return *left == 0 || --*left == 0;
}

static int open_with(int folder, const char *query, int flags, struct database_copy *ret, struct err *e)
{
    AUTO(database_copy) struct database_copy copy = {.steps_left = mem_zeroed(1, sizeof *copy.steps_left)};
    AUTO_FREE char *uri = mem_format("file:/proc/self/fd/%d/" COPY_NAME "%s", folder, query);
    *copy.steps_left = STEPS_MAX / STEPS_AT_ONCE;
    int code = sqlite3_open_v2(uri, &copy.db, flags | SQLITE_OPEN_URI, NULL);
    if (code == SQLITE_OK)
        tame(copy.db);
    if (code == SQLITE_OK)
        code = sqlite3_exec(copy.db, "PRAGMA cell_size_check=ON", NULL, NULL, NULL);
    if (code)
        return refuse(copy.db, code, e);
    sqlite3_progress_handler(copy.db, STEPS_AT_ONCE, count_steps, copy.steps_left);
    *ret = copy;
    copy = (struct database_copy){0};
    return 0;
}

/* Ends what the device had begun: the journal's old pages back, or the WAL's new ones in. Nothing here asks
 * for the schema, which is not checked yet. */
static int recover(int folder, struct err *e)
{
    AUTO(database_copy) struct database_copy copy = {0};
    if (open_with(folder, "", SQLITE_OPEN_READWRITE, &copy, e))
        return -1;
    int code =
        sqlite3_exec(copy.db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA schema_version", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_wal_checkpoint_v2(copy.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return code ? refuse(copy.db, code, e) : 0;
}

/* SQLite reads the whole schema before it says anything, and a hostile one of 200 MiB keeps it busy for
 * hours. A client's fits the first page, which is then a leaf. (File format of SQLite, "B-tree Pages": the
 * type stands after the header of 100 bytes.) */
static int check_first_page(int folder, struct err *e)
{
    enum { HEADER_SIZE = 100, TABLE_LEAF = 0x0d };
    uint8_t start[HEADER_SIZE + 1];
    AUTO_FD int fd = -1;
    struct stat st;
    if (fs_open_at(folder, COPY_NAME, O_RDONLY, 0, &fd, e))
        return -1;
    if (fstat(fd, &st))
        return err_errno(e, ERR_SYSTEM, "cannot stat the copy");
    if (st.st_size < (off_t)sizeof start)
        return err_set(e, ERR_BAD_UPDATE_LOG, "it is shorter than a database");
    if (fs_read_all(fd, start, sizeof start, 0, e))
        return -1;
    if (start[HEADER_SIZE] != TABLE_LEAF)
        return err_set(e, ERR_BAD_UPDATE_LOG,
                       "it is no database, or its list of tables is longer than a page");
    return 0;
}

static int open_copy(int folder, struct database_copy *ret, struct err *e)
{
    if (check_first_page(folder, e))
        return -1;
    return open_with(folder, "?immutable=1", SQLITE_OPEN_READONLY, ret, e);
}
