/* SPDX-License-Identifier: Apache-2.0 */
#include "report/reading.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "report/claim.h"
#include "usb-tools/report_file.h"
#include "usb-tools/update_logs.h"

struct load {
    struct ledger *ledger;
    struct ecu_keys keys;
    struct readings all;
};

static int read_entry(void *ctx, const struct ledger_entry *entry, struct err *e);
static void mark_stale(struct readings *all);
static void check_chains(struct readings *all);

int readings_load(struct ledger *l, struct readings *ret, struct err *e)
{
    struct load load = {.ledger = l};
    int rc = ledger_load_keys(l, &load.keys, e);
    if (rc == 0)
        rc = ledger_each(l, read_entry, &load, e);
    ecu_keys_free(&load.keys);
    if (rc) {
        readings_free(&load.all);
        return -1;
    }
    mark_stale(&load.all);
    check_chains(&load.all);
    *ret = load.all;
    return 0;
}

void reading_free(struct reading *r)
{
    free(r->serial);
    free(r->name);
    free(r->calls_itself);
    free(r->lockbox);
    free(r->correlation);
    free(r->code);
    free(r->text);
    free(r->stick);
    for (size_t i = 0; i < r->ecu_count; i++)
        free(r->ecus[i]);
    free(r->ecus);
    vehicle_manifest_free(&r->manifest);
}

void readings_free(struct readings *all)
{
    for (size_t i = 0; i < all->count; i++)
        reading_free(&all->list[i]);
    free(all->list);
    *all = (struct readings){0};
}

/* Whoever signed with another key than that of the serial has nothing to say of the device. */
bool reading_counts(const struct reading *r)
{
    return !r->replaced && r->trust != READING_FORGED &&
           (r->kind != ENTRY_MANIFEST || r->trust != READING_UNKNOWN_KEY);
}

/* ---- words ---- */

const char *reading_outcome_text(enum reading_outcome outcome)
{
    static const char *const texts[] = {
        [READING_INSTALLED] = "installed",       [READING_FAILED] = "failed",
        [READING_REBOOT] = "waits for a reboot", [READING_UNDER_WAY] = "in progress or interrupted",
        [READING_REFUSED] = "refused",           [READING_NOTHING] = "nothing to do",
        [READING_UNKNOWN] = "not known",
    };
    return texts[outcome];
}

const char *reading_trust_text(enum reading_trust trust)
{
    static const char *const texts[] = {
        [READING_VERIFIED] = "verified",     [READING_UNKNOWN_KEY] = "signed by an unknown key",
        [READING_UNVERIFIED] = "unverified", [READING_FORGED] = "signature does not match",
        [READING_UNSIGNED] = "unsigned",     [READING_PERSON] = "technician-reported",
    };
    return texts[trust];
}

const char *reading_chain_text(enum reading_chain chain)
{
    static const char *const texts[] = {
        [CHAIN_NONE] = NULL, [CHAIN_WHOLE] = "whole", [CHAIN_GAP] = "gap", [CHAIN_BROKEN] = "broken"};
    return texts[chain];
}

const char *reading_kind_text(enum entry_kind kind)
{
    static const char *const texts[] = {[ENTRY_MANIFEST] = "manifest",
                                        [ENTRY_INSTALL] = "log",
                                        [ENTRY_HELPER] = "helper",
                                        [ENTRY_NOTE] = "note"};
    return texts[kind];
}

/* ---- one entry ---- */

static int read_manifest(const struct load *load, const struct ledger_entry *entry, struct reading *r,
                         struct err *e)
{
    static const enum reading_outcome outcomes[] = {
        [MANIFEST_SILENT] = READING_NOTHING,
        [MANIFEST_INSTALLED] = READING_INSTALLED,
        [MANIFEST_PENDING] = READING_REBOOT,
        [MANIFEST_FAILED] = READING_FAILED,
    };
    static const enum reading_trust trusts[] = {
        [MANIFEST_VERIFIED] = READING_VERIFIED,
        [MANIFEST_UNKNOWN_KEY] = READING_UNKNOWN_KEY,
        [MANIFEST_UNVERIFIED] = READING_UNVERIFIED,
        [MANIFEST_FORGED] = READING_FORGED,
    };
    struct vehicle_manifest *m = &r->manifest;
    if (vehicle_manifest_read(entry->bytes, entry->len, &load->keys, m, e))
        return -1;
    r->outcome = outcomes[m->result.outcome];
    r->trust = trusts[m->trust];
    bool forged = m->trust == MANIFEST_FORGED; /* then nobody knows who says so */
    if (forged)
        r->outcome = READING_UNKNOWN;
    r->code = mem_strdup(m->result.code && !forged ? m->result.code : "");
    r->text = mem_strdup(m->result.description && !forged ? m->result.description : "");
    r->correlation = m->correlation ? mem_strdup(m->correlation) : NULL;
    if (m->correlation && !update_logs_split_urn(m->correlation, &r->lockbox, &r->version))
        r->version = -1;
    return 0;
}

/* A person's word, or a row of a log. */
static int read_claim(const struct ledger_entry *entry, struct reading *r, struct err *e)
{
    AUTO(claim) struct claim claim = {0};
    if (claim_read(entry->bytes, entry->len, &claim, e))
        return -1;
    bool person = entry->kind == ENTRY_NOTE;
    r->trust = person ? READING_PERSON : READING_UNSIGNED;
    r->outcome = READING_UNDER_WAY;
    if (person)
        r->outcome = READING_UNKNOWN;
    if (person && claim.result && !strcmp(claim.result, "installed"))
        r->outcome = READING_INSTALLED;
    if (person && claim.result && !strcmp(claim.result, "failed"))
        r->outcome = READING_FAILED;
    r->code = mem_strdup("");
    r->text = mem_strdup(claim.text ? claim.text : "");
    r->lockbox = steal_ptr(claim.lockbox);
    r->correlation = steal_ptr(claim.correlation);
    r->version = claim.version;
    r->calls_itself = steal_ptr(claim.device);
    if (person)
        r->seen_at = claim.seen_at;
    return 0;
}

static void keep_ecus(struct report_file *file, struct reading *r)
{
    r->ecus = mem_zeroed(file->ecu_count, sizeof *r->ecus);
    for (; r->ecu_count < file->ecu_count; r->ecu_count++)
        r->ecus[r->ecu_count] = steal_ptr(file->ecus[r->ecu_count].serial);
}

/* Its key is known where a person gave it a name. */
static int read_helper(const struct ledger_entry *entry, struct reading *r, struct err *e)
{
    static const enum reading_outcome outcomes[] = {
        [OUTCOME_INSTALLED] = READING_INSTALLED, [OUTCOME_FAILED] = READING_FAILED,
        [OUTCOME_REFUSED] = READING_REFUSED,     [OUTCOME_NOTHING] = READING_NOTHING,
        [OUTCOME_UNKNOWN] = READING_UNKNOWN,
    };
    AUTO(report_file) struct report_file file = {0};
    if (report_file_parse(entry->bytes, entry->len, &file, e))
        return -1;
    r->outcome = outcomes[file.outcome];
    r->has_manifest = file.has_manifest;
    r->trust = r->name ? READING_VERIFIED : READING_UNKNOWN_KEY;
    if (r->name)
        keep_ecus(&file, r);
    r->chain = file.has_previous ? CHAIN_GAP : CHAIN_WHOLE;
    memcpy(r->previous, file.previous, HASH_SIZE);
    memcpy(r->sha256, file.sha256, HASH_SIZE);
    r->code = mem_strdup(file.error ? file.error : "");
    r->text = mem_strdup(file.message);
    r->version = file.lockbox ? file.lockbox_version : -1;
    r->lockbox = steal_ptr(file.lockbox);
    r->calls_itself = steal_ptr(file.device);
    return 0;
}

static int keep_first_sighting(void *ctx, const struct ledger_sighting *seen, struct err *e)
{
    struct reading *r = ctx;
    (void)e;
    if (r->stick)
        return 0;
    r->stick = mem_strdup(seen->stick);
    r->seen_at = r->seen_at ? r->seen_at : seen->at;
    r->calls_itself = r->calls_itself ? r->calls_itself : mem_strdup(seen->device);
    return 0;
}

static int read_bytes(const struct load *load, const struct ledger_entry *entry, struct reading *r,
                      struct err *e)
{
    switch (entry->kind) {
    case ENTRY_MANIFEST:
        return read_manifest(load, entry, r, e);
    case ENTRY_HELPER:
        return read_helper(entry, r, e);
    case ENTRY_INSTALL:
    case ENTRY_NOTE:
        return read_claim(entry, r, e);
    }
    return err_set(e, ERR_BAD_LEDGER, "an entry of the kind %d", (int)entry->kind);
}

static int read_entry(void *ctx, const struct ledger_entry *entry, struct err *e)
{
    struct load *load = ctx;
    struct reading r = {.id = entry->id, .kind = entry->kind, .counter = entry->counter, .version = -1};
    r.serial = mem_strdup(entry->serial);
    hash_of(entry->bytes, entry->len, r.sha256);
    if ((*entry->serial && ledger_device_name(load->ledger, entry->serial, &r.name, e)) ||
        read_bytes(load, entry, &r, e) ||
        ledger_each_sighting(load->ledger, entry->id, keep_first_sighting, &r, e) ||
        (entry->kind == ENTRY_INSTALL && ledger_is_completed(load->ledger, entry->id, &r.replaced, e))) {
        reading_free(&r);
        return err_context(e, "report %lld", (long long)entry->id);
    }
    mem_grow(&load->all.list, load->all.count, &load->all.room, sizeof *load->all.list);
    load->all.list[load->all.count++] = r;
    return 0;
}

/* ---- one beside the other ---- */

/* By serial; the highest counter first. */
static int compare_counters(const void *a, const void *b)
{
    const struct reading *x = *(struct reading *const *)a, *y = *(struct reading *const *)b;
    int order = strcmp(x->serial, y->serial);
    if (order)
        return order;
    return x->counter > y->counter ? -1 : x->counter < y->counter;
}

/* Those of one kind; the array is the caller's. */
static struct reading **sort_kind(struct readings *all, enum entry_kind kind, size_t *ret_count)
{
    struct reading **sorted = mem_zeroed(all->count, sizeof(struct reading *));
    *ret_count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].kind == kind)
            sorted[(*ret_count)++] = &all->list[i];
    qsort(sorted, *ret_count, sizeof *sorted, compare_counters);
    return sorted;
}

/* Only what is verified can overtake: anybody can write a high number. */
static void mark_stale(struct readings *all)
{
    size_t count;
    AUTO_FREE struct reading **sorted = sort_kind(all, ENTRY_MANIFEST, &count);
    const struct reading *newest = NULL;
    for (size_t i = 0; i < count; i++) {
        if (newest && strcmp(newest->serial, sorted[i]->serial) != 0)
            newest = NULL;
        sorted[i]->stale = newest && sorted[i]->counter < newest->counter;
        if (!newest && sorted[i]->trust == READING_VERIFIED)
            newest = sorted[i];
    }
}

/* Does each name the one before it? Two of one number, by one key, cannot both be right. */
static void check_chains(struct readings *all)
{
    size_t count;
    AUTO_FREE struct reading **sorted = sort_kind(all, ENTRY_HELPER, &count);
    for (size_t i = 0; i + 1 < count; i++) {
        struct reading *r = sorted[i], *before = sorted[i + 1];
        if (strcmp(r->serial, before->serial) != 0)
            continue;
        if (r->counter == before->counter)
            r->chain = before->chain = CHAIN_BROKEN;
        else if (r->counter == before->counter + 1 && r->chain != CHAIN_BROKEN)
            r->chain = memcmp(before->sha256, r->previous, HASH_SIZE) ? CHAIN_BROKEN : CHAIN_WHOLE;
    }
}
