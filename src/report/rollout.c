/* SPDX-License-Identifier: Apache-2.0 */
#include "report/rollout.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "report/revision.h"

struct work {
    const struct roster *roster;
    const struct store *store;
    struct goal goal;
    struct rollout rollout;
};

const char *rollout_state_text(enum rollout_state state)
{
    static const char *const texts[] = {
        [ROLLOUT_DONE] = "done",
        [ROLLOUT_FAILED] = "failed",
        [ROLLOUT_REFUSED] = "refused",
        [ROLLOUT_REBOOT] = "waits for a reboot",
        [ROLLOUT_UNDER_WAY] = "in progress or interrupted",
        [ROLLOUT_UNCLEAR] = "unclear",
        [ROLLOUT_SILENT] = "not heard of",
        [ROLLOUT_NOT_MEANT] = "not meant",
    };
    return texts[state];
}

void rollout_free(struct rollout *rollout)
{
    for (size_t i = 0; i < rollout->count; i++) {
        free(rollout->list[i].key);
        free(rollout->list[i].name);
    }
    free(rollout->list);
    free(rollout->lockbox);
    roster_fleet_free(&rollout->fleet);
    cloud_devices_free(&rollout->devices);
    readings_free(&rollout->readings);
    *rollout = (struct rollout){0};
}

/* ---- what is to be reached ---- */

static int load_goal(struct work *w, struct err *e)
{
    struct rollout *rollout = &w->rollout;
    AUTO(buf) struct buf role = {0};
    struct err ignored;
    if (rollout->asked && cloud_get_lockbox(w->roster->cloud, rollout->lockbox, &role, e) == 0) {
        rollout->version_source = ROLLOUT_CLOUD;
        if (goal_read(&role, &w->goal, e))
            return err_context(e, "lockbox '%s' in the cloud", rollout->lockbox);
    } else if (rollout->asked && e->id != ERR_NO_SUCH_LOCKBOX) {
        return -1;
    } else if (goal_load(w->store, w->roster->profile, rollout->lockbox, &w->goal, &ignored) == 0) {
        rollout->version_source = ROLLOUT_LEDGER;
    } else if (rollout->asked) {
        return -1;
    }
    rollout->version = w->goal.version;
    return 0;
}

/* ---- the machines of the cloud ---- */

static struct rollout_machine *add_machine(struct rollout *rollout, const char *name)
{
    mem_grow(&rollout->list, rollout->count, &rollout->room, sizeof *rollout->list);
    rollout->list[rollout->count] = (struct rollout_machine){.name = mem_strdup(name), .runs = GOAL_UNKNOWN};
    return &rollout->list[rollout->count++];
}

static int load_devices(struct work *w, const char *fleet, struct err *e)
{
    struct rollout *rollout = &w->rollout;
    AUTO(cloud_names) struct cloud_names hardware = {0};
    int rc = 0;
    if (fleet) {
        rc = roster_load_fleet(w->roster, fleet, true, &rollout->fleet, e);
        rollout->devices = rollout->fleet.devices;
        rollout->fleet.devices = (struct cloud_devices){0};
    } else if (rollout->asked) {
        goal_hardware(&w->goal, &hardware);
        if (hardware.count)
            rc = cloud_list_devices_with(w->roster->cloud, &hardware, &rollout->devices, e);
        hardware.count = 0; /* the texts are the goal's */
    }
    rollout->whole = fleet || rollout->asked;
    return rc;
}

static int ask_components(const struct work *w, const struct cloud_device *d, enum goal_state *ret,
                          struct err *e)
{
    const struct roster *r = w->roster;
    AUTO(cloud_components) struct cloud_components components = {0};
    if (cloud_list_components(r->cloud, d->uuid, &components, e) && e->http_status != 404)
        return err_context(e, "device '%s'", d->name);
    *ret = goal_compare(&w->goal, &components); /* 404: it went meanwhile, and has none */
    for (size_t i = 0; i < components.count; i++)
        if (components.list[i].is_primary)
            return ledger_remember_device(r->ledger, r->profile, components.list[i].serial, d->uuid, d->name,
                                          r->now, e);
    return 0;
}

/* Without a fleet, a server that does not filter by hardware would bring machines that are not meant. */
static int add_devices(struct work *w, struct err *e)
{
    struct rollout *rollout = &w->rollout;
    for (size_t i = 0; i < rollout->devices.count; i++) {
        const struct cloud_device *d = &rollout->devices.list[i];
        enum goal_state runs = GOAL_UNKNOWN;
        if (rollout->asked && ask_components(w, d, &runs, e))
            return -1;
        if (!rollout->fleet.fleet.id && runs == GOAL_NOT_MEANT)
            continue;
        struct rollout_machine *m = add_machine(rollout, d->name);
        m->device = d;
        m->runs = runs;
    }
    return 0;
}

/* ---- what the ledger says ---- */

static struct rollout_machine *find_device(struct rollout *rollout, const struct cloud_device *device)
{
    for (size_t i = 0; i < rollout->count; i++)
        if (rollout->list[i].device == device)
            return &rollout->list[i];
    return NULL;
}

static struct rollout_machine *find_key(struct rollout *rollout, const char *key)
{
    for (size_t i = 0; i < rollout->count; i++)
        if (rollout->list[i].key && !strcmp(rollout->list[i].key, key))
            return &rollout->list[i];
    return NULL;
}

/* What a person calls the helper that names this ECU as its device's own; NULL: none does. */
static const char *name_by_helper(const struct rollout *rollout, const char *serial)
{
    for (size_t i = 0; i < rollout->readings.count; i++) {
        const struct reading *r = &rollout->readings.list[i];
        for (size_t n = 0; r->name && n < r->ecu_count; n++)
            if (!strcmp(r->ecus[n], serial))
                return r->name;
    }
    return NULL;
}

/* Of a machine that the cloud does not have. A person's name for it makes one machine of all that bears it.
 */
static struct rollout_machine *of_ledger(struct rollout *rollout, const struct reading *r)
{
    const char *named = r->kind == ENTRY_NOTE ? r->calls_itself : r->name;
    if (!named && *r->serial)
        named = name_by_helper(rollout, r->serial);
    AUTO_FREE char *key = named        ? mem_format("name %s", named)
                          : *r->serial ? mem_format("serial %s", r->serial)
                                       : mem_format("says %s", r->calls_itself);
    struct rollout_machine *m = find_key(rollout, key);
    if (m)
        return m;
    AUTO_FREE char *name = named ? mem_strdup(named) : mem_format("\"%s\"", r->calls_itself);
    m = add_machine(rollout, name);
    m->key = steal_ptr(key);
    return m;
}

/* A row of a log is signed by nobody: it adds to the machine that called itself so in what it signed, and
 * makes one of its own only where there is none. */
static struct rollout_machine *of_row(struct rollout *rollout, const struct reading *row)
{
    for (size_t i = 0; i < rollout->count; i++) {
        struct rollout_machine *m = &rollout->list[i];
        const struct reading *r = m->reading ? m->reading : m->other;
        if (r && !strcmp(r->calls_itself, row->calls_itself))
            return m;
    }
    return of_ledger(rollout, row);
}

static unsigned rank(enum reading_trust trust)
{
    static const unsigned ranks[] = {
        [READING_VERIFIED] = 0,    [READING_UNVERIFIED] = 1, [READING_PERSON] = 2,
        [READING_UNKNOWN_KEY] = 3, [READING_UNSIGNED] = 4,   [READING_FORGED] = 5,
    };
    return ranks[trust];
}

/* What became of an install, and not only that none was begun: that a stick was refused later, as when it is
 * put in again, takes nothing back. */
static bool is_result(const struct reading *r)
{
    return r->outcome == READING_INSTALLED || r->outcome == READING_FAILED || r->outcome == READING_REBOOT;
}

/* On the better word; else a result; else the newer. */
static bool is_better(const struct reading *r, const struct reading *than)
{
    if (!than)
        return true;
    if (rank(r->trust) != rank(than->trust))
        return rank(r->trust) < rank(than->trust);
    if (r->version != than->version)
        return r->version > than->version;
    if (is_result(r) != is_result(than))
        return is_result(r);
    if (r->kind == than->kind && !strcmp(r->serial, than->serial) && r->counter != than->counter)
        return r->counter > than->counter;
    return r->seen_at > than->seen_at;
}

static bool is_of_rollout(const struct work *w, const struct reading *r)
{
    bool version = !w->rollout.version || r->version < 0 || r->version == w->rollout.version;
    return version && revision_compare(w->store, w->roster->profile, r->correlation) != REVISION_OTHER;
}

static int add_reading(struct work *w, const struct reading *r, struct err *e)
{
    struct rollout *rollout = &w->rollout;
    const struct cloud_device *device;
    if (roster_match(w->roster, &rollout->devices, r, &device, e))
        return -1;
    struct rollout_machine *m = device ? find_device(rollout, device) : NULL;
    if (!m && rollout->fleet.fleet.id) {
        rollout->elsewhere++;
        return 0;
    }
    if (!m)
        m = r->kind == ENTRY_INSTALL ? of_row(rollout, r) : of_ledger(rollout, r);
    const struct reading **slot = is_of_rollout(w, r) ? &m->reading : &m->other;
    if (is_better(r, *slot))
        *slot = r;
    return 0;
}

/* Rows last: by then it is known what the machines call themselves. */
static int add_readings(struct work *w, struct err *e)
{
    struct rollout *rollout = &w->rollout;
    for (int rows = 0; rows < 2; rows++)
        for (size_t i = 0; i < rollout->readings.count; i++) {
            const struct reading *r = &rollout->readings.list[i];
            if ((r->kind == ENTRY_INSTALL) == rows && reading_counts(r) && r->lockbox &&
                !strcmp(r->lockbox, rollout->lockbox) && add_reading(w, r, e))
                return -1;
        }
    return 0;
}

/* ---- both together ---- */

static enum rollout_state state_of(const struct rollout *rollout, const struct reading *r)
{
    switch (r->outcome) {
    case READING_INSTALLED:
        return r->version < 0 && rollout->version > 1 ? ROLLOUT_UNCLEAR
                                                      : ROLLOUT_DONE; /* of which version, nobody says */
    case READING_FAILED:
        return ROLLOUT_FAILED;
    case READING_REFUSED:
        return ROLLOUT_REFUSED;
    case READING_REBOOT:
        return ROLLOUT_REBOOT;
    case READING_UNDER_WAY:
        return ROLLOUT_UNDER_WAY;
    case READING_NOTHING:
    case READING_UNKNOWN:
        break;
    }
    return ROLLOUT_UNCLEAR;
}

/* Did the cloud hear of it after the report was collected, and does it run something else? */
static bool is_contradicted(const struct rollout_machine *m)
{
    int64_t seen;
    return (m->runs == GOAL_OTHER || m->runs == GOAL_PARTLY) && m->device->last_seen &&
           clock_parse(m->device->last_seen, &seen) && seen > m->reading->seen_at;
}

static void decide(const struct rollout *rollout, struct rollout_machine *m)
{
    bool reached = m->device && m->runs == GOAL_REACHED;
    m->state = m->reading ? state_of(rollout, m->reading) : ROLLOUT_SILENT;
    m->source = m->reading ? ROLLOUT_LEDGER : ROLLOUT_NOBODY;
    if (reached) {
        m->source = m->state == ROLLOUT_DONE ? ROLLOUT_BOTH : ROLLOUT_CLOUD;
        m->state = ROLLOUT_DONE;
    } else if (m->state == ROLLOUT_DONE && m->device && is_contradicted(m)) {
        m->source = ROLLOUT_BOTH;
        m->state = ROLLOUT_UNCLEAR;
    } else if (m->state == ROLLOUT_SILENT && m->device && m->runs == GOAL_NOT_MEANT) {
        m->source = ROLLOUT_CLOUD;
        m->state = ROLLOUT_NOT_MEANT;
    }
}

static int compare_machines(const void *a, const void *b)
{
    const struct rollout_machine *x = a, *y = b;
    if (x->state != y->state)
        return x->state < y->state ? -1 : 1;
    return strcmp(x->name, y->name);
}

int rollout_load(const struct roster *r, const struct store *s, const char *lockbox, const char *fleet,
                 struct rollout *ret, struct err *e)
{
    struct work w = {
        .roster = r, .store = s, .rollout = {.lockbox = mem_strdup(lockbox), .asked = r->cloud != NULL}};
    struct rollout *rollout = &w.rollout;
    int rc = readings_load(r->ledger, &rollout->readings, e) || load_goal(&w, e) ||
                     load_devices(&w, fleet, e) || add_devices(&w, e) || add_readings(&w, e)
                 ? -1
                 : 0;
    goal_free(&w.goal);
    if (rc) {
        rollout_free(rollout);
        return -1;
    }
    for (size_t i = 0; i < rollout->count; i++) {
        decide(rollout, &rollout->list[i]);
        rollout->counts[rollout->list[i].state]++;
    }
    if (rollout->count)
        qsort(rollout->list, rollout->count, sizeof *rollout->list, compare_machines);
    *ret = *rollout;
    return 0;
}
