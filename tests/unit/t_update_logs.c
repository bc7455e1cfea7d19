/* SPDX-License-Identifier: Apache-2.0
 *
 * Real SQLite files, as the stock client writes them and as an attacker would.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/fs.h"
#include "base/mem.h"
#include "usb-tools/database_copy.h"
#include "usb-tools/update_logs.h"

#define SCHEMA                                                                                               \
    "CREATE TABLE version(version);"                                                                         \
    "CREATE TABLE installs(id INTEGER PRIMARY KEY AUTOINCREMENT, device_id TEXT NOT NULL, name TEXT, "       \
    "version INTEGER, report_counter INTEGER, manifest TEXT);"                                               \
    "CREATE TABLE logs(id INTEGER PRIMARY KEY AUTOINCREMENT, install_id INTEGER, timestamp INTEGER, "        \
    "service TEXT, message TEXT);"                                                                           \
    "CREATE TABLE reports(install_id INTEGER, report_id TEXT, timestamp INTEGER, type TEXT, version "        \
    "INTEGER, "                                                                                              \
    "event TEXT, PRIMARY KEY(install_id, report_id));"

struct fixture {
    char folder[40];
    int fd;
    /* what was read */
    struct buf installs, lines;
    size_t install_count, line_count, bad_count;
    struct err bad, error; /* the last row's, and the file's */
};

static int set_up(void **state)
{
    struct err e;
    struct fixture *f = mem_zeroed(1, sizeof *f);
    strcpy(f->folder, "/tmp/airlock-logs-XXXXXX");
    *state = f;
    return !mkdtemp(f->folder) || fs_open_dir(f->folder, &f->fd, &e) || setenv("TMPDIR", f->folder, 1) ? -1
                                                                                                       : 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *command = mem_format("rm -r %s", f->folder);
    buf_free(&f->installs);
    buf_free(&f->lines);
    close(f->fd);
    free(f);
    return system(command);
}

static char *path_of(const struct fixture *f, const char *name)
{
    return mem_format("%s/%s", f->folder, name);
}

static sqlite3 *open_db(const struct fixture *f)
{
    sqlite3 *db;
    AUTO_FREE char *path = path_of(f, UPDATE_LOGS_NAME);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static void run(sqlite3 *db, const char *text)
{
    char *message = NULL;
    if (sqlite3_exec(db, text, NULL, NULL, &message))
        fail_msg("%s", message);
}

/* A log made by these statements. */
static void make(const struct fixture *f, const char *text)
{
    sqlite3 *db = open_db(f);
    run(db, text);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int keep_install(void *ctx, const struct update_install *i, struct err *e)
{
    struct fixture *f = ctx;
    (void)e;
    if (f->install_count++ < 10)
        buf_addf(&f->installs, "%lld %s %s %lld %s %lld %zu|", (long long)i->id, i->device,
                 i->lockbox ? i->lockbox : "-", (long long)i->lockbox_version,
                 i->correlation ? i->correlation : "-", (long long)i->counter, i->manifest_len);
    return 0;
}

static int keep_line(void *ctx, const struct update_line *l, struct err *e)
{
    struct fixture *f = ctx;
    (void)e;
    if (f->line_count++ < 10)
        buf_addf(&f->lines, "%lld %lld %s %s|", (long long)l->install, (long long)l->time_us, l->service,
                 l->message);
    return 0;
}

static void keep_bad(void *ctx, const struct err *e)
{
    struct fixture *f = ctx;
    f->bad = *e;
    f->bad_count++;
}

/* Is the folder for temporary files as empty as before? */
static int refuse_leftover(void *ctx, const char *name, struct err *e)
{
    (void)ctx;
    return strncmp(name, "airlock-", strlen("airlock-")) ? 0 : err_set(e, ERR_INTERNAL, "'%s' is left", name);
}

static void read_logs(struct fixture *f, enum err_id expected)
{
    struct err e = {0};
    const struct update_logs_reader reader = {keep_install, keep_line, keep_bad, f};
    int rc = update_logs_read(f->fd, UPDATE_LOGS_NAME, &reader, &e);
    if (rc == 0)
        e.id = ERR_NONE;
    f->error = e;
    if (e.id != expected)
        fail_msg("%s: %s", rc ? err_name(e.id) : "read", e.message);
    f->bad.id = f->bad_count ? f->bad.id : ERR_NONE;
    assert_return_code(fs_each(f->fd, refuse_leftover, NULL, &e), 0);
}

static void put(const struct fixture *f, const char *name, const void *bytes, size_t n)
{
    struct err e;
    assert_return_code(fs_replace_at(f->fd, name, bytes, n, 0600, &e), 0);
}

static void load(const struct fixture *f, const char *name, struct buf *ret)
{
    struct err e;
    assert_return_code(fs_read_at(f->fd, name, 64u << 20, ret, &e), 0);
}

/* ---- what a client writes ---- */

static void both_meanings_of_name_and_version_are_understood(void **state)
{
    struct fixture *f = *state;
    make(f, SCHEMA "INSERT INTO installs(device_id, name, version, report_counter, manifest) VALUES"
                   "('dev', 'urn:tdx-ota:lockbox:pump:7:3:0123456789ab', 2, 41, '{\"a\":1}'),"
                   "('dev', 'pump-7', 3, 42, NULL), ('dev', NULL, NULL, NULL, NULL),"
                   "('dev', 'urn:tdx-ota:lockbox::3:0123456789ab', 2, 1, NULL);");
    read_logs(f, ERR_NONE);
    assert_string_equal(buf_text(&f->installs),
                        "1 dev pump:7 3 urn:tdx-ota:lockbox:pump:7:3:0123456789ab 41 7|"
                        "2 dev pump-7 3 - 42 0|3 dev - -1 - -1 0|"
                        "4 dev urn:tdx-ota:lockbox::3:0123456789ab 2 - 1 0|");
    assert_int_equal(f->bad_count, 0);
}

static void lines_follow_with_the_install_that_they_belong_to(void **state)
{
    struct fixture *f = *state;
    make(f, SCHEMA "INSERT INTO installs(device_id) VALUES('a'), ('b');"
                   "INSERT INTO logs(install_id, timestamp, service, message) VALUES"
                   "(2, 1764230400000000, 'aktualizr', 'begin'), (1, NULL, NULL, 'x'), (9, 5, 's', NULL);");
    read_logs(f, ERR_NONE);
    assert_string_equal(buf_text(&f->lines),
                        "2 1764230400000000 aktualizr begin|1 -9223372036854775808  x|9 5 s |");
}

static void a_newer_client_may_have_more_tables_and_columns(void **state)
{
    struct fixture *f = *state;
    make(f, SCHEMA "ALTER TABLE installs ADD COLUMN more TEXT DEFAULT 'x'; CREATE TABLE other(a);"
                   "CREATE INDEX i ON installs(device_id); INSERT INTO installs(device_id) VALUES('a');");
    read_logs(f, ERR_NONE);
    assert_int_equal(f->install_count, 1);
}

static void a_long_line_is_cut_where_a_character_ends(void **state)
{
    struct fixture *f = *state;
    make(f, SCHEMA "INSERT INTO logs(install_id, message) VALUES(1, printf('%.*c', 4095, 'x') || 'ää');");
    read_logs(f, ERR_NONE);
    assert_int_equal(f->lines.len, strlen("1 -9223372036854775808  |") + 4095);
}

static void what_a_pulled_stick_left_in_the_journal_is_rolled_back(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) struct buf db_bytes = {0}, journal = {0};
    sqlite3 *db = open_db(f);
    run(db, SCHEMA "INSERT INTO installs(device_id) VALUES('whole');"
                   "PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN; UPDATE installs SET device_id='half';"
                   "INSERT INTO logs(message) WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n "
                   "WHERE i<500) SELECT printf('%.*c', 500, 'x') FROM n;");
    load(f, UPDATE_LOGS_NAME, &db_bytes);
    load(f, UPDATE_LOGS_NAME "-journal", &journal);
    run(db, "ROLLBACK");
    sqlite3_close(db);
    put(f, UPDATE_LOGS_NAME, db_bytes.data, db_bytes.len);
    read_logs(f, ERR_NONE);
    assert_string_equal(buf_text(&f->installs), "1 half - -1 - -1 0|"); /* so it would be without */
    buf_clear(&f->installs);
    f->line_count = 0;
    put(f, UPDATE_LOGS_NAME "-journal", journal.data, journal.len);
    read_logs(f, ERR_NONE);
    assert_string_equal(buf_text(&f->installs), "1 whole - -1 - -1 0|");
    assert_int_equal(f->line_count, 0);
    AUTO(buf) struct buf after = {0};
    load(f, UPDATE_LOGS_NAME "-journal", &after);
    assert_int_equal(after.len, journal.len); /* the stick is as it was */
}

static void what_stands_in_the_wal_is_read(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) struct buf db_bytes = {0}, wal = {0};
    sqlite3 *db = open_db(f);
    run(db, "PRAGMA journal_mode=WAL;" SCHEMA "INSERT INTO installs(device_id) VALUES('in the wal');");
    load(f, UPDATE_LOGS_NAME, &db_bytes);
    load(f, UPDATE_LOGS_NAME "-wal", &wal);
    sqlite3_close(db);
    put(f, UPDATE_LOGS_NAME, db_bytes.data, db_bytes.len);
    put(f, UPDATE_LOGS_NAME "-wal", wal.data, wal.len);
    read_logs(f, ERR_NONE);
    assert_string_equal(buf_text(&f->installs), "1 in the wal - -1 - -1 0|");
}

/* ---- what an attacker writes ---- */

static void no_log_is_no_such_path(void **state)
{
    read_logs(*state, ERR_NO_SUCH_PATH);
}

static void what_is_no_database_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        "this is no database, but it is longer than the header of one would be, so that "
        "SQLite has something to look at and to say no to";
    put(f, UPDATE_LOGS_NAME, text, sizeof text);
    read_logs(f, ERR_BAD_UPDATE_LOG);
    put(f, UPDATE_LOGS_NAME, "", 0);
    read_logs(f, ERR_BAD_UPDATE_LOG);
}

static void other_schemas_are_refused(void **state)
{
    static const char *const others[] = {
        "CREATE TABLE installs(id INTEGER PRIMARY KEY);",
        "CREATE TABLE t(id, device_id, name, version, report_counter, manifest);"
        "CREATE VIEW installs AS SELECT * FROM t;"
        "CREATE TABLE logs(id, install_id, timestamp, service, message);",
        "CREATE TABLE installs(id INTEGER PRIMARY KEY, device_id, name, version, report_counter, "
        "manifest AS (printf('%.*c', 1000000, 'x')));"
        "CREATE TABLE logs(id, install_id, timestamp, service, message);",
        "CREATE TABLE installs(id INTEGER PRIMARY KEY, device_id, name, version, report_counter, manifest) "
        "WITHOUT ROWID; CREATE TABLE logs(id, install_id, timestamp, service, message);",
        "CREATE VIRTUAL TABLE installs USING fts5(id, device_id, name, version, report_counter, manifest);"
        "CREATE TABLE logs(id, install_id, timestamp, service, message);",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        unlinkat(f->fd, UPDATE_LOGS_NAME, 0);
        make(f, others[i]);
        read_logs(f, ERR_BAD_UPDATE_LOG);
    }
}

/* Reading it would take hours. */
static void a_schema_of_thousands_of_tables_is_refused_at_once(void **state)
{
    struct fixture *f = *state;
    make(f, SCHEMA
         "PRAGMA writable_schema=ON; INSERT INTO sqlite_schema WITH RECURSIVE n(i) AS (VALUES(1) UNION "
         "ALL SELECT i+1 FROM n WHERE i<1000) SELECT 'table', 't'||i, 't'||i, 2, "
         "'CREATE TABLE t'||i||'(a)' FROM n;");
    read_logs(f, ERR_BAD_UPDATE_LOG);
    assert_non_null(strstr(f->error.message, "list of tables"));
}

static void a_row_of_wrong_types_costs_only_itself(void **state)
{
    struct fixture *f = *state;
    make(f, SCHEMA
         "INSERT INTO installs(device_id, name, version, report_counter, manifest) VALUES"
         "(x'616263', NULL, NULL, NULL, NULL), ('a', x'00', NULL, NULL, NULL), ('a', NULL, 'x', 1, NULL),"
         "('a', NULL, 1, 2.5, NULL), ('a', NULL, 1, 1, x'7b7d'), ('a' || char(0) || 'b', NULL, 1, 1, NULL),"
         "(printf('%.*c', 4097, 'x'), NULL, 1, 1, NULL), ('good', NULL, 1, 1, '{}');"
         "INSERT INTO logs(install_id, message) VALUES('x', 'y'), (1, x'ff'), (1, 'good');");
    read_logs(f, ERR_NONE);
    assert_string_equal(buf_text(&f->installs), "8 good - -1 - 1 2|");
    assert_int_equal(f->line_count, 1);
    assert_int_equal(f->bad_count, 9);
    assert_int_equal(f->bad.id, ERR_BAD_UPDATE_LOG);
    assert_non_null(strstr(f->bad.message, "row 2 of 'logs': 'message'"));
}

static void a_manifest_too_large_costs_only_itself(void **state)
{
    struct fixture *f = *state;
    make(f, SCHEMA "INSERT INTO installs(device_id, manifest) VALUES"
                   "('a', printf('%.*c', 1048577, 'x')), ('b', printf('%.*c', 50000000, 'x')),"
                   "('c', zeroblob(50000000)), ('d', printf('%.*c', 1048576, 'x'));");
    read_logs(f, ERR_NONE);
    assert_string_equal(buf_text(&f->installs), "4 d - -1 - -1 1048576|");
    assert_int_equal(f->bad_count, 3);
}

static void a_file_of_gigabytes_is_not_copied(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {UPDATE_LOGS_NAME, UPDATE_LOGS_NAME "-journal",
                                        UPDATE_LOGS_NAME "-wal"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO_FREE char *path = path_of(f, names[i]);
        AUTO_FREE char *db = path_of(f, UPDATE_LOGS_NAME);
        if (i == 1)
            unlink(db);
        if (i == 1)
            make(f, SCHEMA);
        close(open(path, O_CREAT | O_WRONLY, 0600));
        assert_return_code(truncate(path, (off_t)5 << 30), 0);
        read_logs(f, ERR_TOO_LARGE);
        unlink(path);
        if (i > 0)
            read_logs(f, ERR_NONE);
    }
}

static void links_are_not_followed(void **state)
{
    static const char *const names[] = {UPDATE_LOGS_NAME "-journal", UPDATE_LOGS_NAME "-wal",
                                        UPDATE_LOGS_NAME};
    struct fixture *f = *state;
    make(f, SCHEMA);
    assert_return_code(renameat(f->fd, UPDATE_LOGS_NAME, f->fd, "real"), 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO(buf) struct buf real = {0};
        load(f, "real", &real);
        put(f, UPDATE_LOGS_NAME, real.data, real.len);
        unlinkat(f->fd, names[i], 0);
        assert_return_code(symlinkat("real", f->fd, names[i]), 0);
        read_logs(f, ERR_UNSAFE_NAME);
        unlinkat(f->fd, names[i], 0);
    }
    assert_return_code(mkfifoat(f->fd, UPDATE_LOGS_NAME, 0600), 0);
    read_logs(f, ERR_UNSAFE_NAME);
}

/* A hot journal of one transaction over several databases ends in the path of its super-journal. SQLite
 * deletes that file when no journal in it is alive any more; here it is anybody's file. */
static void a_journal_that_names_another_file_cannot_have_it_deleted(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) struct buf db_bytes = {0}, journal = {0};
    AUTO_FREE char *victim = path_of(f, "victim");
    uint8_t tail[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    unsigned sum = 0;
    sqlite3 *db = open_db(f);
    put(f, "victim", "precious", 8);
    run(db, SCHEMA "INSERT INTO installs(device_id) VALUES('whole');"
                   "PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN; UPDATE installs SET device_id='half';"
                   "INSERT INTO logs(message) WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n "
                   "WHERE i<500) SELECT printf('%.*c', 500, 'x') FROM n;");
    load(f, UPDATE_LOGS_NAME, &db_bytes);
    load(f, UPDATE_LOGS_NAME "-journal", &journal);
    run(db, "ROLLBACK");
    sqlite3_close(db);
    for (const char *c = victim; *c; c++)
        sum += (unsigned char)*c;
    tail[3] = (uint8_t)strlen(victim);
    tail[6] = (uint8_t)(sum >> 8);
    tail[7] = (uint8_t)sum;
    buf_add(&journal, "\x40\x00\x00\x01", 4); /* the lock page, which ends the pages */
    buf_add_text(&journal, victim);
    buf_add(&journal, tail, sizeof tail);
    put(f, UPDATE_LOGS_NAME, db_bytes.data, db_bytes.len);
    put(f, UPDATE_LOGS_NAME "-journal", journal.data, journal.len);
    read_logs(f, ERR_BAD_UPDATE_LOG);
    assert_return_code(access(victim, F_OK), 0);
    /* Is it what it says? SQLite itself deletes the file. */
    db = open_db(f);
    run(db, "SELECT * FROM installs");
    sqlite3_close(db);
    assert_int_equal(access(victim, F_OK), -1);
}

static void damaged_pages_are_told_and_the_rest_is_read(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) struct buf bytes = {0};
    make(f, SCHEMA
         "INSERT INTO installs(device_id, manifest) WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT "
         "i+1 FROM n WHERE i<40) SELECT 'd', printf('%.*c', 20000, 'm') FROM n;");
    load(f, UPDATE_LOGS_NAME, &bytes);
    for (size_t page = 8; page < bytes.len / 4096; page += 5) /* next-page numbers among them */
        memset(bytes.data + page * 4096, 0xff, 64);
    put(f, UPDATE_LOGS_NAME, bytes.data, bytes.len);
    read_logs(f, ERR_NONE);
    assert_true(f->bad_count > 0);
    assert_int_equal(f->bad.id, ERR_BAD_UPDATE_LOG);
}

static void a_million_rows_are_not_all_read(void **state)
{
    struct fixture *f = *state;
    make(f, SCHEMA
         "INSERT INTO installs(device_id) WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n "
         "WHERE i<1000000) SELECT 'd' FROM n;"
         "INSERT INTO logs(install_id) WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n "
         "WHERE i<1000000) SELECT 1 FROM n;");
    read_logs(f, ERR_NONE);
    assert_int_equal(f->install_count, UPDATE_INSTALLS_MAX);
    assert_int_equal(f->line_count, UPDATE_LINES_MAX);
    assert_int_equal(f->bad_count, 2);
    assert_int_equal(f->bad.id, ERR_TOO_LARGE);
}

static int stop(void *ctx, const struct update_install *install, struct err *e)
{
    (void)ctx, (void)install;
    return err_set(e, ERR_NO_SPACE, "full");
}

static void a_reader_that_fails_ends_it(void **state)
{
    struct fixture *f = *state;
    struct err e;
    const struct update_logs_reader reader = {stop, keep_line, keep_bad, f};
    make(f, SCHEMA "INSERT INTO installs(device_id) VALUES('a'), ('b');");
    assert_int_equal(update_logs_read(f->fd, UPDATE_LOGS_NAME, &reader, &e), -1);
    assert_int_equal(e.id, ERR_NO_SPACE);
    assert_int_equal(f->bad_count, 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(both_meanings_of_name_and_version_are_understood),
        test(lines_follow_with_the_install_that_they_belong_to),
        test(a_newer_client_may_have_more_tables_and_columns),
        test(a_long_line_is_cut_where_a_character_ends),
        test(what_a_pulled_stick_left_in_the_journal_is_rolled_back),
        test(what_stands_in_the_wal_is_read),
        test(no_log_is_no_such_path),
        test(what_is_no_database_is_refused),
        test(other_schemas_are_refused),
        test(a_schema_of_thousands_of_tables_is_refused_at_once),
        test(a_row_of_wrong_types_costs_only_itself),
        test(a_manifest_too_large_costs_only_itself),
        test(a_file_of_gigabytes_is_not_copied),
        test(links_are_not_followed),
        test(a_journal_that_names_another_file_cannot_have_it_deleted),
        test(damaged_pages_are_told_and_the_rest_is_read),
        test(a_million_rows_are_not_all_read),
        test(a_reader_that_fails_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
