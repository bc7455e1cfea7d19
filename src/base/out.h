/* SPDX-License-Identifier: Apache-2.0
 *
 * Text for people. stdout is the answer, stderr is progress and messages. Whatever came from a device, a
 * server or a stick passes out_escape() before it reaches a terminal.
 */
#ifndef AIRLOCK_BASE_OUT_H
#define AIRLOCK_BASE_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define OUT_SIZE_TEXT 16 /* bytes that hold any text of out_size() */

/* Appends the text with control characters, invalid UTF-8 and bidirectional overrides shown as \xNN or \u{N}.
 */
void out_escape(struct buf *to, const char *text, size_t len);
/* "0 B", "999 B", "1.0 KiB", "12 MiB", "3.5 GiB": at most three digits. */
void out_size(uint64_t bytes, char ret[OUT_SIZE_TEXT]);

#endif
