/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
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
    o->what = succeeded ? OUTCOME_INSTALLED : OUTCOME_FAILED;
    free(o->message);
    o->message = json_get_typed(at, "code", JSON_STRING, &code) ? json_string_copy(code) : mem_strdup("");
    if (strlen(o->message) > REPORT_TEXT_MAX)
        o->message[0] = '\0';
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

int outcome_read(int dirfd, struct outcome *ret, struct err *e)
{
    AUTO(outcome) struct outcome o = {.what = OUTCOME_UNKNOWN, .source = SOURCE_HELPER};
    if (find_lockbox(dirfd, &o, e) || (o.lockbox && read_log(dirfd, &o, e)))
        return -1;
    if (!o.lockbox) {
        o.what = OUTCOME_NOTHING;
        o.message = mem_strdup("nothing was unpacked");
    } else if (o.source == SOURCE_HELPER) {
        o.message = mem_strdup("the client has logged nothing of it");
    } else if (!o.has_manifest || !read_result(&o)) {
        o.message = mem_strdup("the client has begun and logged no result");
    }
    *ret = o;
    o = (struct outcome){0};
    return 0;
}
