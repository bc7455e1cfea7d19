/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/outcome.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "usb-tools/device/journal.h"
#include "usb-tools/device/stage.h"
#include "usb-tools/update_logs.h"

void outcome_free(struct outcome *o)
{
    free(o->lockbox);
    free(o->message);
    buf_free(&o->manifest);
    *o = (struct outcome){0};
}

/* ---- which lockbox ---- */

#define DIRECTOR STAGE_NAME "/metadata/director"
#define ROLE_MAX (64u << 10) /* bytes of a lockbox that a client reads */

struct naming {
    int dirfd;
    struct outcome *outcome;
};

static bool names_lockbox(const char *file)
{
    size_t len = strlen(file);
    return len > 5 && !strcmp(file + len - 5, ".json") && strcmp(file, "root.json") != 0 &&
           strcmp(file, "offline-snapshot.json") != 0 &&
           !(len > 10 && !strcmp(file + len - 10, ".root.json") && strspn(file, "0123456789") == len - 10);
}

static int read_lockbox(void *ctx, const char *file, struct err *e)
{
    struct naming *n = ctx;
    AUTO(buf) struct buf bytes = {0};
    AUTO(json) struct json doc = {0};
    struct json_value what, version;
    if (!names_lockbox(file) || n->outcome->lockbox)
        return 0;
    if (fs_read_at(n->dirfd, file, ROLE_MAX, &bytes, e) ||
        json_parse(&doc, bytes.data, bytes.len, &json_role_limits, e))
        return err_context(e, "'%s'", file);
    if (!json_get(json_root(&doc), "signed", &what) || !json_get(what, "version", &version) ||
        !json_integer(version, 1, INT32_MAX, &n->outcome->version))
        return err_set(e, ERR_BAD_ROLE, "'%s' has no version", file);
    n->outcome->lockbox = mem_strndup(file, strlen(file) - strlen(".json"));
    return 0;
}

static int find_lockbox(int dirfd, struct outcome *o, struct err *e)
{
    AUTO_FD int fd = -1;
    if (fs_open_dir_at(dirfd, DIRECTOR, false, &fd, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    struct naming n = {fd, o};
    return fs_each(fd, read_lockbox, &n, e);
}

/* ---- what the client says of it ---- */

static const struct json_limits manifest_limits = {
    .bytes = UPDATE_MANIFEST_MAX, .depth = 32, .nodes = 100000};

/* The client's result and its code, as said. One that waits for a reboot is no result yet. */
static void take_result(struct outcome *o, bool succeeded, const char *code)
{
    bool pending = code && !strcmp(code, "NEED_COMPLETION");
    o->what = pending ? OUTCOME_UNKNOWN : succeeded ? OUTCOME_INSTALLED : OUTCOME_FAILED;
    free(o->message);
    o->message = mem_strdup(!code || strlen(code) > REPORT_TEXT_MAX ? "" : code);
}

/* The result in a vehicle manifest: outcome and message are taken as said, whoever reads the report verifies
 * the signature. False where it has none. */
static bool read_result(struct outcome *o)
{
    static const char *const path[] = {"signed", "installation_report", "report", "result"};
    AUTO(json) struct json doc = {0};
    struct err ignored;
    struct json_value at, success, code;
    bool succeeded;
    if (json_parse(&doc, o->manifest.data, o->manifest.len, &manifest_limits, &ignored))
        return false;
    at = json_root(&doc);
    for (size_t i = 0; i < COUNT_OF(path); i++)
        if (!json_get(at, path[i], &at))
            return false;
    if (!json_get(at, "success", &success) || !json_bool(success, &succeeded))
        return false;
    AUTO_FREE char *word = json_get_typed(at, "code", JSON_STRING, &code) ? json_string_copy(code) : NULL;
    take_result(o, succeeded, word);
    return true;
}

/* The last row of this lockbox counts. */
static int take_install(void *ctx, const struct update_install *install, struct err *e)
{
    struct outcome *o = ctx;
    (void)e;
    if (!install->lockbox || strcmp(install->lockbox, o->lockbox) != 0 ||
        (install->lockbox_version >= 0 && install->lockbox_version != o->version))
        return 0;
    o->source = SOURCE_UPDATE_LOGS;
    o->has_manifest = install->manifest != NULL;
    buf_clear(&o->manifest);
    if (o->has_manifest)
        buf_add(&o->manifest, install->manifest, install->manifest_len);
    return 0;
}

static void pass_over(void *ctx, const struct err *e)
{
    (void)ctx, (void)e;
}

static int read_log(int dirfd, struct outcome *o, struct err *e)
{
    const struct update_logs_reader reader = {.install = take_install, .bad = pass_over, .ctx = o};
    AUTO_FD int fd = -1;
    if (fs_open_dir_at(dirfd, STAGE_NAME, false, &fd, e))
        return -1;
    if (update_logs_read(fd, UPDATE_LOGS_NAME, &reader, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : err_context(e, "'" STAGE_SOURCE "/" UPDATE_LOGS_NAME "'");
    return 0;
}

/* ---- what the client remembers ---- */

/* Of each ECU that the target is for: is that what it has? *any: there is one. */
static bool has_installed(const struct client_memory *m, const char *name, struct json_value hardware,
                          struct json_value sha256, bool *any)
{
    for (size_t i = 0; i < m->ecu_count; i++) {
        const struct remembered_ecu *ecu = &m->ecus[i];
        bool is_for = false;
        for (size_t h = 0; h < json_count(hardware); h++)
            is_for = is_for || json_string_equals(json_at(hardware, h), ecu->hardware_id);
        if (is_for &&
            (!ecu->package || strcmp(name, ecu->package) || !json_string_equals(sha256, ecu->sha256)))
            return false;
        *any = *any || is_for;
    }
    return true;
}

/* Is every package of the lockbox that is for this device what the client has installed? */
static bool is_installed(int dirfd, const struct outcome *o, const struct client_memory *m)
{
    AUTO(buf) struct buf bytes = {0};
    AUTO(json) struct json doc = {0};
    AUTO_FREE char *path = mem_format(DIRECTOR "/%s.json", o->lockbox);
    struct json_value what, targets, custom, hardware, hashes, sha256;
    struct err ignored;
    bool any = false;
    if (fs_read_at(dirfd, path, ROLE_MAX, &bytes, &ignored) ||
        json_parse(&doc, bytes.data, bytes.len, &json_role_limits, &ignored) ||
        !json_get(json_root(&doc), "signed", &what) ||
        !json_get_typed(what, "targets", JSON_OBJECT, &targets))
        return false;
    for (size_t i = 0; i < json_count(targets); i++) {
        struct json_value target = json_at(targets, i);
        size_t len;
        const char *key = json_key_at(targets, i, &len);
        AUTO_FREE char *name = mem_strndup(key, len);
        if (!json_get(target, "custom", &custom) || !json_get(custom, "hardwareIds", &hardware) ||
            !json_get(target, "hashes", &hashes) || !json_get(hashes, "sha256", &sha256) ||
            !has_installed(m, name, hardware, sha256, &any))
            return false;
    }
    return any;
}

static bool take_memory(int dirfd, const struct client_memory *m, struct outcome *o)
{
    AUTO_FREE char *start = mem_format("urn:tdx-ota:lockbox:%s:%" PRId64 ":", o->lockbox, o->version);
    if (m->result_of && !strncmp(m->result_of, start, strlen(start)))
        take_result(o, m->succeeded, m->result_code);
    else if (is_installed(dirfd, o, m))
        take_result(o, true, "OK");
    else
        return false;
    o->source = SOURCE_CLIENT;
    return true;
}

/* What the logs say counts first, then what is remembered, then that neither has a result. */
static void conclude(int dirfd, const struct client_memory *m, struct outcome *o)
{
    if (o->has_manifest && read_result(o))
        return;
    if (take_memory(dirfd, m, o))
        return;
    o->message = mem_strdup(o->source == SOURCE_UPDATE_LOGS ? "the client has begun and logged no result"
                                                            : "the client has logged nothing of it");
}

int outcome_read(int dirfd, const struct client_memory *m, struct outcome *ret, struct err *e)
{
    AUTO(outcome) struct outcome o = {.what = OUTCOME_UNKNOWN, .source = SOURCE_HELPER};
    if (find_lockbox(dirfd, &o, e) || (o.lockbox && read_log(dirfd, &o, e)))
        return -1;
    if (o.lockbox) {
        conclude(dirfd, m, &o);
    } else {
        o.what = OUTCOME_NOTHING;
        o.message = mem_strdup("nothing was unpacked");
    }
    *ret = o;
    o = (struct outcome){0};
    return 0;
}

/* ---- what the journal says ---- */

/* When the lockbox was unpacked: nobody touches this folder later. */
static int64_t unpacked_at(int dirfd)
{
    struct stat st;
    return fstatat(dirfd, STAGE_NAME "/metadata", &st, AT_SYMLINK_NOFOLLOW) ? 0 : (int64_t)st.st_ctime;
}

int outcome_ask_journal(int dirfd, const char *root, struct outcome *o, struct err *e)
{
    AUTO_FREE char *message = NULL;
    enum report_outcome what;
    if (o->what != OUTCOME_UNKNOWN)
        return 0;
    if (journal_read(root, unpacked_at(dirfd), &what, &message, e))
        return -1;
    if (!message || (what == OUTCOME_UNKNOWN && o->source != SOURCE_HELPER))
        return 0; /* what another said of it is worth more than a line that decides nothing */
    free(o->message);
    o->message = steal_ptr(message);
    o->what = what;
    o->source = SOURCE_JOURNAL;
    return 0;
}
