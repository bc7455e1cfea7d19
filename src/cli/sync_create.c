/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sync_create.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "account/session.h"
#include "base/buf.h"
#include "base/out.h"
#include "cli/print.h"
#include "report/reading.h"

/* ---- a person's word ---- */

static char *make_question(const struct newcomer *n, const char *folder)
{
    struct buf question = {0};
    buf_add_text(&question, "  id    ");
    out_escape(&question, n->serial, strlen(n->serial));
    buf_addf(&question, " (the serial of the ECU; %zu verified reports)\n  name  ", n->reports);
    out_escape(&question, n->name ? n->name : "", n->name ? strlen(n->name) : 0);
    buf_add_text(&question, n->name ? "\n" : "(the cloud makes one up)\n");
    buf_add_text(&question, "  its credentials go to '");
    out_escape(&question, folder, strlen(folder));
    buf_add_text(&question, "/");
    out_escape(&question, n->file, strlen(n->file));
    buf_add_text(&question, "'\nMake this device in the cloud? [yes/No] ");
    return buf_steal_text(&question);
}

static int agree(const struct sync_create_options *o, struct newcomer *n, struct err *e)
{
    const char *const identities[] = {n->name, n->serial};
    n->agreed = consent_names(o->yes, identities, COUNT_OF(identities));
    if (n->agreed)
        return 0;
    if (!consent_can_ask()) {
        err_set(&n->error, ERR_NOT_AGREED, "ECU '%s': a device can be made for it in the cloud", n->serial);
        return 0;
    }
    AUTO_FREE char *question = make_question(n, o->folder);
    return consent_ask(question, &n->agreed, e);
}

/* A name may also be that of a device that was made before: given again, the command does nothing. */
static int mark_known_names(const struct sync_create_options *o, struct ledger *l, struct err *e)
{
    AUTO(readings) struct readings all = {0};
    if (readings_load(l, &all, e))
        return -1;
    for (size_t i = 0; i < all.count; i++) {
        const char *const identities[] = {all.list[i].name, all.list[i].serial};
        consent_names(o->yes, identities, COUNT_OF(identities));
    }
    return 0;
}

static int agree_on_all(const struct sync_create_options *o, struct ledger *l, struct newcomers *all,
                        struct err *e)
{
    if (mark_known_names(o, l, e) || consent_check_used(o->yes, e))
        return -1;
    for (size_t i = 0; i < all->count; i++)
        if (agree(o, &all->list[i], e))
            return -1;
    return 0;
}

static int make_all(struct app *app, const struct sync_create_options *o, struct ledger *l,
                    struct newcomers *all, bool *ret_any, struct err *e)
{
    const struct newcomer_options how = {.profile = app->profile, .folder = o->folder, .now = app->now};
    AUTO_FD int lock = -1;
    struct cloud *cloud;
    if (ledger_lock_cloud(app->store.state_fd, &lock, e) ||
        session_open_stored(&app->store, app->profile, app->global.cacert, &cloud, e))
        return -1;
    for (size_t i = 0; i < all->count; i++) {
        struct newcomer *n = &all->list[i];
        if (n->agreed && newcomer_make(cloud, l, &how, n, &n->error) == 0)
            *ret_any = true;
    }
    cloud_close(cloud);
    return 0;
}

int sync_create(struct app *app, const struct sync_create_options *o, struct newcomers *ret, bool *ret_any,
                struct err *e)
{
    AUTO_LEDGER struct ledger *ledger = NULL;
    *ret_any = false;
    if (ledger_open(app->store.state_fd, true, &ledger, e) || newcomers_find(ledger, app->profile, ret, e))
        return -1;
    if (o->dry_run)
        return 0;
    return agree_on_all(o, ledger, ret, e) || make_all(app, o, ledger, ret, ret_any, e) ? -1 : 0;
}

/* ---- answers ---- */

void sync_create_print(const struct newcomers *all, const char *folder, bool dry_run)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct newcomer *n = &all->list[i];
        if (n->error.id)
            continue;
        fputs("ECU ", stdout);
        print_text(n->serial);
        printf(": %s", n->uuid   ? "made in the cloud as "
                       : dry_run ? "would be made in the cloud"
                                 : "not made");
        print_text(n->uuid ? n->uuid : "");
        if (n->uuid) {
            fputs("; its credentials are in '", stdout);
            print_text(folder);
            putchar('/');
            print_text(n->file);
            fputs("', readable by you alone", stdout);
        }
        putchar('\n');
    }
}

void sync_create_add_json(const struct newcomers *all, cJSON *created, cJSON *failed)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct newcomer *n = &all->list[i];
        cJSON *item = json_add_item(created);
        cJSON_AddStringToObject(item, "serial", n->serial);
        json_add_text(item, "name", n->name);
        json_add_integer(item, "reports", (int64_t)n->reports);
        json_add_text(item, "uuid", n->uuid);
        cJSON_AddStringToObject(item, "file", n->file);
        if (!n->error.id)
            continue;
        item = json_add_item(failed);
        cJSON_AddStringToObject(item, "device", n->name ? n->name : n->serial);
        cJSON_AddStringToObject(item, "id", err_name(n->error.id));
        cJSON_AddStringToObject(item, "message", n->error.message);
    }
}

void sync_create_tell_failures(const struct newcomers *all, int *exit_code)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].error.id) {
            app_print_failure(&all->list[i].error);
            *exit_code = EXIT_SOME_FAILED;
        }
}
