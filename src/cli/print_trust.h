/* SPDX-License-Identifier: Apache-2.0
 *
 * Pinned roots in answers: what people compare over the telephone.
 */
#ifndef AIRLOCK_CLI_PRINT_TRUST_H
#define AIRLOCK_CLI_PRINT_TRUST_H

#include <stdbool.h>

#include "store/memory.h"

struct cJSON;

/* Roots that were pinned just now; by enum pin_repo. */
struct first_contact {
    const bool *pinned;
    const enum pin_origin *origin;
    const uint8_t (*fingerprint)[HASH_SIZE];
};

/* "credentials.zip and the cloud agree" and so on. */
const char *origin_text(enum pin_origin origin);
/* "credentials", "cloud", "folder", or NULL: for JSON. */
const char *origin_name(enum pin_origin origin);
/* "director     85d5…". */
void print_fingerprint(enum pin_repo repo, const uint8_t fingerprint[HASH_SIZE]);
/* That they are pinned, and why they are believed; the fingerprints follow. */
void print_first_contact(const struct first_contact *c);
/* The same on stderr, for whoever asked for JSON and may get none; with the fingerprints, also with -q. */
void note_first_contact(const struct first_contact *c);
/* {"director": …, "image_repo": …} of those that `pinned` names. */
struct cJSON *json_fingerprints(const bool *pinned, const uint8_t (*fingerprint)[HASH_SIZE]);

#endif
