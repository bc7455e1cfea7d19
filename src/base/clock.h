/* SPDX-License-Identifier: Apache-2.0
 *
 * Points in time as seconds since 1970-01-01T00:00:00Z (leap seconds not counted, as everywhere in Uptane).
 * Only main() asks the machine what time it is; everybody else is told.
 */
#ifndef AIRLOCK_BASE_CLOCK_H
#define AIRLOCK_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_TEXT_SIZE 32 /* bytes that hold any formatted time with its NUL */

/* The one form that signed roles use, "YYYY-MM-DDTHH:MM:SSZ", and nothing else: 20 characters, a date that
 * exists, hours 0 to 23, seconds 0 to 59. Source: the device's client compares these as text, so no other
 * form may pass. */
bool clock_parse_role(const char *text, size_t len, int64_t *ret_time);
/* What a person or a server may write: RFC 3339 with 'Z' or an offset, 'T', 't' or a blank, optional fraction
 * (dropped), or a date alone (midnight UTC). */
bool clock_parse(const char *text, int64_t *ret_time);
/* "YYYY-MM-DDTHH:MM:SSZ"; years 0 to 9999, anything outside as "out of range". */
void clock_format(int64_t time, char ret_text[CLOCK_TEXT_SIZE]);

#endif
