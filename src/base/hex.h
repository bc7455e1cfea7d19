/* SPDX-License-Identifier: Apache-2.0
 *
 * Hexadecimal text of bytes.
 */
#ifndef AIRLOCK_BASE_HEX_H
#define AIRLOCK_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 2 * n lower-case digits and a NUL to ret. */
void hex_encode(const void *bytes, size_t n, char *ret);
/* Exactly 2 * n digits of either case; false (and ret undefined) for anything else. */
bool hex_decode(const char *text, size_t text_len, uint8_t *ret, size_t n);

#endif
