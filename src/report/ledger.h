/* SPDX-License-Identifier: Apache-2.0
 *
 * What came home, kept for good: reports/ledger.db in the state folder (SQLite, WAL). An entry is a run of
 * bytes as it was found; it is never changed and never removed, and the same bytes are kept once. Beside it
 * stands where and when it was seen. What an entry means is not kept: it is read out of the bytes each time,
 * with the keys that are known then, so that a key that comes later verifies what came before.
 *
 *     AUTO_LEDGER struct ledger *l = NULL;
 *     if (ledger_open(state_fd, true, &l, e) || ledger_begin(l, e) ||
 *         ledger_add(l, &entry, &seen, &id, &is_new, e) || ledger_commit(l, e)) …
 *
 * What was committed survives a crash; what was not is not there. Several airlocks may use one ledger.
 */
#ifndef AIRLOCK_REPORT_LEDGER_H
#define AIRLOCK_REPORT_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "report/ecu_key.h"

struct ledger;

enum entry_kind {
    ENTRY_MANIFEST, /* a vehicle manifest, byte for byte */
    ENTRY_INSTALL,  /* a row of update-logs.db without one: under way or interrupted (install_row.h) */
    ENTRY_HELPER,   /* a report file of the helper, byte for byte (usb-tools/report_file.h) */
    ENTRY_NOTE,     /* what a person saw (note.h) */
};

/* (kind, serial, counter, sha256 of the bytes) is what makes two entries the same. */
struct ledger_entry {
    int64_t id;
    enum entry_kind kind;
    const char *serial; /* of the primary ECU, or the helper's key; "": not known */
    int64_t counter;    /* of its reports; -1: not known */
    const void *bytes;
    size_t len;
    int64_t added_at;
};

/* One place in which an entry was found. Texts are of the stick, and unsigned. */
struct ledger_sighting {
    const char *stick;  /* its label or path, or the laptop that it was imported from */
    const char *path;   /* of the file on it */
    int64_t row;        /* of an update-logs.db, else 0 */
    const char *device; /* what the device called itself there; "" */
    int64_t at;         /* when it was collected first */
};

/* What another program, or another airlock, does to the ledger is waited for, some seconds. Errors:
 * ERR_NO_SUCH_PATH where there is none and none is made; ERR_BAD_LEDGER, ERR_LEDGER_VERSION,
 * ERR_STORE_LOCKED. */
must_check int ledger_open(int state_fd, bool make, struct ledger **ret, struct err *e);
void ledger_close(struct ledger **l);
#define AUTO_LEDGER __attribute__((cleanup(ledger_close)))

/* For whoever tells the cloud what is in the ledger: a second one waits until the first is done, and finds it
 * done. Closing *ret_fd lets go. */
must_check int ledger_lock_cloud(int state_fd, int *ret_fd, struct err *e);

/* Everything added in between is there, or nothing of it. ledger_close() without a commit takes it back. */
must_check int ledger_begin(struct ledger *l, struct err *e);
must_check int ledger_commit(struct ledger *l, struct err *e);
/* Takes back what was added since ledger_begin(). */
void ledger_roll_back(struct ledger *l);

/* Keeps the entry (id and added_at are the ledger's and the sighting's) and that it was seen there; each only
 * where it is not there yet. */
must_check int ledger_add(struct ledger *l, const struct ledger_entry *entry,
                          const struct ledger_sighting *seen, int64_t *ret_id, bool *ret_new, struct err *e);
/* A line of a device's journal; the same line of the same entry is kept once. */
must_check int ledger_add_line(struct ledger *l, int64_t entry, int64_t time_us, const char *service,
                               const char *message, struct err *e);

/* In the order in which they came; -1 of each() ends it. */
must_check int ledger_each(struct ledger *l,
                           int (*each)(void *ctx, const struct ledger_entry *, struct err *), void *ctx,
                           struct err *e);
must_check int ledger_each_sighting(struct ledger *l, int64_t entry,
                                    int (*each)(void *ctx, const struct ledger_sighting *, struct err *),
                                    void *ctx, struct err *e);
/* Its bytes; ERR_INTERNAL where there is none. */
must_check int ledger_read(struct ledger *l, int64_t entry, struct buf *ret, struct err *e);
/* time_us as in update_logs.h. In the order of time. */
must_check int ledger_each_line(struct ledger *l, int64_t entry,
                                int (*each)(void *ctx, int64_t time_us, const char *service,
                                            const char *message, struct err *),
                                void *ctx, struct err *e);
/* When the first of them was written, by the device's clock; INT64_MAX: there is none. */
must_check int ledger_first_line(struct ledger *l, int64_t entry, int64_t *ret_time_us, struct err *e);
/* Was an install without a manifest seen with one later: the same row of the same file, of the same device?
 */
must_check int ledger_is_completed(struct ledger *l, int64_t entry, bool *ret, struct err *e);

/* The keys with which manifests are verified. `name`: what a person calls the device; "" for a key that came
 * with a report and whose id is its serial. The same again changes nothing; a person's name replaces "". */
must_check int ledger_add_key(struct ledger *l, const struct ecu_key *key, const char *name, int64_t now,
                              struct err *e);
must_check int ledger_load_keys(struct ledger *l, struct ecu_keys *ret, struct err *e);
/* What a person calls the device of that serial; NULL: nobody named it. The caller's. */
must_check int ledger_device_name(struct ledger *l, const char *serial, char **ret, struct err *e);

/* Did a person enrol this key as a helper's? `hex`: an Ed25519 key, in lower case. */
must_check int ledger_has_helper(struct ledger *l, const char *hex, bool *ret, struct err *e);
/* The highest sequence of a request by this key that was used, 0 for none; and that one was used now. */
must_check int ledger_last_request(struct ledger *l, const char *hex, int64_t *ret, struct err *e);
must_check int ledger_use_request(struct ledger *l, const char *hex, int64_t sequence, struct err *e);

/* ---- what the cloud knows, and what it was told (per profile) ---- */

/* Which device of the cloud signs as this ECU; *ret_uuid = NULL: not known. Both the caller's. */
must_check int ledger_find_device(struct ledger *l, const char *profile, const char *serial, char **ret_uuid,
                                  char **ret_name, struct err *e);
must_check int ledger_remember_device(struct ledger *l, const char *profile, const char *serial,
                                      const char *uuid, const char *name, int64_t now, struct err *e);
/* Was a serial of the device learned at `since` or later? */
must_check int ledger_knows_device(struct ledger *l, const char *profile, const char *uuid, int64_t since,
                                   bool *ret, struct err *e);
/* A fleet of the cloud as it was when it was asked for. */
struct ledger_fleet {
    char *id, *name;
    int64_t at; /* when the cloud was asked */
};
/* By its name or id; ret->id = NULL: never asked for. */
must_check int ledger_find_fleet(struct ledger *l, const char *profile, const char *word,
                                 struct ledger_fleet *ret, struct err *e);
void ledger_fleet_free(struct ledger_fleet *f);
must_check int ledger_each_fleet_device(struct ledger *l, const char *profile, const char *fleet,
                                        void (*each)(void *ctx, const char *uuid, const char *name,
                                                     const char *id),
                                        void *ctx, struct err *e);
/* Within a transaction: the fleet anew, without devices, in the place of one of that id or name; and each of
 * its devices (id NULL: it has none). */
must_check int ledger_put_fleet(struct ledger *l, const char *profile, const struct ledger_fleet *fleet,
                                struct err *e);
must_check int ledger_put_fleet_device(struct ledger *l, const char *profile, const char *fleet,
                                       const char *uuid, const char *name, const char *id, struct err *e);

/* Keeps what a device's notes were before they are written, and that they were. */
must_check int ledger_begin_publishing(struct ledger *l, const char *profile, const char *uuid,
                                       const char *former, const char *text, int64_t now, int64_t *ret_id,
                                       struct err *e);
must_check int ledger_end_publishing(struct ledger *l, int64_t id, struct err *e);

/* The newest ECU by which the device signs; NULL: not known. Both the caller's. */
must_check int ledger_find_serial(struct ledger *l, const char *profile, const char *uuid, char **ret_serial,
                                  char **ret_name, struct err *e);

/* ---- what was handed to the device gateway, byte for byte, as a device ---- */

enum relay_outcome {
    RELAY_UNKNOWN,   /* sent, or about to be: nobody knows whether it arrived */
    RELAY_ACCEPTED,  /* by the gateway */
    RELAY_REFUSED,   /* by the gateway */
    RELAY_NOT_SENT,  /* nothing of it went out */
    RELAY_OVERTAKEN, /* never to be sent: the device came online by itself after it */
    RELAY_WAITING,   /* not tried; never in the ledger */
};

struct ledger_relay {
    int64_t entry;
    const char *profile, *uuid; /* of the device in the cloud */
    int64_t counter;            /* of its reports */
    const char *gateway;        /* its address; "" where overtaken */
    int64_t at;
    enum relay_outcome outcome;
    int status; /* of HTTP; 0: none */
    const void *answer;
    size_t answer_len;
};

/* Before it is sent: claims it, with the outcome RELAY_UNKNOWN until ledger_end_relay(). *ret_claimed is
 * false, and nothing is kept, where one of this device with the same or a higher counter was accepted or may
 * have arrived; `again`: unless that is this entry, and may have arrived. */
must_check int ledger_begin_relay(struct ledger *l, const struct ledger_relay *relay, bool again,
                                  int64_t *ret_id, bool *ret_claimed, struct err *e);
must_check int ledger_end_relay(struct ledger *l, int64_t id, enum relay_outcome outcome, int status,
                                const void *answer, size_t len, struct err *e);
/* Keeps when the cloud had seen the device last, in its own words, directly after it accepted a relay: that
 * we may have brought about ourselves. Then the newest of these; *ret = NULL: none, else the caller's. */
must_check int ledger_put_seen(struct ledger *l, int64_t id, const char *seen, struct err *e);
must_check int ledger_last_seen(struct ledger *l, const char *uuid, char **ret, struct err *e);
must_check int ledger_mark_overtaken(struct ledger *l, const struct ledger_relay *relay, struct err *e);
/* What came of an entry at last, RELAY_WAITING where it was never tried; and the highest counter of the
 * device that was accepted or may have arrived, -1 for none. */
must_check int ledger_relay_outcome(struct ledger *l, const char *uuid, int64_t entry,
                                    enum relay_outcome *ret, struct err *e);
must_check int ledger_last_relayed(struct ledger *l, const char *uuid, int64_t *ret, struct err *e);
/* Of an entry, in the order in which they were. */
must_check int ledger_each_relay(struct ledger *l, int64_t entry,
                                 int (*each)(void *ctx, const struct ledger_relay *, struct err *), void *ctx,
                                 struct err *e);

#endif
