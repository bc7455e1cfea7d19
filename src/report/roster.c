/* SPDX-License-Identifier: Apache-2.0 */
#include "report/roster.h"

#include <string.h>

#include "base/mem.h"

int roster_learn(const struct roster *r, const struct cloud_device *d, struct err *e)
{
    AUTO_FREE char *serial = NULL;
    bool known;
    if (ledger_knows_device(r->ledger, r->profile, d->uuid, r->now - ROSTER_KEPT_S, &known, e))
        return -1;
    if (known)
        return 0;
    if (cloud_device_serial(r->cloud, d->uuid, &serial, e))
        return e->http_status == 404 ? 0 : err_context(e, "device '%s'", d->name); /* it went meanwhile */
    return serial ? ledger_remember_device(r->ledger, r->profile, serial, d->uuid, d->name, r->now, e) : 0;
}

/* ---- fleets ---- */

void roster_fleet_free(struct roster_fleet *f)
{
    ledger_fleet_free(&f->fleet);
    cloud_devices_free(&f->devices);
}

static void add_device(void *ctx, const char *uuid, const char *name, const char *id)
{
    struct cloud_devices *devices = ctx;
    mem_grow(&devices->list, devices->count, &devices->room, sizeof *devices->list);
    devices->list[devices->count++] = (struct cloud_device){
        .uuid = mem_strdup(uuid), .name = mem_strdup(name), .id = id ? mem_strdup(id) : NULL};
}

static int choose(const struct cloud_fleets *all, const char *word, const struct cloud_fleet **ret,
                  struct err *e)
{
    *ret = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct cloud_fleet *fleet = &all->list[i];
        bool by_id = !strcmp(fleet->id, word);
        if (!by_id && strcmp(fleet->name, word) != 0)
            continue;
        if (*ret && !by_id)
            return err_set(e, ERR_NO_SUCH_FLEET, "there are several fleets '%s'", word);
        *ret = fleet;
        if (by_id)
            return 0;
    }
    return *ret ? 0 : err_set(e, ERR_NO_SUCH_FLEET, "the account has no fleet '%s'", word);
}

static int keep(const struct roster *r, const struct roster_fleet *f, struct err *e)
{
    if (ledger_begin(r->ledger, e))
        return -1;
    int rc = ledger_put_fleet(r->ledger, r->profile, &f->fleet, e);
    for (size_t i = 0; i < f->devices.count && rc == 0; i++) {
        const struct cloud_device *d = &f->devices.list[i];
        rc = ledger_put_fleet_device(r->ledger, r->profile, f->fleet.id, d->uuid, d->name, d->id, e);
    }
    if (rc == 0 && ledger_commit(r->ledger, e) == 0)
        return 0;
    ledger_roll_back(r->ledger);
    return -1;
}

static int ask_fleet(const struct roster *r, const char *word, struct roster_fleet *ret, struct err *e)
{
    AUTO(cloud_fleets) struct cloud_fleets all = {0};
    AUTO(roster_fleet) struct roster_fleet asked = {0};
    const struct cloud_fleet *fleet;
    if (cloud_list_fleets(r->cloud, &all, e) || choose(&all, word, &fleet, e) ||
        cloud_list_fleet_devices(r->cloud, fleet->id, &asked.devices, e))
        return -1;
    asked.fleet =
        (struct ledger_fleet){.id = mem_strdup(fleet->id), .name = mem_strdup(fleet->name), .at = r->now};
    if (keep(r, &asked, e))
        return -1;
    *ret = asked;
    asked = (struct roster_fleet){0};
    return 0;
}

int roster_load_fleet(const struct roster *r, const char *word, bool fresh, struct roster_fleet *ret,
                      struct err *e)
{
    AUTO(roster_fleet) struct roster_fleet kept = {0};
    if (r->cloud && fresh)
        return ask_fleet(r, word, ret, e);
    if (ledger_find_fleet(r->ledger, r->profile, word, &kept.fleet, e))
        return -1;
    bool usable = kept.fleet.id && (!r->cloud || kept.fleet.at >= r->now - ROSTER_KEPT_S);
    if (!usable && r->cloud)
        return ask_fleet(r, word, ret, e);
    if (!usable)
        return err_set(e, ERR_NO_SUCH_FLEET,
                       "this computer never asked for a fleet '%s', and the cloud cannot be asked now", word);
    if (ledger_each_fleet_device(r->ledger, r->profile, kept.fleet.id, add_device, &kept.devices, e))
        return -1;
    *ret = kept;
    kept = (struct roster_fleet){0};
    return 0;
}

/* ---- whose report ---- */

static const struct cloud_device *find_by_uuid(const struct cloud_devices *devices, const char *uuid)
{
    for (size_t i = 0; i < devices->count; i++)
        if (!strcmp(devices->list[i].uuid, uuid))
            return &devices->list[i];
    return NULL;
}

static const struct cloud_device *find_by_id(const struct cloud_devices *devices, const char *id)
{
    for (size_t i = 0; i < devices->count; i++)
        if (devices->list[i].id && !strcmp(devices->list[i].id, id))
            return &devices->list[i];
    return NULL;
}

/* NULL also where several are called so. */
static const struct cloud_device *find_by_word(const struct cloud_devices *devices, const char *word)
{
    const struct cloud_device *found = NULL;
    for (size_t i = 0; i < devices->count; i++) {
        const struct cloud_device *d = &devices->list[i];
        bool called_so = !strcmp(d->name, word) || (d->id && !strcmp(d->id, word)) || !strcmp(d->uuid, word);
        if (called_so && found)
            return NULL;
        if (called_so)
            found = d;
    }
    return found;
}

/* *ret_known: the cloud has that ECU, on one of these devices (*ret) or on another. A device that was made
 * for an ECU (newcomer.h), and never came online, has its serial as id. */
static int find_by_serial(const struct roster *r, const struct cloud_devices *devices, const char *serial,
                          bool *ret_known, const struct cloud_device **ret, struct err *e)
{
    AUTO_FREE char *uuid = NULL;
    AUTO_FREE char *name = NULL;
    if (ledger_find_device(r->ledger, r->profile, serial, &uuid, &name, e))
        return -1;
    *ret = uuid ? find_by_uuid(devices, uuid) : find_by_id(devices, serial);
    *ret_known = uuid || *ret;
    return 0;
}

/* Those whose word is the device's: the ECU that signed, and what a helper whose key a person enrolled says
 * of its own ECUs. */
static int find_by_ecus(const struct roster *r, const struct cloud_devices *devices,
                        const struct reading *reading, bool *ret_known, const struct cloud_device **ret,
                        struct err *e)
{
    *ret_known = false;
    *ret = NULL;
    if (reading->kind == ENTRY_MANIFEST)
        return find_by_serial(r, devices, reading->serial, ret_known, ret, e);
    for (size_t i = 0; i < reading->ecu_count && !*ret_known; i++)
        if (find_by_serial(r, devices, reading->ecus[i], ret_known, ret, e))
            return -1;
    return 0;
}

int roster_match(const struct roster *r, const struct cloud_devices *devices, const struct reading *reading,
                 const struct cloud_device **ret, struct err *e)
{
    const char *noted = reading->kind == ENTRY_NOTE ? reading->calls_itself : NULL;
    bool known;
    if (find_by_ecus(r, devices, reading, &known, ret, e) ||
        (!known && noted && find_by_serial(r, devices, noted, &known, ret, e)))
        return -1;
    if (!known && reading->name)
        *ret = find_by_word(devices, reading->name);
    else if (!known && noted)
        *ret = find_by_word(devices, noted);
    return 0;
}
