/* SPDX-License-Identifier: Apache-2.0 */
#include "report/relay_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cloud/devices.h"

static int check_serial(const struct relay_run *run, const struct relay_device *d, struct err *e);
static int mark_overtaken(const struct relay_run *run, struct relay_device *d, const char *seen,
                          struct err *e);
static int check_assignments(const struct relay_run *run, const struct relay_device *d, struct err *e);

/* The assignments last: the fewer moments lie between that answer and what is sent, the better. */
int relay_ask(const struct relay_run *run, struct relay_device *d, struct err *e)
{
    AUTO(cloud_device) struct cloud_device now = {0};
    if (cloud_get_device(run->cloud, d->uuid, &now, e) || check_serial(run, d, e) ||
        mark_overtaken(run, d, now.last_seen, e))
        return -1;
    return relay_count_due(d) ? check_assignments(run, d, e) : 0;
}

/* The ledger learned it some time ago, and a device can get another ECU. */
static int check_serial(const struct relay_run *run, const struct relay_device *d, struct err *e)
{
    AUTO_FREE char *serial = NULL;
    if (cloud_device_serial(run->cloud, d->uuid, &serial, e))
        return -1;
    if (!serial)
        return err_set(e, ERR_OTHER_DEVICE, "it never came online, and so the cloud knows no key of its");
    if (strcmp(serial, d->serial) != 0)
        return err_set(e, ERR_OTHER_DEVICE, "its primary ECU is another than the one that signed");
    return 0;
}

/* When what it reports was there at the latest: by the device's own log, where it has one, or when it was
 * collected. */
static int latest_time(const struct relay_run *run, const struct reading *r, int64_t *ret, struct err *e)
{
    int64_t first_us;
    if (ledger_first_line(run->ledger, r->id, &first_us, e))
        return -1;
    int64_t first = first_us == INT64_MAX ? INT64_MAX : first_us / 1000000;
    *ret = first < r->seen_at ? first : r->seen_at;
    return 0;
}

/* A device that comes online delivers what it has by itself, newer than what a stick brings. The cloud tells
 * no counter, but when it saw the device last. A cloud may take what we relayed for the device: that it was
 * seen directly after that is our doing. */
static int mark_overtaken(const struct relay_run *run, struct relay_device *d, const char *seen,
                          struct err *e)
{
    AUTO_FREE char *by_us = NULL;
    int64_t seen_at, latest;
    if (!seen)
        return 0;
    if (ledger_last_seen(run->ledger, d->uuid, &by_us, e))
        return -1;
    if (by_us && !strcmp(by_us, seen))
        return 0;
    if (!clock_parse(seen, &seen_at))
        return err_set(e, ERR_BAD_ANSWER, "the cloud saw it last at no time that can be read");
    for (size_t i = 0; i < d->count; i++) {
        struct relay_report *report = &d->list[i];
        if (latest_time(run, report->reading, &latest, e))
            return -1;
        if (seen_at < latest || (report->outcome != RELAY_WAITING && report->outcome != RELAY_UNKNOWN))
            continue;
        const struct ledger_relay mark = {.entry = report->reading->id,
                                          .profile = run->options->profile,
                                          .uuid = d->uuid,
                                          .counter = report->reading->counter,
                                          .gateway = "",
                                          .at = run->options->now};
        if (!run->options->dry_run && ledger_mark_overtaken(run->ledger, &mark, e))
            return -1;
        report->outcome = RELAY_OVERTAKEN;
    }
    return 0;
}

static int check_assignments(const struct relay_run *run, const struct relay_device *d, struct err *e)
{
    size_t open;
    if (cloud_count_assignments(run->cloud, d->uuid, &open, e))
        return -1;
    return open ? err_set(e, ERR_OPEN_ASSIGNMENT, "the cloud has an update for it that is not done") : 0;
}
