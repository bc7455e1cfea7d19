/* SPDX-License-Identifier: Apache-2.0
 *
 * What the entries of the ledger say, in words for a person: which device, which lockbox, what became of it,
 * and on whose word. It is read out of the bytes anew each time, with the keys that are known now.
 *
 *     AUTO(readings) struct readings all = {0};
 *     if (readings_load(ledger, &all, e)) …
 *
 * Two things are kept apart everywhere: the outcome, and what it rests on. A device without a reading is not
 * heard of; that is neither success nor failure.
 */
#ifndef AIRLOCK_REPORT_READING_H
#define AIRLOCK_REPORT_READING_H

#include "report/ledger.h"
#include "report/vehicle_manifest.h"

enum reading_outcome {
    READING_INSTALLED,
    READING_FAILED,
    READING_REBOOT,    /* installed, and the device waits for a reboot */
    READING_UNDER_WAY, /* begun; what became of it is not known: in progress or interrupted */
    READING_REFUSED,   /* by the helper, before anything was installed */
    READING_NOTHING,   /* there was nothing to do, or the manifest speaks of no install */
    READING_UNKNOWN,
};

enum reading_trust {
    READING_VERIFIED,
    READING_UNKNOWN_KEY,
    READING_UNVERIFIED, /* signed, and no key is known */
    READING_FORGED,     /* the key is known, and the signature does not match */
    READING_UNSIGNED,   /* a row of a log */
    READING_PERSON,     /* technician-reported */
};

/* Of a helper's reports, which each name the one before. */
enum reading_chain { CHAIN_NONE, CHAIN_WHOLE, CHAIN_GAP, CHAIN_BROKEN };

struct reading {
    int64_t id;
    enum entry_kind kind;
    enum reading_outcome outcome;
    enum reading_trust trust;
    enum reading_chain chain;
    bool stale;    /* a verified manifest of a higher counter is there */
    bool replaced; /* an install without a manifest, of which the manifest came later */
    char *serial;  /* of the primary ECU; the helper's key; "" */
    int64_t counter;
    char *name;         /* what a person calls the device of that key; NULL */
    char *calls_itself; /* unsigned, unless it is a verified helper's; "" */
    char *lockbox;      /* NULL: not known */
    int64_t version;    /* of it; -1: not known */
    char *correlation;  /* of the lockbox; NULL: not known */
    char *code, *text;  /* "INSTALL_FAILED", and in words; "" */
    char *stick;        /* where it was seen first */
    int64_t seen_at;    /* when it was collected first; of a note: when the person saw it */
    char **ecus;        /* of a verified helper's report: the serials that it names as its device's own */
    size_t ecu_count;
    bool has_manifest; /* a helper's report: what the client signed is in it, and an entry of its own */
    struct vehicle_manifest manifest; /* of a manifest: with the ECUs */
    uint8_t sha256[HASH_SIZE];        /* of the bytes; of a helper's report, of what is signed */
    uint8_t previous[HASH_SIZE];      /* of a helper's report */
};

struct readings {
    struct reading *list; /* in the order in which they came */
    size_t count, room;
};

must_check int readings_load(struct ledger *l, struct readings *ret, struct err *e);
void readings_free(struct readings *all);
void reading_free(struct reading *r);
/* Is it by whoever it names, as far as that can be known, and not overtaken by its own manifest? One that is
 * not says nothing of the device. */
bool reading_counts(const struct reading *r);

const char *reading_outcome_text(enum reading_outcome outcome);
const char *reading_trust_text(enum reading_trust trust);
const char *reading_chain_text(enum reading_chain chain);
const char *reading_kind_text(enum entry_kind kind);

#endif
