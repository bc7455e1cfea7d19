/* SPDX-License-Identifier: Apache-2.0
 *
 * The vehicle manifest: what the client of a device signs about an install. It holds the manifest of each
 * ECU, signed by that ECU, and the result. Here it is read and its signatures are held against the keys that
 * are known; a fault of form is an error, an unknown key is not.
 *
 *     AUTO(vehicle_manifest) struct vehicle_manifest m = {0};
 *     if (vehicle_manifest_read(bytes, len, &keys, &m, e)) …
 *     if (m.trust == MANIFEST_VERIFIED) …     // the primary ECU m.serial said all that stands in m
 *
 * A manifest carries no time. It says what the device claims about itself, and a device that was broken into
 * can claim anything.
 */
#ifndef AIRLOCK_REPORT_VEHICLE_MANIFEST_H
#define AIRLOCK_REPORT_VEHICLE_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "report/ecu_key.h"

#define MANIFEST_ECUS_MAX 64u   /* as many as a device state may name */
#define MANIFEST_TEXT_MAX 4096u /* bytes of a text for people; a longer one is cut */

enum manifest_trust {
    MANIFEST_VERIFIED,
    MANIFEST_UNKNOWN_KEY, /* signed by a key that is none of this serial's */
    MANIFEST_UNVERIFIED,  /* no key of this serial is known */
    MANIFEST_FORGED,      /* the key is known, and the signature is not its */
};

enum manifest_outcome {
    MANIFEST_SILENT, /* it says nothing of an install */
    MANIFEST_INSTALLED,
    MANIFEST_PENDING, /* NEED_COMPLETION: installed, and waits for a reboot */
    MANIFEST_FAILED,
};

struct manifest_result {
    enum manifest_outcome outcome;
    char *code, *description; /* "INSTALL_FAILED", for people; NULL where SILENT */
};

struct manifest_ecu {
    char *serial;
    enum manifest_trust trust; /* of its own signature */
    char *image;               /* the target that it runs */
    char sha256[HASH_HEX_SIZE];
    char *attacks; /* that it says it detected; "" as a rule */
    struct manifest_result result;
};

struct vehicle_manifest {
    char *serial;    /* of the primary ECU */
    int64_t counter; /* of its reports; -1: it names none */
    enum manifest_trust trust;
    char *correlation; /* which lockbox: the urn; NULL: it names none */
    struct manifest_result result;
    struct manifest_ecu *ecus; /* by serial */
    size_t ecu_count;
    uint8_t sha256[HASH_SIZE]; /* of the bytes */
};

/* ERR_BAD_VEHICLE_MANIFEST; JSON that is not strict comes under that id as well. */
must_check int vehicle_manifest_read(const void *bytes, size_t len, const struct ecu_keys *keys,
                                     struct vehicle_manifest *ret, struct err *e);
void vehicle_manifest_free(struct vehicle_manifest *m);

/* For people: "verified", "signed by an unknown key", … */
const char *manifest_trust_text(enum manifest_trust trust);

#endif
