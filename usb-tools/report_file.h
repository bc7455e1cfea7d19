/* SPDX-License-Identifier: Apache-2.0
 *
 * The two files that a device hands back on a stick: a report says what became of a lockbox, a request says
 * what state the device is in, so that the next lockbox can be judged for it (docs/report-format.md). Both
 * are JSON signed with the device's own Ed25519 key; here they are made and read. Whether a key belongs to a
 * device of ours, whether a number has been seen before, and what the vehicle manifest inside says is for
 * others to decide.
 *
 *     AUTO(report_file) struct report_file file = {0};
 *     if (report_file_parse(bytes, len, &file, e)) …    // intact, and signed by file.public_key
 *
 * A report_file owns its texts and buffers. It uses no cJSON: the helper on the device is to make these
 * files.
 */
#ifndef AIRLOCK_USB_TOOLS_REPORT_FILE_H
#define AIRLOCK_USB_TOOLS_REPORT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/hash.h"
#include "crypto/sign_key.h"

#define REPORT_MANIFEST_MAX (1u << 20) /* bytes: one with 64 ECUs and their messages has some hundred KiB */
#define REPORT_FILE_MAX (33u << 20)    /* bytes: a device state of 32 MiB and what stands around it */
#define REPORT_ECUS_MAX 64             /* as many as a device state may name */
#define REPORT_TEXT_MAX 4096           /* bytes of any text for people */
#define REPORT_DEVICE_MAX 128          /* bytes of a device's name, which becomes part of a path */

enum report_type { REPORT_REPORT, REPORT_REQUEST };
enum report_outcome { OUTCOME_INSTALLED, OUTCOME_FAILED, OUTCOME_REFUSED, OUTCOME_NOTHING, OUTCOME_UNKNOWN };
/* Whose word the outcome is. */
enum report_source { SOURCE_UPDATE_LOGS, SOURCE_CLIENT, SOURCE_JOURNAL, SOURCE_HELPER };

/* The public Uptane key of an ECU, in the form of a root. */
struct report_ecu {
    char *serial, *hardware_id;
    char *key_type, *key_value; /* both NULL where the key is not known */
};

struct report_file {
    enum report_type type;
    char *device;
    char *helper;     /* the version of the program that made the file */
    int64_t sequence; /* from 1, counted for each type */
    int64_t made_at;  /* by the device's clock */
    bool has_previous;
    uint8_t previous[HASH_SIZE]; /* sha256 of the newest report before this file */

    /* a report */
    char *lockbox; /* NULL: the stick had none for this device */
    int64_t lockbox_version;
    enum report_outcome outcome;
    enum report_source source;
    bool signers_checked; /* false: the device has no signer keys and relied on Uptane alone */
    char *error;          /* the id of an error; NULL: none */
    char *message;        /* for people */
    bool has_manifest;
    struct buf manifest; /* the signed vehicle manifest, byte for byte as the client wrote it */
    struct report_ecu *ecus;
    size_t ecu_count;

    /* a request */
    struct buf state; /* docs/device-state.md; device_parse() has read it */

    /* of the file as it was read, set by report_file_parse() only */
    uint8_t public_key[SIGN_PUBLIC_SIZE];
    uint8_t sha256[HASH_SIZE]; /* of what is signed: the next file's `previous`; the signature's frame could
                                  be written otherwise by anybody */
};

/* Appends the signed file. What the reader would refuse is not made: its errors. */
must_check int report_file_make(const struct report_file *file, const struct sign_key *key, struct buf *to,
                                struct err *e);
/* ERR_BAD_REPORT: not of this format; ERR_BAD_SIGNATURE: changed since it was signed; *ret is empty then. */
must_check int report_file_parse(const void *bytes, size_t len, struct report_file *ret, struct err *e);
void report_file_free(struct report_file *file);

/* Where it lies on a stick: "airlock/reports/<device>/<sequence>.json", "airlock/requests/<device>.json". The
 * caller's. */
char *report_file_path(const struct report_file *file);

#endif
