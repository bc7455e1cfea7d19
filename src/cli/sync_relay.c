/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sync_relay.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "account/session.h"
#include "base/out.h"
#include "cli/print.h"
#include "cli/reports.h"

/* ---- a person's word ---- */

static void add_escaped(struct buf *to, const char *text)
{
    out_escape(to, text, strlen(text));
}

static char *make_question(const struct relay_device *d)
{
    struct buf question = {0};
    for (size_t i = 0; i < d->count; i++) {
        const struct reading *r = d->list[i].reading;
        AUTO_FREE char *lockbox = reports_lockbox_text(r);
        if (!relay_is_due(d, &d->list[i]))
            continue;
        buf_addf(&question, "  report %" PRId64 ", counter %" PRId64 ": ", r->id, r->counter);
        add_escaped(&question, lockbox);
        buf_addf(&question, ", %s\n", reading_outcome_text(r->outcome));
    }
    buf_add_text(&question, "Send this to the cloud in the name of '");
    add_escaped(&question, d->name);
    buf_addf(&question, "' (%s)? [yes/No] ", d->uuid);
    return buf_steal_text(&question);
}

static int agree(const struct sync_relay_options *o, struct relay_device *d, struct err *e)
{
    const char *const identities[] = {d->name, d->uuid, d->serial};
    d->again = consent_names(o->again, identities, COUNT_OF(identities));
    d->agreed = consent_names(o->yes, identities, COUNT_OF(identities)) || d->again;
    size_t due = relay_count_due(d);
    if (d->agreed || d->error.id || due == 0)
        return 0;
    if (!consent_can_ask()) {
        err_set(&d->error, ERR_NOT_AGREED, "device '%s': %zu reports wait to be sent in its name", d->name,
                due);
        return 0;
    }
    AUTO_FREE char *question = make_question(d);
    return consent_ask(question, &d->agreed, e);
}

static int agree_on_all(const struct sync_relay_options *o, struct relaying *all, struct err *e)
{
    for (size_t i = 0; i < all->count; i++)
        if (agree(o, &all->list[i], e))
            return -1;
    return consent_check_used(o->yes, e) || consent_check_used(o->again, e) ? -1 : 0;
}

typedef int relay_step(struct cloud *c, struct ledger *l, const struct relay_options *o, struct relaying *all,
                       struct err *e);

/* While a person thinks, nobody else is kept waiting. */
static int run_locked(relay_step *step, const struct app *app, struct cloud *c, struct ledger *l,
                      const struct relay_options *how, struct relaying *all, struct err *e)
{
    AUTO_FD int lock = -1;
    return ledger_lock_cloud(app->store.state_fd, &lock, e) || step(c, l, how, all, e) ? -1 : 0;
}

int sync_relay(struct app *app, const struct sync_relay_options *o, struct relaying *ret, struct err *e)
{
    AUTO_LEDGER struct ledger *ledger = NULL;
    AUTO(profile) struct profile profile = {0};
    struct cloud *cloud;
    if (profile_load(&app->store, app->profile, &profile, e) ||
        ledger_open(app->store.state_fd, true, &ledger, e) ||
        session_open(&profile, app->global.cacert, &cloud, e))
        return -1;
    const struct http_options http = {.ca_file = app->global.cacert ? app->global.cacert : profile.ca_file};
    const struct relay_options how = {.profile = app->profile,
                                      .now = app->now,
                                      .dry_run = o->dry_run,
                                      .folder = o->folder,
                                      .gateway = o->gateway,
                                      .http = &http};
    int rc = run_locked(relay_plan, app, cloud, ledger, &how, ret, e);
    if (rc == 0 && !o->dry_run)
        rc = agree_on_all(o, ret, e) || run_locked(relay_send, app, cloud, ledger, &how, ret, e) ? -1 : 0;
    cloud_close(cloud);
    return rc;
}

/* ---- answers ---- */

static void print_report(const struct relay_device *d, const struct relay_report *r, bool dry_run)
{
    static const char *const texts[] = {
        [RELAY_UNKNOWN] = "sent, and whether it arrived is not known; --again sends it once more",
        [RELAY_ACCEPTED] = "sent in its name, and accepted",
        [RELAY_REFUSED] = "sent in its name, and refused",
        [RELAY_NOT_SENT] = "not sent",
        [RELAY_OVERTAKEN] = "overtaken: the device came online by itself after it",
        [RELAY_WAITING] = "not sent",
    };
    print_text(d->name);
    printf(": report %" PRId64 ", counter %" PRId64 ": %s\n", r->reading->id, r->reading->counter,
           dry_run && r->outcome == RELAY_WAITING && !d->error.id ? "would be sent in its name"
                                                                  : texts[r->outcome]);
}

void sync_relay_print(const struct relaying *all, bool dry_run)
{
    size_t idle = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct relay_device *d = &all->list[i];
        for (size_t j = 0; j < d->count; j++)
            print_report(d, &d->list[j], dry_run);
        if (d->older) {
            print_text(d->name);
            printf(": %zu older reports are not sent: they would roll back what the cloud shows\n", d->older);
        }
        idle += !d->error.id && d->count == 0 && d->older == 0;
    }
    if (all->count == 0)
        puts("the folder that --relay names holds no ZIP");
    else if (idle == all->count)
        puts("there is nothing to relay");
}

static void json_add_report(cJSON *list, const struct relay_report *r)
{
    cJSON *item = json_add_item(list);
    json_add_integer(item, "id", r->reading->id);
    json_add_integer(item, "counter", r->reading->counter);
    cJSON_AddStringToObject(item, "outcome", relay_outcome_text(r->outcome));
    if (r->status)
        json_add_integer(item, "status", r->status);
    else
        cJSON_AddNullToObject(item, "status");
    json_add_text(item, "answer", r->answer);
}

void sync_relay_add_json(const struct relaying *all, cJSON *relays, cJSON *failed)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct relay_device *d = &all->list[i];
        cJSON *item = json_add_item(relays);
        cJSON_AddStringToObject(item, "file", d->file);
        json_add_text(item, "uuid", d->uuid);
        json_add_text(item, "device", d->name);
        cJSON *reports = cJSON_AddArrayToObject(item, "reports");
        for (size_t j = 0; j < d->count; j++)
            json_add_report(reports, &d->list[j]);
        json_add_integer(item, "older", (int64_t)d->older);
        if (d->error.id) {
            item = json_add_item(failed);
            cJSON_AddStringToObject(item, "device", d->name ? d->name : d->file);
            cJSON_AddStringToObject(item, "id", err_name(d->error.id));
            cJSON_AddStringToObject(item, "message", d->error.message);
        }
    }
}

void sync_relay_tell_failures(const struct relaying *all, int *exit_code)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].error.id) {
            app_print_failure(&all->list[i].error);
            *exit_code = EXIT_SOME_FAILED;
        }
}
