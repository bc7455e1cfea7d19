/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock sync: what came home, to the cloud.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "account/session.h"
#include "base/mem.h"
#include "base/out.h"
#include "cli/app.h"
#include "cli/print.h"
#include "cli/sync_create.h"
#include "cli/sync_install.h"
#include "cli/sync_relay.h"
#include "report/await.h"
#include "report/publish.h"

struct sync_options {
    bool dry_run, wait, install, uninstall;
    const char *create, *relay, *gateway;
    struct text_list yes, again;
};

static const struct option options[] = {
    {"dry-run", OPTION_FLAG, NULL, offsetof(struct sync_options, dry_run),
     "show what would be written to the notes of which device; write nothing"},
    {"wait", OPTION_FLAG, NULL, offsetof(struct sync_options, wait),
     "where the cloud cannot be reached, sleep until it can"},
    {"install", OPTION_FLAG, NULL, offsetof(struct sync_options, install),
     "let systemd do this for you: once an hour, and when something comes into the ledger"},
    {"uninstall", OPTION_FLAG, NULL, offsetof(struct sync_options, uninstall), "let it do so no more"},
    {"create", OPTION_TEXT, "DIR", offsetof(struct sync_options, create),
     "also make devices for ECUs with verified reports that the cloud does not know; their ZIPs go to DIR"},
    {"relay", OPTION_TEXT, "DIR", offsetof(struct sync_options, relay),
     "also hand verified reports to the device gateway, in the name of devices whose credentials' ZIPs are "
     "in DIR"},
    {"gateway", OPTION_TEXT, "URL", offsetof(struct sync_options, gateway),
     "the device gateway (default: that of the ZIP, else https://dgw.torizon.io)"},
    {"yes", OPTION_LIST, "DEVICE", offsetof(struct sync_options, yes),
     "agree, for this device (its name, UUID or ECU), to what is asked otherwise"},
    {"again", OPTION_LIST, "DEVICE", offsetof(struct sync_options, again),
     "relay once more what may have arrived already"},
    {0},
};

/* ---- the difference ---- */

static bool has_line(const char *text, const char *line, size_t len)
{
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "\n");
        if (n == len && !memcmp(at, line, len))
            return true;
        at += n + (at[n] == '\n');
    }
    return false;
}

/* Lines of one text that the other has not: enough, since lines are only added, replaced and dropped whole.
 */
static void print_lines(const char *text, const char *other, const char *mark)
{
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "\n");
        if (n > 0 && !has_line(other, at, n)) {
            AUTO_FREE char *line = mem_strndup(at, n);
            printf("  %s ", mark);
            print_text(line);
            putchar('\n');
        }
        at += n + (at[n] == '\n');
    }
}

/* ---- answers ---- */

struct answer {
    struct publishing published;
    struct newcomers made;
    struct relaying relayed;
    struct err broken; /* id 0: none; what ended --create or --relay as a whole */
};

static void answer_free(struct answer *a)
{
    publishing_free(&a->published);
    newcomers_free(&a->made);
    relaying_free(&a->relayed);
}

static void print_publication(const struct publication *p, bool dry_run)
{
    if (!p->uuid) {
        fputs("ECU ", stdout);
        print_text(p->serial);
        printf(": %zu of its reports stay here; the cloud knows no device of it\n", p->reports);
        return;
    }
    print_text(p->name);
    printf(": %zu reports, %s\n", p->reports,
           !p->changed ? "its notes have them already"
           : dry_run   ? "its notes would become"
                       : "written to its notes");
    if (p->changed && dry_run) {
        print_lines(p->former, p->text, "-");
        print_lines(p->text, p->former, "+");
    }
}

static void print_answer(const struct publishing *all, bool dry_run)
{
    for (size_t i = 0; i < all->count; i++)
        if (!all->list[i].error.id)
            print_publication(&all->list[i], dry_run);
    if (all->nameless)
        printf(
            "%zu reports stay here, since it is not known of which device they are: rows of a log without a "
            "manifest, a helper's whose key is nobody's, notes on a device that the cloud does not call so\n",
            all->nameless);
    if (all->count + all->nameless == 0)
        puts("there are no reports to publish; 'airlock reports collect STICK' brings them");
}

static void json_add_publication(cJSON *list, const struct publication *p)
{
    cJSON *item = json_add_item(list);
    json_add_text(item, "serial", *p->serial ? p->serial : NULL);
    json_add_text(item, "uuid", p->uuid);
    json_add_text(item, "device", p->name);
    json_add_integer(item, "reports", (int64_t)p->reports);
    cJSON_AddBoolToObject(item, "changed", p->changed);
    json_add_text(item, "notes", p->changed ? p->text : NULL);
}

static void json_add_failure(cJSON *list, const char *device, const struct err *e)
{
    cJSON *item = json_add_item(list);
    cJSON_AddStringToObject(item, "device", device);
    cJSON_AddStringToObject(item, "id", err_name(e->id));
    cJSON_AddStringToObject(item, "message", e->message);
}

static void print_json(const struct answer *a, const struct sync_options *o)
{
    const struct publishing *all = &a->published;
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON *devices = cJSON_AddArrayToObject(answer, "devices");
    cJSON *failed = cJSON_AddArrayToObject(answer, "failed");
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].error.id)
            json_add_failure(failed, all->list[i].name, &all->list[i].error);
        else
            json_add_publication(devices, &all->list[i]);
    json_add_integer(answer, "nameless", (int64_t)all->nameless);
    sync_create_add_json(&a->made, cJSON_AddArrayToObject(answer, "created"), failed);
    sync_relay_add_json(&a->relayed, cJSON_AddArrayToObject(answer, "relays"), failed);
    if (a->broken.id)
        json_add_failure(failed, o->create ? o->create : o->relay, &a->broken);
    app_print_json(answer);
}

static void print_all(const struct answer *a, const struct sync_options *o)
{
    sync_create_print(&a->made, o->create, o->dry_run);
    print_answer(&a->published, o->dry_run);
    if (o->relay && !a->broken.id)
        sync_relay_print(&a->relayed, o->dry_run);
}

/* What failed with one device is told, and the others are done. */
static void tell_failures(const struct answer *a, int *exit_code)
{
    for (size_t i = 0; i < a->published.count; i++)
        if (a->published.list[i].error.id) {
            app_print_failure(&a->published.list[i].error);
            *exit_code = EXIT_SOME_FAILED;
        }
    sync_create_tell_failures(&a->made, exit_code);
    sync_relay_tell_failures(&a->relayed, exit_code);
    if (a->broken.id) {
        app_print_failure(&a->broken);
        *exit_code = EXIT_SOME_FAILED;
    }
}

static int sync_once(struct app *app, const struct sync_options *o, struct publishing *ret, struct err *e)
{
    AUTO_LEDGER struct ledger *ledger = NULL;
    AUTO_FD int lock = -1;
    struct cloud *cloud;
    if ((o->wait && session_knock(&app->store, app->profile, app->global.cacert, e)) ||
        ledger_lock_cloud(app->store.state_fd, &lock, e) ||
        ledger_open(app->store.state_fd, true, &ledger, e) ||
        session_open_stored(&app->store, app->profile, app->global.cacert, &cloud, e))
        return -1;
    const struct publish_options how = {.profile = app->profile, .now = app->now, .dry_run = o->dry_run};
    int rc = publish_reports(cloud, ledger, &how, ret, e);
    cloud_close(cloud);
    return rc;
}

/* What stands in the way and may pass; NULL: nothing. `why` is that of a try that failed as a whole. */
static const struct err *find_hindrance(const struct publishing *all, bool failed, const struct err *why)
{
    if (failed)
        return await_helps(why) ? why : NULL;
    for (size_t i = 0; i < all->count; i++)
        if (await_helps(&all->list[i].error))
            return &all->list[i].error;
    return NULL;
}

/* The same reason is told once. */
static void tell_waiting(const struct app *app, const struct err *why, enum err_id *told)
{
    AUTO(buf) struct buf reason = {0};
    if (*told == why->id)
        return;
    *told = why->id;
    out_escape(&reason, why->message, strlen(why->message));
    app_note(app, "airlock: waiting for the cloud: %s", buf_text(&reason));
}

static int sync_until_done(struct app *app, const struct sync_options *o, struct publishing *ret,
                           struct err *e)
{
    AUTO(await) struct await await = {.fd = -1};
    enum err_id told = ERR_NONE;
    if (o->wait && await_open(&await, e))
        return -1;
    for (;;) {
        int rc = sync_once(app, o, ret, e);
        const struct err *hindrance = o->wait ? find_hindrance(ret, rc != 0, e) : NULL;
        if (!hindrance)
            return rc;
        tell_waiting(app, hindrance, &told);
        publishing_free(ret);
        if (await_rest(&await, e))
            return -1;
        app_read_clock(app);
    }
}

static int check_usage(const struct sync_options *o, struct err *e)
{
    bool more = o->dry_run || o->wait || o->relay || o->create;
    if (o->install + o->uninstall > (more ? 0 : 1))
        return err_set(e, ERR_USAGE, "--install and --uninstall stand alone");
    if (o->create && o->relay)
        return err_set(e, ERR_USAGE,
                       "--create and --relay are two runs: what was just made never came online");
    if (!o->relay && (o->gateway || o->again.count))
        return err_set(e, ERR_USAGE, "--gateway and --again belong to --relay");
    if (!o->relay && !o->create && o->yes.count)
        return err_set(e, ERR_USAGE, "--yes belongs to --relay or --create");
    return 0;
}

/* What was made has reports to publish. */
static int create(struct app *app, const struct sync_options *o, struct publishing *all,
                  struct newcomers *ret, struct err *e)
{
    AUTO(consent) struct consent yes = {.option = "yes", .names = o->yes};
    const struct sync_create_options how = {.folder = o->create, .dry_run = o->dry_run, .yes = &yes};
    bool any;
    if (!o->create)
        return 0;
    if (sync_create(app, &how, ret, &any, e))
        return -1;
    if (!any)
        return 0;
    publishing_free(all);
    return sync_until_done(app, o, all, e);
}

static int relay(struct app *app, const struct sync_options *o, struct relaying *ret, struct err *e)
{
    AUTO(consent) struct consent yes = {.option = "yes", .names = o->yes};
    AUTO(consent) struct consent again = {.option = "again", .names = o->again};
    const struct sync_relay_options how = {
        .folder = o->relay, .gateway = o->gateway, .dry_run = o->dry_run, .yes = &yes, .again = &again};
    return o->relay ? sync_relay(app, &how, ret, e) : 0;
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    const struct sync_options *o = values;
    AUTO(answer) struct answer answer = {0};
    (void)words, (void)count;
    if (check_usage(o, e))
        return -1;
    if (o->install || o->uninstall)
        return o->install ? sync_install(app, e) : sync_uninstall(app, e);
    if (app_open_store(app, e) || sync_until_done(app, o, &answer.published, e))
        return -1;
    if (create(app, o, &answer.published, &answer.made, &answer.broken) ||
        relay(app, o, &answer.relayed, &answer.broken)) /* what was done before is told all the same */
        err_context(&answer.broken, "--%s", o->create ? "create" : "relay");
    if (app->global.json)
        print_json(&answer, o);
    else
        print_all(&answer, o);
    tell_failures(&answer, exit_code);
    return 0;
}

const struct command cmd_sync = {
    .name = "sync",
    .words = "",
    .summary = "put the reports that came home into the cloud's notes of their devices",
    .details =
        "A device is found by the serial of the ECU that signed. Its notes get a table between two lines of\n"
        "airlock's; what people wrote around it stays as it is. The table says on whose word each row is, "
        "and\n"
        "that a courier brought it. Given again, or on a second laptop, nothing is written twice.",
    .min_words = 0,
    .max_words = 0,
    .options = options,
    .options_size = sizeof(struct sync_options),
    .run = run,
};
