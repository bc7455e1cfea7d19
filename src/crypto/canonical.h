/* SPDX-License-Identifier: Apache-2.0
 *
 * Canonical JSON, the form over which Uptane signatures and metadata hashes are taken: keys sorted by their
 * UTF-8 bytes, no white space, numbers as they stand, strings with the shortest escapes (\b \f \n \r \t,
 * other control characters as \u00xx in lower case, '/' not escaped). Two forms exist in the field for text
 * outside ASCII: the cloud signs raw UTF-8, the device's client escapes it as \uXXXX before it verifies. They
 * are equal as long as everything is ASCII, which canonical_is_ascii() tells.
 */
#ifndef AIRLOCK_CRYPTO_CANONICAL_H
#define AIRLOCK_CRYPTO_CANONICAL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/json.h"
#include "crypto/hash.h"

enum canonical_form { CANONICAL_UTF8, CANONICAL_ESCAPED };

void canonical_print(struct json_value v, enum canonical_form form, struct buf *to);
/* SHA-256 of the form that the cloud uses (raw UTF-8). */
void canonical_hash(struct json_value v, uint8_t ret_digest[HASH_SIZE]);
bool canonical_is_ascii(struct json_value v);

#endif
