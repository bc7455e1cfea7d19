/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/out.h"
#include "cloud/device_credentials.h"
#include "cloud/devices.h"
#include "cloud/gateway.h"
#include "cloud/server_error.h"
#include "report/relay_internal.h"

#define SHOWN_MAX 1000u /* bytes of what a server said; the ledger has all of it */

/* What is known of a try once it is over. */
static enum relay_outcome outcome_of(bool answered, const struct gateway_answer *a)
{
    if (answered && a->status / 100 == 2)
        return RELAY_ACCEPTED;
    if (a->status >= 300 && a->status < 500) /* a redirect, or what the server says no to: it did not act */
        return RELAY_REFUSED;
    return a->may_have_arrived ? RELAY_UNKNOWN : RELAY_NOT_SENT;
}

static int say_unknown(const struct relay_report *report, const struct err *why, struct err *e)
{
    err_set(e, ERR_RELAY_UNKNOWN, "report %lld was sent, and whether it arrived is not known: %s",
            (long long)report->reading->id, why->message);
    e->http_status = why->http_status;
    return -1;
}

static int say(const struct relay_report *report, const struct gateway_answer *a, bool answered,
               struct err *e)
{
    struct err why = *e;
    if (report->outcome == RELAY_ACCEPTED)
        return 0;
    if (answered)
        server_error_set(&why, ERR_RELAY_REFUSED, a->status, &a->body);
    if (report->outcome == RELAY_UNKNOWN)
        return say_unknown(report, &why, e);
    *e = why;
    return err_context(e, "report %lld", (long long)report->reading->id);
}

/* The bytes that were verified, and no others. */
static int read_bytes(const struct relay_run *run, const struct reading *r, struct buf *ret, struct err *e)
{
    uint8_t sha256[HASH_SIZE];
    if (ledger_read(run->ledger, r->id, ret, e))
        return -1;
    hash_of(ret->data, ret->len, sha256);
    return memcmp(sha256, r->sha256, HASH_SIZE)
               ? err_set(e, ERR_BAD_LEDGER, "report %lld is not what it was", (long long)r->id)
               : 0;
}

static char *escape(const struct buf *said)
{
    struct buf shown = {0};
    out_escape(&shown, (const char *)said->data, said->len < SHOWN_MAX ? said->len : SHOWN_MAX);
    buf_add(&shown, "", 0);
    return buf_steal_text(&shown);
}

/* What the cloud says of the device now, this relay may be the reason of. */
static int keep_seen(const struct relay_run *run, const struct relay_device *d, int64_t id, struct err *e)
{
    AUTO(cloud_device) struct cloud_device now = {0};
    if (cloud_get_device(run->cloud, d->uuid, &now, e))
        return -1;
    return now.last_seen ? ledger_put_seen(run->ledger, id, now.last_seen, e) : 0;
}

/* The outcome stands in the ledger as unknown from before the first byte goes out. */
static int put(const struct relay_run *run, struct relay_device *d, struct relay_report *report,
               struct gateway *g, struct err *e)
{
    AUTO(buf) struct buf bytes = {0};
    AUTO(gateway_answer) struct gateway_answer answer = {0};
    const struct ledger_relay intent = {.entry = report->reading->id,
                                        .profile = run->options->profile,
                                        .uuid = d->uuid,
                                        .counter = report->reading->counter,
                                        .gateway = gateway_url(g),
                                        .at = run->options->now};
    struct err failed;
    int64_t id;
    bool claimed;
    if (read_bytes(run, report->reading, &bytes, e) ||
        ledger_begin_relay(run->ledger, &intent, d->again, &id, &claimed, e))
        return -1;
    if (!claimed)
        return err_set(e, ERR_STORE_LOCKED, "another airlock relays for this device");
    bool answered = gateway_put_manifest(g, bytes.data, bytes.len, &answer, e) == 0;
    report->outcome = outcome_of(answered, &answer);
    report->status = answer.status;
    if (answered)
        report->answer = escape(&answer.body);
    int rc = say(report, &answer, answered, e);
    if (ledger_end_relay(run->ledger, id, report->outcome, report->status, answer.body.data, answer.body.len,
                         rc ? &failed : e))
        return -1;
    return rc ? rc : keep_seen(run, d, id, e);
}

/* Ends at the first that is not accepted. The cloud is asked before each: it may mark it as overtaken. */
static int send_all(const struct relay_run *run, struct relay_device *d, struct gateway *g, struct err *e)
{
    for (size_t i = 0; i < d->count; i++) {
        if (!relay_is_due(d, &d->list[i]))
            continue;
        if (relay_ask(run, d, e) || (relay_is_due(d, &d->list[i]) && put(run, d, &d->list[i], g, e)))
            return -1;
    }
    return 0;
}

static int open_and_send(const struct relay_run *run, struct relay_device *d, int dirfd, struct err *e)
{
    AUTO(device_credentials) struct device_credentials c = {0};
    struct gateway *g = NULL;
    if (device_credentials_load(dirfd, d->file, &c, e))
        return -1;
    if (strcmp(c.uuid, d->uuid) != 0)
        return err_set(e, ERR_BAD_CREDENTIALS, "'%s' was of another device a moment ago", d->file);
    if (gateway_open(&c, run->options->gateway, run->options->http, &g, e))
        return -1;
    int rc = send_all(run, d, g, e);
    gateway_close(g);
    return rc;
}

int relay_send(struct cloud *c, struct ledger *l, const struct relay_options *o, struct relaying *all,
               struct err *e)
{
    const struct relay_run run = {c, l, o};
    AUTO_FD int dirfd = -1;
    if (fs_open_dir(o->folder, &dirfd, e))
        return -1;
    for (size_t i = 0; i < all->count; i++) {
        struct relay_device *d = &all->list[i];
        if (!d->error.id && d->agreed && relay_count_due(d) && open_and_send(&run, d, dirfd, &d->error))
            err_context(&d->error, "device '%s'", d->name);
    }
    return 0;
}
