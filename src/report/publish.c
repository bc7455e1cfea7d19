/* SPDX-License-Identifier: Apache-2.0 */
#include "report/publish.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "cloud/devices.h"
#include "report/notes_block.h"
#include "report/roster.h"

#define TRIES 3 /* where somebody else writes the same notes */

struct run {
    struct cloud *cloud;
    struct ledger *ledger;
    const struct publish_options *options;
    struct readings readings;
    struct publishing found;
    size_t *owners; /* of each reading: which of `found`, or NOBODY */
};

#define NOBODY SIZE_MAX

/* ---- which reports of which device ---- */

/* Nothing was done; or its manifest says all of it, which is an entry of its own. */
static bool is_worth_a_row(const struct reading *r)
{
    return reading_counts(r) &&
           (r->kind != ENTRY_HELPER || (!r->has_manifest && r->outcome != READING_NOTHING));
}

static bool is_signed_by_ecu(const struct reading *r)
{
    return r->kind == ENTRY_MANIFEST && *r->serial;
}

static size_t find_serial(const struct publishing *p, const char *serial)
{
    for (size_t i = 0; i < p->count; i++)
        if (!strcmp(p->list[i].serial, serial))
            return i;
    return NOBODY;
}

static struct publication *add(struct publishing *p)
{
    mem_grow(&p->list, p->count, &p->room, sizeof *p->list);
    p->list[p->count] = (struct publication){0};
    return &p->list[p->count++];
}

static int compare_serials(const void *a, const void *b)
{
    return strcmp(((const struct publication *)a)->serial, ((const struct publication *)b)->serial);
}

static void collect_serials(struct run *run)
{
    for (size_t i = 0; i < run->readings.count; i++) {
        const struct reading *r = &run->readings.list[i];
        if (is_worth_a_row(r) && is_signed_by_ecu(r) && find_serial(&run->found, r->serial) == NOBODY)
            add(&run->found)->serial = mem_strdup(r->serial);
    }
    if (run->found.count)
        qsort(run->found.list, run->found.count, sizeof *run->found.list, compare_serials);
}

/* ---- which device in the cloud ---- */

static int find_known(struct run *run, bool *ret_all, struct err *e)
{
    *ret_all = true;
    for (size_t i = 0; i < run->found.count; i++) {
        struct publication *p = &run->found.list[i];
        if (!p->uuid &&
            ledger_find_device(run->ledger, run->options->profile, p->serial, &p->uuid, &p->name, e))
            return -1;
        *ret_all = *ret_all && p->uuid;
    }
    return 0;
}

/* One that was made for an ECU of ours (newcomer.h), and never came online: its id is the serial. */
static int learn_made(struct run *run, const struct cloud_device *d, struct err *e)
{
    size_t at = d->id ? find_serial(&run->found, d->id) : NOBODY;
    const struct publication *p = at == NOBODY ? NULL : &run->found.list[at];
    AUTO_FREE char *registered = NULL;
    AUTO_FREE char *name = NULL;
    if (!p || p->uuid)
        return 0;
    if (ledger_find_serial(run->ledger, run->options->profile, d->uuid, &registered, &name, e))
        return -1;
    return registered ? 0
                      : ledger_remember_device(run->ledger, run->options->profile, p->serial, d->uuid,
                                               d->name, run->options->now, e);
}

/* Is there a person's note, or a report of an enrolled helper, which may be some device's all the same? */
static bool has_kind(const struct run *run, enum entry_kind kind)
{
    for (size_t i = 0; i < run->readings.count; i++) {
        const struct reading *r = &run->readings.list[i];
        if (r->kind == kind && is_worth_a_row(r) && (kind != ENTRY_HELPER || r->name))
            return true;
    }
    return false;
}

static int find_owner(struct run *run, const struct roster *roster, const struct cloud_devices *devices,
                      const struct reading *r, size_t *ret, struct err *e)
{
    const struct cloud_device *device;
    if (roster_match(roster, devices, r, &device, e))
        return -1;
    *ret = NOBODY;
    for (size_t i = 0; device && i < run->found.count; i++)
        if (run->found.list[i].uuid && !strcmp(run->found.list[i].uuid, device->uuid))
            *ret = i;
    if (!device || *ret != NOBODY)
        return 0;
    *ret = run->found.count;
    struct publication *p = add(&run->found);
    p->serial = mem_strdup("");
    p->uuid = mem_strdup(device->uuid);
    p->name = mem_strdup(device->name);
    return 0;
}

static int find_owners(struct run *run, const struct roster *roster, const struct cloud_devices *devices,
                       struct err *e)
{
    run->owners = mem_zeroed(run->readings.count, sizeof *run->owners);
    for (size_t i = 0; i < run->readings.count; i++) {
        const struct reading *r = &run->readings.list[i];
        run->owners[i] = NOBODY;
        if (!is_worth_a_row(r))
            continue;
        if (is_signed_by_ecu(r))
            run->owners[i] = find_serial(&run->found, r->serial);
        else if (find_owner(run, roster, devices, r, &run->owners[i], e))
            return -1;
        if (run->owners[i] == NOBODY)
            run->found.nameless++;
        else
            run->found.list[run->owners[i]].reports++;
    }
    return 0;
}

/* The cloud is asked for as little as is needed: that its devices are known once is enough for most. */
static int match(struct run *run, struct err *e)
{
    const struct roster roster = {run->cloud, run->ledger, run->options->profile, run->options->now};
    AUTO(cloud_devices) struct cloud_devices devices = {0};
    bool all;
    if (find_known(run, &all, e))
        return -1;
    bool ask_each = !all || has_kind(run, ENTRY_HELPER);
    if ((ask_each || has_kind(run, ENTRY_NOTE)) && cloud_list_devices(run->cloud, &devices, e))
        return -1;
    for (size_t i = 0; i < devices.count && ask_each; i++)
        if (roster_learn(&roster, &devices.list[i], e) || learn_made(run, &devices.list[i], e))
            return -1;
    return find_known(run, &all, e) || find_owners(run, &roster, &devices, e) ? -1 : 0;
}

/* ---- the rows ---- */

static enum notes_basis basis_of(const struct reading *r)
{
    if (r->trust == READING_PERSON)
        return NOTES_TECHNICIAN;
    if (r->trust != READING_VERIFIED)
        return NOTES_UNVERIFIED;
    return r->kind == ENTRY_HELPER ? NOTES_HELPER : NOTES_VERIFIED;
}

static enum notes_outcome outcome_of(enum reading_outcome outcome)
{
    switch (outcome) {
    case READING_INSTALLED:
        return NOTES_INSTALLED;
    case READING_FAILED:
        return NOTES_FAILED;
    case READING_REBOOT:
        return NOTES_REBOOT;
    case READING_UNDER_WAY:
        return NOTES_UNDER_WAY;
    case READING_REFUSED:
        return NOTES_REFUSED;
    case READING_NOTHING:
    case READING_UNKNOWN:
        break;
    }
    return NOTES_OTHER;
}

static struct notes_row row_of(const struct reading *r)
{
    struct notes_row row = {.basis = basis_of(r),
                            .outcome = outcome_of(r->outcome),
                            .version = r->version,
                            .counter = r->counter,
                            .at = r->seen_at};
    hex_encode(r->sha256, (sizeof row.key - 1) / 2, row.key);
    notes_row_set_code(&row, r->code);
    notes_row_set_lockbox(&row, r->lockbox);
    return row;
}

static void collect_rows(const struct run *run, const struct publication *p, struct notes_rows *ret)
{
    for (size_t i = 0; i < run->readings.count; i++) {
        if (run->owners[i] == NOBODY || &run->found.list[run->owners[i]] != p)
            continue;
        mem_grow(&ret->list, ret->count, &ret->room, sizeof *ret->list);
        ret->list[ret->count++] = row_of(&run->readings.list[i]);
    }
}

/* ---- the notes ---- */

/* They are still what was merged: between the reading and here a person may have written. */
static int is_unchanged(struct run *run, const struct publication *p, bool *ret, struct err *e)
{
    AUTO(cloud_notes) struct cloud_notes now = {0};
    if (cloud_get_notes(run->cloud, p->uuid, &now, e))
        return -1;
    *ret = !strcmp(now.text, p->former);
    return 0;
}

/* Does the cloud have all of it now, whatever else somebody wrote meanwhile? */
static int is_there(struct run *run, const struct publication *p, const struct notes_rows *rows, bool *ret,
                    struct err *e)
{
    AUTO(cloud_notes) struct cloud_notes now = {0};
    AUTO_FREE char *merged = NULL;
    if (cloud_get_notes(run->cloud, p->uuid, &now, e) ||
        notes_block_merge(now.text, rows, NOTES_MAX, &merged, e))
        return -1;
    *ret = !strcmp(now.text, merged);
    return 0;
}

static int write_notes(struct run *run, struct publication *p, bool bare, const struct notes_rows *rows,
                       bool *ret_done, struct err *e)
{
    const struct cloud_notes notes = {.text = p->text, .bare = bare};
    int64_t id;
    if (is_unchanged(run, p, ret_done, e))
        return -1;
    if (!*ret_done)
        return 0;
    if (ledger_begin_publishing(run->ledger, run->options->profile, p->uuid, p->former, p->text,
                                run->options->now, &id, e) ||
        cloud_put_notes(run->cloud, p->uuid, &notes, e) || is_there(run, p, rows, ret_done, e))
        return -1;
    return *ret_done ? ledger_end_publishing(run->ledger, id, e) : 0;
}

static int read_notes(struct run *run, struct publication *p, const struct notes_rows *rows, bool *ret_bare,
                      struct err *e)
{
    AUTO(cloud_notes) struct cloud_notes notes = {0};
    if (cloud_get_notes(run->cloud, p->uuid, &notes, e))
        return -1;
    free(p->former);
    free(p->text);
    p->text = NULL;
    p->former = mem_strdup(notes.text);
    *ret_bare = notes.bare;
    return notes_block_merge(notes.text, rows, NOTES_MAX, &p->text, e);
}

static int publish(struct run *run, struct publication *p, struct err *e)
{
    AUTO(notes_rows) struct notes_rows rows = {0};
    bool bare, done = false;
    collect_rows(run, p, &rows);
    for (unsigned i = 0; i < TRIES; i++) {
        if (read_notes(run, p, &rows, &bare, e))
            return -1;
        bool differs = strcmp(p->former, p->text) != 0;
        p->changed = p->changed || differs;
        if (!differs || run->options->dry_run)
            return 0;
        if (write_notes(run, p, bare, &rows, &done, e))
            return -1;
        if (done)
            return 0;
    }
    return err_set(e, ERR_NOTES_BUSY, "somebody else keeps writing its notes");
}

int publish_reports(struct cloud *c, struct ledger *l, const struct publish_options *o,
                    struct publishing *ret, struct err *e)
{
    struct run run = {.cloud = c, .ledger = l, .options = o};
    int rc = readings_load(l, &run.readings, e);
    if (rc == 0) {
        collect_serials(&run);
        rc = match(&run, e);
    }
    for (size_t i = 0; i < run.found.count && rc == 0; i++) {
        struct publication *p = &run.found.list[i];
        if (p->uuid && publish(&run, p, &p->error))
            err_context(&p->error, "device '%s'", p->name);
    }
    readings_free(&run.readings);
    free(run.owners);
    if (rc) {
        publishing_free(&run.found);
        return -1;
    }
    *ret = run.found;
    return 0;
}

void publishing_free(struct publishing *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->list[i].serial);
        free(p->list[i].uuid);
        free(p->list[i].name);
        free(p->list[i].former);
        free(p->list[i].text);
    }
    free(p->list);
    *p = (struct publishing){0};
}
