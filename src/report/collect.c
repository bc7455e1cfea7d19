/* SPDX-License-Identifier: Apache-2.0 */
#include "report/collect.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/hex.h"
#include "base/mem.h"
#include "report/claim.h"
#include "report/vehicle_manifest.h"
#include "usb-tools/report_file.h"
#include "usb-tools/update_logs.h"

#define DEPTH_MAX 8u /* folders: the deepest that anybody writes is airlock/reports/<device> in a folder */
#define PLACES_MAX 100000u /* files and folders: a stick full of photographs has some ten thousand */
#define FILES_MAX 10000u   /* logs and reports: a thousand devices with ten reports each */
#define HELPER_FILES "*airlock/reports/*/*.json"

struct walk {
    struct ledger *ledger;
    const char *stick;
    int64_t now;
    struct collection *found;
    dev_t device; /* which the walk does not leave */
    size_t places;
    bool full; /* there are too many */
    unsigned depth;
    bool ledger_failed; /* then nothing goes on */

    int dirfd;        /* the folder that is looked at */
    const char *path; /* from the stick on; "" for itself */

    /* of one update-logs.db: which entry a row became */
    const char *file;
    struct row {
        int64_t id, entry;
    } * rows;
    size_t row_count, row_room;
};

static int look_into(struct walk *w, int dirfd, const char *path, struct err *e);
static int look_at(void *ctx, const char *name, struct err *e);
static int collect_log(struct walk *w, const char *name, const char *path, struct err *e);
static int collect_helper(struct walk *w, const char *name, const char *path, struct err *e);

int collect_stick(struct ledger *l, int dirfd, const char *stick, int64_t now, struct collection *ret,
                  struct err *e)
{
    struct walk w = {.ledger = l, .stick = stick, .now = now, .found = ret};
    struct stat st;
    if (fstat(dirfd, &st))
        return err_errno(e, ERR_MEDIUM_IO, "cannot look at it");
    w.device = st.st_dev;
    int rc = look_into(&w, dirfd, "", e);
    free(w.rows);
    return rc;
}

void collection_free(struct collection *c)
{
    for (size_t i = 0; i < c->told; i++) {
        free(c->problems[i].path);
        free(c->problems[i].message);
    }
    free(c->problems);
    *c = (struct collection){0};
}

static void tell(struct walk *w, const char *path, const struct err *e)
{
    struct collection *c = w->found;
    c->problem_count++;
    if (c->told == COLLECT_PROBLEMS_MAX || c->alike[e->id]++ >= COLLECT_PROBLEMS_ALIKE)
        return;
    mem_grow(&c->problems, c->told, &c->problem_room, sizeof *c->problems);
    c->problems[c->told++] = (struct collect_problem){mem_strdup(path), e->id, mem_strdup(e->message)};
}

/* ---- the walk ---- */

static int look_into(struct walk *w, int dirfd, const char *path, struct err *e)
{
    struct walk outer = *w;
    w->dirfd = dirfd;
    w->path = path;
    w->depth++;
    int rc = fs_each(dirfd, look_at, w, e);
    w->dirfd = outer.dirfd;
    w->path = outer.path;
    w->depth = outer.depth;
    if (rc == 0 || w->ledger_failed)
        return rc;
    tell(w, *path ? path : ".", e);
    return 0;
}

/* The two folders of a lockbox, with its many thousand files; devices write beside them. */
static bool is_of_lockbox(const char *name)
{
    return !strcmp(name, "images") || !strcmp(name, "metadata");
}

static int look_at_folder(struct walk *w, const char *name, const char *path, struct err *e)
{
    AUTO_FD int fd = -1;
    struct stat st;
    if (is_of_lockbox(name) || w->depth >= DEPTH_MAX)
        return 0;
    if (fs_open_dir_at(w->dirfd, name, false, &fd, e)) {
        tell(w, path, e);
        return 0;
    }
    if (fstat(fd, &st) || st.st_dev != w->device)
        return 0; /* another file system is mounted here */
    return look_into(w, fd, path, e);
}

/* Once; what is left is not looked at. */
static int tell_full(struct walk *w, struct err *e)
{
    if (w->full)
        return 0;
    w->full = true;
    err_set(e, ERR_TOO_LARGE,
            "more than %u files and folders, or %u logs and reports; the rest was not looked at", PLACES_MAX,
            FILES_MAX);
    tell(w, ".", e);
    return 0;
}

static int look_at(void *ctx, const char *name, struct err *e)
{
    struct walk *w = ctx;
    struct stat st;
    AUTO_FREE char *path = mem_format("%s%s%s", w->path, *w->path ? "/" : "", name);
    if (w->full || ++w->places > PLACES_MAX)
        return tell_full(w, e);
    if (fstatat(w->dirfd, name, &st, AT_SYMLINK_NOFOLLOW)) {
        err_errno(e, ERR_MEDIUM_IO, "cannot look at it");
        tell(w, path, e);
        return 0;
    }
    if (S_ISDIR(st.st_mode))
        return look_at_folder(w, name, path, e);
    bool is_log = !strcmp(name, UPDATE_LOGS_NAME);
    if (!is_log && fnmatch(HELPER_FILES, path, 0) != 0)
        return 0;
    if (w->found->files == FILES_MAX)
        return tell_full(w, e);
    w->found->files++;
    if (!w->ledger)
        return 0;
    int rc = is_log ? collect_log(w, name, path, e) : collect_helper(w, name, path, e);
    if (rc == 0 || w->ledger_failed)
        return rc;
    tell(w, path, e);
    return 0;
}

/* ---- into the ledger ---- */

/* -1 is the ledger's failure, which ends everything. */
static int add(struct walk *w, struct ledger_entry entry, const char *path, int64_t row, const char *device,
               int64_t *ret_id, struct err *e)
{
    const struct ledger_sighting seen = {w->stick, path, row, device, w->now};
    bool is_new;
    if (ledger_add(w->ledger, &entry, &seen, ret_id, &is_new, e)) {
        w->ledger_failed = true;
        return -1;
    }
    *(is_new ? &w->found->added : &w->found->known) += 1;
    return 0;
}

/* ERR_BAD_VEHICLE_MANIFEST is the manifest's fault, and nothing is added. */
static int add_manifest(struct walk *w, const void *bytes, size_t len, const char *path, int64_t row,
                        const char *device, int64_t *ret_id, struct err *e)
{
    AUTO(vehicle_manifest) struct vehicle_manifest m = {0};
    const struct ecu_keys none = {0};
    if (vehicle_manifest_read(bytes, len, &none, &m, e))
        return -1;
    const struct ledger_entry entry = {
        .kind = ENTRY_MANIFEST, .serial = m.serial, .counter = m.counter, .bytes = bytes, .len = len};
    return add(w, entry, path, row, device, ret_id, e);
}

static int begin(struct walk *w, struct err *e)
{
    w->ledger_failed = ledger_begin(w->ledger, e) != 0;
    return w->ledger_failed ? -1 : 0;
}

/* Commits where rc is 0, and takes all back where it is not. */
static int end(struct walk *w, const struct collection *before, int rc, struct err *e)
{
    if (rc == 0 && ledger_commit(w->ledger, e) == 0)
        return 0;
    w->ledger_failed = w->ledger_failed || rc == 0;
    ledger_roll_back(w->ledger);
    w->found->added = before->added;
    w->found->known = before->known;
    return -1;
}

/* ---- the log of the stock client ---- */

static int add_install(struct walk *w, const struct update_install *i, int64_t *ret_id, struct err *e)
{
    AUTO(buf) struct buf bytes = {0};
    const struct claim claim = {.device = (char *)i->device,
                                .lockbox = (char *)i->lockbox,
                                .version = i->lockbox_version,
                                .correlation = (char *)i->correlation,
                                .row = i->id};
    claim_print(&claim, &bytes);
    const struct ledger_entry entry = {
        .kind = ENTRY_INSTALL, .serial = "", .counter = -1, .bytes = bytes.data, .len = bytes.len};
    return add(w, entry, w->file, i->id, i->device, ret_id, e);
}

static int keep_install(void *ctx, const struct update_install *i, struct err *e)
{
    struct walk *w = ctx;
    int64_t entry;
    int rc = i->manifest ? add_manifest(w, i->manifest, i->manifest_len, w->file, i->id, i->device, &entry, e)
                         : add_install(w, i, &entry, e);
    if (rc && w->ledger_failed)
        return -1;
    if (rc) {
        err_context(e, "row %lld of 'installs'", (long long)i->id);
        tell(w, w->file, e);
        return 0;
    }
    mem_grow(&w->rows, w->row_count, &w->row_room, sizeof *w->rows);
    w->rows[w->row_count++] = (struct row){i->id, entry};
    return 0;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* A line of an install that is not there belongs to nothing. The rows came in the order of their ids. */
static int keep_line(void *ctx, const struct update_line *line, struct err *e)
{
    struct walk *w = ctx;
    const struct row wanted = {.id = line->install};
    const struct row *row =
        w->row_count ? bsearch(&wanted, w->rows, w->row_count, sizeof *w->rows, compare_rows) : NULL;
    if (!row)
        return 0;
    w->ledger_failed =
        ledger_add_line(w->ledger, row->entry, line->time_us, line->service, line->message, e) != 0;
    return w->ledger_failed ? -1 : 0;
}

static void tell_row(void *ctx, const struct err *e)
{
    struct walk *w = ctx;
    tell(w, w->file, e);
}

static int collect_log(struct walk *w, const char *name, const char *path, struct err *e)
{
    const struct update_logs_reader reader = {keep_install, keep_line, tell_row, w};
    const struct collection before = *w->found;
    w->file = path;
    w->row_count = 0;
    if (begin(w, e))
        return -1;
    return end(w, &before, update_logs_read(w->dirfd, name, &reader, e), e);
}

/* ---- a report of the helper ---- */

/* A key whose id is its serial is that ECU's, whoever says so. Others are for a person to enrol. */
static int add_keys(struct walk *w, const struct report_file *file, struct err *e)
{
    for (size_t i = 0; i < file->ecu_count; i++) {
        const struct report_ecu *ecu = &file->ecus[i];
        AUTO(ecu_key) struct ecu_key key = {0};
        if (!ecu->key_type || ecu_key_make(ecu->serial, ecu->key_type, ecu->key_value, &key, e) ||
            !ecu_key_is_own(&key))
            continue;
        w->ledger_failed = ledger_add_key(w->ledger, &key, "", w->now, e) != 0;
        if (w->ledger_failed)
            return -1;
    }
    return 0;
}

static int add_helper(struct walk *w, const struct report_file *file, const struct buf *bytes,
                      const char *path, struct err *e)
{
    char key[2 * SIGN_PUBLIC_SIZE + 1];
    int64_t id;
    hex_encode(file->public_key, SIGN_PUBLIC_SIZE, key);
    const struct ledger_entry entry = {.kind = ENTRY_HELPER,
                                       .serial = key,
                                       .counter = file->sequence,
                                       .bytes = bytes->data,
                                       .len = bytes->len};
    if (add_keys(w, file, e) || add(w, entry, path, 0, file->device, &id, e))
        return -1;
    if (!file->has_manifest ||
        add_manifest(w, file->manifest.data, file->manifest.len, path, 0, file->device, &id, e) == 0)
        return 0;
    if (w->ledger_failed)
        return -1;
    tell(w, path, e);
    return 0;
}

static int collect_helper(struct walk *w, const char *name, const char *path, struct err *e)
{
    AUTO(report_file) struct report_file file = {0};
    AUTO(buf) struct buf bytes = {0};
    const struct collection before = *w->found;
    if (fs_read_at(w->dirfd, name, REPORT_FILE_MAX, &bytes, e) ||
        report_file_parse(bytes.data, bytes.len, &file, e))
        return -1;
    if (file.type != REPORT_REPORT)
        return err_set(e, ERR_BAD_REPORT, "it is a request where a report should be");
    if (begin(w, e))
        return -1;
    return end(w, &before, add_helper(w, &file, &bytes, path, e), e);
}
