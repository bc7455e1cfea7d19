/* SPDX-License-Identifier: Apache-2.0
 *
 * Canonical JSON, the form over which Uptane signatures and metadata hashes are taken: keys sorted by their
 * UTF-8 bytes, no white space, strings with the shortest escapes (\b \f \n \r \t, other control characters as
 * \u00xx in lower case, '/' not escaped).
 *
 * Two forms exist in the field. The cloud signs raw UTF-8 and numbers as they stand. The device's client
 * parses the file and prints it anew before it verifies, and there text outside ASCII becomes \uXXXX and a
 * number that is no plain integer gets 17 digits. The two are equal for nearly every role;
 * canonical_oddities() tells whether they are for this one.
 */
#ifndef AIRLOCK_CRYPTO_CANONICAL_H
#define AIRLOCK_CRYPTO_CANONICAL_H

#include "base/buf.h"
#include "base/json.h"
#include "crypto/hash.h"

enum canonical_form { CANONICAL_CLOUD, CANONICAL_DEVICE };

void canonical_print(struct json_value v, enum canonical_form form, struct buf *to);
/* SHA-256 of the form that the cloud uses. */
void canonical_hash(struct json_value v, uint8_t ret_digest[HASH_SIZE]);

#define CANONICAL_NON_ASCII 1u /* a key or a string holds text outside ASCII */
#define CANONICAL_ODD_NUMBER                                                                                 \
    2u /* a number that the device prints otherwise: 1e3, 0.1, -0, beyond 64 bits                            \
        */

/* What makes the two forms differ; 0 when they are equal. */
unsigned canonical_oddities(struct json_value v);

#endif
