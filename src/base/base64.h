/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64 (RFC 4648, 4) for logins over HTTP Basic and for Docker's files of them.
 */
#ifndef AIRLOCK_BASE_BASE64_H
#define AIRLOCK_BASE_BASE64_H

#include <stdbool.h>

#include "base/buf.h"

/* Appends the text of n bytes, padded. */
void base64_encode(struct buf *to, const void *bytes, size_t n);
/* Appends the bytes; false (and `to` as it was) for anything but whole, padded groups of the alphabet. */
bool base64_decode(struct buf *to, const char *text, size_t len);

#endif
