/* SPDX-License-Identifier: Apache-2.0
 *
 * A growable run of bytes. {0} is an empty one; there is always a NUL after the last byte once anything was
 * added, so text can be used as a C string. Limits are the business of whoever reads from outside
 * (fs_read_file(), an HTTP sink).
 */
#ifndef AIRLOCK_BASE_BUF_H
#define AIRLOCK_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct buf {
    uint8_t *data;
    size_t len;
    size_t room;
};

void buf_free(struct buf *b);
/* The same for a secret: overwrites it first. */
void buf_wipe(struct buf *b);
/* Empties it and keeps the memory. */
void buf_clear(struct buf *b);
/* Room for n more bytes; returns where they go. The caller adds what it wrote to b->len. */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_add_char(struct buf *b, char c);
void buf_add_text(struct buf *b, const char *text);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text so far; "" when empty. Owned by b. */
const char *buf_text(const struct buf *b);
/* Gives the memory away as a NUL-terminated string and leaves b empty. */
char *buf_steal_text(struct buf *b);

#endif
