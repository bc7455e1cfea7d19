/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/hex.h"
#include "base/mem.h"
#include "cloud/device_credentials.h"
#include "cloud/devices.h"
#include "report/notes_block.h"
#include "report/relay_internal.h"

/* ---- the folder ---- */

struct scan {
    int dirfd;
    struct relaying *all;
};

static bool is_zip(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && !strcasecmp(name + len - 4, ".zip");
}

/* Only whose it is: the key is read again when it is needed. */
static int scan_file(void *ctx, const char *name, struct err *e)
{
    struct scan *scan = ctx;
    struct relaying *all = scan->all;
    AUTO(device_credentials) struct device_credentials c = {0};
    if (!is_zip(name))
        return 0;
    if (all->count >= RELAY_FILES_MAX)
        return err_set(e, ERR_TOO_LARGE, "more than %u ZIPs", RELAY_FILES_MAX);
    mem_grow(&all->list, all->count, &all->room, sizeof *all->list);
    struct relay_device *d = &all->list[all->count++];
    *d = (struct relay_device){.file = mem_strdup(name)};
    if (device_credentials_load(scan->dirfd, name, &c, &d->error) == 0)
        d->uuid = steal_ptr(c.uuid);
    else if (d->error.id == ERR_BAD_CREDENTIALS)
        err_hint(&d->error, "it must be the ZIP that the cloud gave out when the device was made");
    return 0;
}

static struct relay_device *find_twin(struct relaying *all, const struct relay_device *d)
{
    for (struct relay_device *other = all->list; other < d; other++)
        if (other->uuid && d->uuid && !strcmp(other->uuid, d->uuid))
            return other;
    return NULL;
}

/* Which of two is still good, only the server knows. */
static void refuse_twins(struct relaying *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct relay_device *d = &all->list[i], *twin = find_twin(all, d);
        if (!twin)
            continue;
        err_set(&d->error, ERR_BAD_CREDENTIALS, "'%s' and '%s' are both of the device %s", twin->file,
                d->file, d->uuid);
        err_hint(&d->error, "keep the newer one in the folder");
        if (!twin->error.id)
            twin->error = d->error;
    }
}

static int scan_folder(const char *folder, struct relaying *all, struct err *e)
{
    AUTO_FD int dirfd = -1;
    if (fs_open_dir(folder, &dirfd, e))
        return -1;
    struct scan scan = {dirfd, all};
    if (fs_each(dirfd, scan_file, &scan, e))
        return err_context(e, "'%s'", folder);
    refuse_twins(all);
    return 0;
}

/* ---- the reports ---- */

/* The primary signed all of it; an ECU's part that is known to be another's is none of the device's word. */
static bool is_sound(const struct reading *r)
{
    if (r->kind != ENTRY_MANIFEST || r->trust != READING_VERIFIED || r->counter < 0)
        return false;
    for (size_t i = 0; i < r->manifest.ecu_count; i++)
        if (r->manifest.ecus[i].trust == MANIFEST_FORGED || r->manifest.ecus[i].trust == MANIFEST_UNKNOWN_KEY)
            return false;
    return true;
}

/* What another laptop brought stands in the device's notes, and that laptop may have relayed it. */
static int highest_elsewhere(const struct relay_run *run, const struct relay_device *d,
                             const struct readings *readings, int64_t *ret, struct err *e)
{
    AUTO(cloud_notes) struct cloud_notes notes = {0};
    AUTO(notes_rows) struct notes_rows rows = {0};
    *ret = -1;
    if (cloud_get_notes(run->cloud, d->uuid, &notes, e) || notes_block_read(notes.text, &rows, e))
        return -1;
    for (size_t i = 0; i < rows.count; i++) {
        const struct notes_row *row = &rows.list[i];
        bool ours = false;
        for (size_t j = 0; j < readings->count && !ours; j++) {
            char key[sizeof row->key];
            hex_encode(readings->list[j].sha256, (sizeof key - 1) / 2, key);
            ours = !strcmp(key, row->key);
        }
        if (!ours && row->basis == NOTES_VERIFIED && row->counter > *ret)
            *ret = row->counter;
    }
    return 0;
}

static int compare_reports(const void *a_, const void *b_)
{
    const struct reading *a = ((const struct relay_report *)a_)->reading;
    const struct reading *b = ((const struct relay_report *)b_)->reading;
    if (a->counter != b->counter)
        return a->counter < b->counter ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static int select_reports(const struct relay_run *run, struct relay_device *d,
                          const struct readings *readings, struct err *e)
{
    int64_t last, elsewhere;
    if (ledger_last_relayed(run->ledger, d->uuid, &last, e) ||
        highest_elsewhere(run, d, readings, &elsewhere, e))
        return -1;
    for (size_t i = 0; i < readings->count; i++) {
        const struct reading *r = &readings->list[i];
        enum relay_outcome outcome;
        if (!is_sound(r) || strcmp(r->serial, d->serial) != 0)
            continue;
        if (ledger_relay_outcome(run->ledger, d->uuid, r->id, &outcome, e))
            return -1;
        if (outcome == RELAY_ACCEPTED || outcome == RELAY_OVERTAKEN)
            continue;
        bool may_have_arrived = outcome == RELAY_UNKNOWN && r->counter == last;
        if (r->counter < elsewhere || (r->counter <= last && !may_have_arrived)) {
            d->older++;
            continue;
        }
        mem_grow(&d->list, d->count, &d->room, sizeof *d->list);
        d->list[d->count++] =
            (struct relay_report){.reading = r, .outcome = may_have_arrived ? RELAY_UNKNOWN : RELAY_WAITING};
    }
    if (d->count)
        qsort(d->list, d->count, sizeof *d->list, compare_reports);
    return 0;
}

/* ---- */

/* What goes wrong stands in d->error. */
static void plan_device(const struct relay_run *run, struct relay_device *d, const struct readings *readings)
{
    struct err *e = &d->error;
    if (e->id || ledger_find_serial(run->ledger, run->options->profile, d->uuid, &d->serial, &d->name, e) ||
        !d->serial)
        return;
    if (select_reports(run, d, readings, e) || (d->count && relay_ask(run, d, e)))
        err_context(e, "device '%s'", d->name);
}

bool relay_is_due(const struct relay_device *d, const struct relay_report *r)
{
    return r->outcome == RELAY_WAITING || (d->again && r->outcome == RELAY_UNKNOWN);
}

size_t relay_count_due(const struct relay_device *d)
{
    size_t count = 0;
    for (size_t i = 0; i < d->count; i++)
        count += relay_is_due(d, &d->list[i]);
    return count;
}

int relay_plan(struct cloud *c, struct ledger *l, const struct relay_options *o, struct relaying *ret,
               struct err *e)
{
    const struct relay_run run = {c, l, o};
    AUTO(relaying) struct relaying all = {0};
    if (scan_folder(o->folder, &all, e) || readings_load(l, &all.readings, e))
        return -1;
    for (size_t i = 0; i < all.count; i++)
        plan_device(&run, &all.list[i], &all.readings);
    *ret = all;
    all = (struct relaying){0};
    return 0;
}

static void device_free(struct relay_device *d)
{
    for (size_t i = 0; i < d->count; i++)
        free(d->list[i].answer);
    free(d->list);
    free(d->file);
    free(d->uuid);
    free(d->serial);
    free(d->name);
}

void relaying_free(struct relaying *all)
{
    for (size_t i = 0; i < all->count; i++)
        device_free(&all->list[i]);
    free(all->list);
    readings_free(&all->readings);
    *all = (struct relaying){0};
}

const char *relay_outcome_text(enum relay_outcome outcome)
{
    static const char *const texts[] = {
        [RELAY_UNKNOWN] = "not known", [RELAY_ACCEPTED] = "accepted",   [RELAY_REFUSED] = "refused",
        [RELAY_NOT_SENT] = "not sent", [RELAY_OVERTAKEN] = "overtaken", [RELAY_WAITING] = "waiting",
    };
    return texts[outcome];
}
