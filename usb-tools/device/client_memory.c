/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/client_memory.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/name.h"
#include "base/utf8.h"
#include "crypto/canonical.h"
#include "crypto/pubkey.h"
#include "uptane/device.h"
#include "usb-tools/report_file.h"

enum { IMAGE_REPO = 0, DIRECTOR = 1 };
enum { ROOT = 0, SNAPSHOT = 1, TARGETS = 2, OFFLINE_SNAPSHOT = 5 };

#define ROOTS_MAX 100      /* of a repository, the newest */
#define WAIT_MS 5000       /* for the client to end what it writes */
#define STEPS_MAX 10000000 /* of SQLite's machine for one question: some hundred are needed */

static void free_ecu(struct remembered_ecu *ecu)
{
    char *const texts[] = {ecu->serial,  ecu->hardware_id, ecu->key_type,    ecu->key_value,
                           ecu->package, ecu->sha256,      ecu->hardware_ids};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        free(texts[i]);
}

void client_memory_free(struct client_memory *m)
{
    for (size_t i = 0; i < m->ecu_count; i++)
        free_ecu(&m->ecus[i]);
    free(m->ecus);
    buf_free(&m->roots[0]);
    buf_free(&m->roots[1]);
    buf_free(&m->stored);
    free(m->result_of);
    free(m->result_code);
    *m = (struct client_memory){0};
}

/* ---- the database ---- */

struct database {
    sqlite3 *db; /* NULL: there is none */
    int dirfd;   /* SQLite looks for the journal by the path through it */
};

static void database_free(struct database *d)
{
    sqlite3_close_v2(d->db);
    cleanup_fd(&d->dirfd);
    *d = (struct database){.dirfd = -1};
}

static int refuse(sqlite3 *db, struct err *e)
{
    return err_set(e, ERR_BAD_CLIENT_DATABASE, "SQLite: %s", db ? sqlite3_errmsg(db) : "no memory");
}

static int stop_after(void *ctx)
{
    (void)ctx;
    return 1;
}

/* Read only: nothing is written there, not even to take back a transaction that was interrupted. */
static int open_file(struct database *d, const char *name, struct err *e)
{
    AUTO_FREE char *path = mem_format("/proc/self/fd/%d/%s", d->dirfd, name);
    if (sqlite3_open_v2(path, &d->db, SQLITE_OPEN_READONLY, NULL))
        return refuse(d->db, e);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_limit(d->db, SQLITE_LIMIT_LENGTH, (int)DEVICE_TARGETS_MAX + (64 << 10));
    sqlite3_busy_timeout(d->db, WAIT_MS);
    sqlite3_progress_handler(d->db, STEPS_MAX, stop_after, NULL);
    return sqlite3_exec(d->db, "BEGIN", NULL, NULL, NULL) ? refuse(d->db, e) : 0;
}

/* `path` is of the device. */
static int open_database(int root_fd, const char *path, struct database *d, struct err *e)
{
    const char *inner = client_path(path), *slash = strrchr(inner, '/');
    AUTO_FREE char *folder = mem_strndup(inner, slash ? (size_t)(slash - inner) : 0);
    const char *name = slash ? slash + 1 : inner;
    struct stat st;
    if (fs_open_dir_at(root_fd, folder, false, &d->dirfd, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    if (fstatat(d->dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
        return 0;
    return S_ISREG(st.st_mode) ? open_file(d, name, e) : err_set(e, ERR_BAD_CLIENT_DATABASE, "it is no file");
}

static void statement_free(sqlite3_stmt **s)
{
    sqlite3_finalize(*s);
}
#define AUTO_STATEMENT __attribute__((cleanup(statement_free)))

static int ask(sqlite3 *db, const char *question, sqlite3_stmt **ret, struct err *e)
{
    return sqlite3_prepare_v2(db, question, -1, ret, NULL) ? refuse(db, e) : 0;
}

static int next(sqlite3_stmt *s, bool *ret_row, struct err *e)
{
    int code = sqlite3_step(s);
    *ret_row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : refuse(sqlite3_db_handle(s), e);
}

/* NULL for null, "", and what is no UTF-8. The caller's. */
static char *text_at(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    size_t len = text ? strlen(text) : 0;
    return len && utf8_valid(text, len) ? mem_strdup(text) : NULL;
}

/* ---- documents ---- */

struct filing {
    sqlite3 *db;
    size_t bytes; /* of all documents so far */
};

/* The document in column 0, as it was stored, if it is JSON. */
static int add_document(struct filing *f, sqlite3_stmt *s, size_t limit, struct buf *to, struct err *e)
{
    AUTO(json) struct json doc = {0};
    const char *bytes = sqlite3_column_blob(s, 0);
    size_t len = (size_t)sqlite3_column_bytes(s, 0);
    while (len > 0 && bytes[len - 1] == '\0') /* as texts of C++ once were stored */
        len--;
    f->bytes += len;
    if (len > limit || f->bytes > CLIENT_MEMORY_MAX)
        return err_set(e, ERR_TOO_LARGE, "a stored role, or all of them, are too large");
    if (json_parse(&doc, bytes, len, &json_role_limits, e))
        return err_context(e, "a stored role");
    buf_add(to, bytes, len);
    return 0;
}

/* The newest ones, in rising versions. */
static int read_roots(struct filing *f, int repo, struct buf *to, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *s = NULL;
    bool row;
    if (ask(f->db,
            "SELECT meta FROM (SELECT meta, version FROM meta WHERE repo=?1 AND meta_type=?2"
            " ORDER BY version DESC LIMIT ?3) ORDER BY version",
            &s, e))
        return -1;
    sqlite3_bind_int(s, 1, repo);
    sqlite3_bind_int(s, 2, ROOT);
    sqlite3_bind_int(s, 3, ROOTS_MAX);
    for (;;) {
        if (next(s, &row, e))
            return -1;
        if (!row)
            return 0;
        if (to->len)
            buf_add_char(to, ',');
        if (add_document(f, s, DEVICE_ROLE_MAX, to, e))
            return -1;
    }
}

static int read_role(struct filing *f, int repo, int role, const char *field, struct buf *to, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *s = NULL;
    bool row;
    if (ask(f->db, "SELECT meta FROM meta WHERE repo=?1 AND meta_type=?2 ORDER BY version DESC LIMIT 1", &s,
            e))
        return -1;
    sqlite3_bind_int(s, 1, repo);
    sqlite3_bind_int(s, 2, role);
    if (next(s, &row, e))
        return -1;
    buf_addf(to, "%s\"%s\":", to->len ? "," : "", field);
    if (row)
        return add_document(f, s, role == SNAPSHOT ? DEVICE_ROLE_MAX : DEVICE_TARGETS_MAX, to, e);
    buf_add_text(to, "null");
    return 0;
}

static int read_delegations(struct filing *f, struct buf *to, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *s = NULL;
    bool row, first = true;
    if (ask(f->db, "SELECT meta, role_name FROM delegations ORDER BY role_name", &s, e))
        return -1;
    buf_add_text(to, ",\"delegations\":{");
    for (;; first = false) {
        if (next(s, &row, e))
            return -1;
        if (!row)
            break;
        AUTO_FREE char *name = text_at(s, 1);
        buf_add_text(to, first ? "" : ",");
        json_add_string(to, name ? name : "");
        buf_add_char(to, ':');
        if (add_document(f, s, DEVICE_TARGETS_MAX, to, e))
            return -1;
    }
    buf_add_char(to, '}');
    return 0;
}

static int read_documents(sqlite3 *db, struct client_memory *m, struct err *e)
{
    struct filing f = {.db = db};
    return read_roots(&f, DIRECTOR, &m->roots[0], e) || read_roots(&f, IMAGE_REPO, &m->roots[1], e) ||
                   read_role(&f, DIRECTOR, OFFLINE_SNAPSHOT, "offline_snapshot", &m->stored, e) ||
                   read_role(&f, IMAGE_REPO, SNAPSHOT, "image_snapshot", &m->stored, e) ||
                   read_role(&f, IMAGE_REPO, TARGETS, "image_targets", &m->stored, e) ||
                   read_delegations(&f, &m->stored, e)
               ? -1
               : 0;
}

/* ---- ECUs ---- */

/* Of the primary no type is stored. The client calls RSA keys by their length, a root does not. What is no
 * key is none that is known. */
static void take_key(sqlite3_stmt *s, int type_column, struct remembered_ecu *ecu)
{
    AUTO_FREE char *stored = text_at(s, type_column), *value = text_at(s, type_column + 1);
    struct pubkey *key = NULL;
    struct err ignored;
    if (!value || strlen(value) > REPORT_TEXT_MAX)
        return;
    bool rsa = stored ? !strncmp(stored, "RSA", 3) : !strncmp(value, "-----BEGIN", 10);
    const char *type = rsa ? "RSA" : "ED25519";
    if (pubkey_parse(type, strlen(type), value, strlen(value), &key, &ignored))
        return;
    pubkey_delete(key);
    ecu->key_type = mem_strdup(type);
    ecu->key_value = steal_ptr(value);
}

/* custom.hardwareIds of the package, as the client keeps it. */
static char *package_hardware(sqlite3_stmt *s, int column)
{
    AUTO(json) struct json doc = {0};
    AUTO(buf) struct buf ids = {0};
    struct json_value list;
    struct err ignored;
    const void *text = sqlite3_column_text(s, column);
    size_t len = (size_t)sqlite3_column_bytes(s, column);
    if (!len || json_parse(&doc, text, len, &json_role_limits, &ignored) ||
        !json_get_typed(json_root(&doc), "hardwareIds", JSON_ARRAY, &list))
        return NULL;
    canonical_print(list, CANONICAL_CLOUD, &ids);
    return buf_steal_text(&ids);
}

static int read_installed(sqlite3 *db, struct remembered_ecu *ecu, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *s = NULL;
    bool row;
    if (ask(db,
            "SELECT name, length, sha256, custom_meta FROM installed_versions"
            " WHERE ecu_serial=?1 AND is_current=1 ORDER BY id DESC LIMIT 1",
            &s, e))
        return -1;
    sqlite3_bind_text(s, 1, ecu->serial, -1, SQLITE_STATIC);
    if (next(s, &row, e))
        return -1;
    if (!row)
        return 0;
    ecu->package = text_at(s, 0);
    ecu->length = sqlite3_column_int64(s, 1);
    ecu->sha256 = text_at(s, 2);
    ecu->hardware_ids = package_hardware(s, 3);
    if (ecu->package && ecu->sha256 && ecu->length >= 0)
        return 0;
    return err_set(e, ERR_BAD_CLIENT_DATABASE, "what is installed on ECU '%s' lacks a name or a hash",
                   ecu->serial);
}

static int read_newest_root(sqlite3 *db, int repo, int64_t *ret, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *s = NULL;
    bool row;
    if (ask(db, "SELECT max(version) FROM meta WHERE repo=?1 AND meta_type=?2", &s, e))
        return -1;
    sqlite3_bind_int(s, 1, repo);
    sqlite3_bind_int(s, 2, ROOT);
    if (next(s, &row, e))
        return -1;
    *ret = row ? sqlite3_column_int64(s, 0) : 0;
    return *ret >= 0 && *ret <= INT32_MAX
               ? 0
               : err_set(e, ERR_BAD_CLIENT_DATABASE, "a stored root has no version");
}

/* Of an ECU that the client runs itself, such as that of containers. */
static int read_own_roots(int root_fd, const struct client_config *c, struct remembered_ecu *ecu,
                          struct err *e)
{
    for (size_t i = 0; i < c->other_count; i++) {
        AUTO(database) struct database d = {.dirfd = -1};
        if (!c->others[i].folder || strcmp(c->others[i].hardware_id, ecu->hardware_id) != 0)
            continue;
        AUTO_FREE char *path = mem_format("%s/sql.db", c->others[i].folder);
        if (open_database(root_fd, path, &d, e) ||
            (d.db && (read_newest_root(d.db, DIRECTOR, &ecu->root_versions[0], e) ||
                      read_newest_root(d.db, IMAGE_REPO, &ecu->root_versions[1], e))))
            return err_context(e, "'%s'", path);
        ecu->knows_roots = true;
    }
    return 0;
}

static int read_ecu(int root_fd, const struct client_config *c, sqlite3_stmt *s, struct remembered_ecu *ecu,
                    struct err *e)
{
    ecu->serial = text_at(s, 0);
    ecu->hardware_id = text_at(s, 1);
    ecu->is_primary = sqlite3_column_int(s, 2);
    take_key(s, 3, ecu);
    if (!ecu->serial || !ecu->hardware_id || strlen(ecu->serial) > NAME_PART_MAX ||
        strlen(ecu->hardware_id) > NAME_PART_MAX)
        return err_set(e, ERR_BAD_CLIENT_DATABASE,
                       "an ECU has no serial or hardware id, or one that is too long");
    return read_installed(sqlite3_db_handle(s), ecu, e) ||
                   (!ecu->is_primary && read_own_roots(root_fd, c, ecu, e))
               ? -1
               : 0;
}

static int read_ecus(int root_fd, const struct client_config *c, sqlite3 *db, struct client_memory *m,
                     struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *s = NULL;
    bool row;
    if (ask(db,
            "SELECT serial, hardware_id, is_primary,"
            " public_key_type, CASE is_primary WHEN 1 THEN (SELECT public FROM primary_keys) ELSE public_key "
            "END"
            " FROM ecus LEFT JOIN secondary_ecus USING(serial) ORDER BY is_primary DESC, ecus.id",
            &s, e))
        return -1;
    m->ecus = mem_zeroed(DEVICE_ECUS_MAX, sizeof *m->ecus);
    for (;;) {
        if (next(s, &row, e))
            return -1;
        if (!row)
            return 0;
        if (m->ecu_count == DEVICE_ECUS_MAX)
            return err_set(e, ERR_BAD_CLIENT_DATABASE, "it names more than %d ECUs", DEVICE_ECUS_MAX);
        if (read_ecu(root_fd, c, s, &m->ecus[m->ecu_count++], e))
            return -1;
    }
}

static int read_pending(sqlite3 *db, bool *ret, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *s = NULL;
    return ask(db, "SELECT 1 FROM installed_versions WHERE is_pending=1", &s, e) || next(s, ret, e) ? -1 : 0;
}

/* Stored as "INSTALL_FAILED":4, with the quotes. */
static char *read_code(sqlite3_stmt *s, int column)
{
    AUTO_FREE char *stored = text_at(s, column);
    const char *from = stored ? stored + (*stored == '"') : "";
    return mem_strndup(from, strcspn(from, "\""));
}

/* Of the newest install, until the client has told the cloud. */
static int read_result(sqlite3 *db, struct client_memory *m, struct err *e)
{
    AUTO_STATEMENT sqlite3_stmt *s = NULL;
    bool row;
    if (ask(db, "SELECT correlation_id, result_code, success FROM device_installation_result", &s, e) ||
        next(s, &row, e))
        return -1;
    if (!row)
        return 0;
    m->result_of = text_at(s, 0);
    m->result_code = read_code(s, 1);
    m->succeeded = sqlite3_column_int(s, 2);
    return 0;
}

int client_memory_load(int root_fd, const struct client_config *c, struct client_memory *ret, struct err *e)
{
    AUTO(database) struct database d = {.dirfd = -1};
    AUTO(client_memory) struct client_memory m = {0};
    if (open_database(root_fd, c->database, &d, e) ||
        (d.db && (read_ecus(root_fd, c, d.db, &m, e) || read_documents(d.db, &m, e) ||
                  read_pending(d.db, &m.has_pending, e) || read_result(d.db, &m, e))))
        return err_context(e, "'%s'", c->database);
    m.is_known = d.db;
    *ret = m;
    m = (struct client_memory){0};
    return 0;
}
