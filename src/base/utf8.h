/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef AIRLOCK_BASE_UTF8_H
#define AIRLOCK_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes one code point of at most len bytes; returns how many it took, 0 when they are not UTF-8. */
size_t utf8_decode(const void *text, size_t len, uint32_t *ret_code_point);
/* Writes 1 to 4 bytes; the code point must be valid. Returns how many. */
size_t utf8_encode(uint32_t code_point, char ret[4]);
bool utf8_valid(const void *text, size_t len);

#endif
