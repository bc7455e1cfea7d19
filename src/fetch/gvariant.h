/* SPDX-License-Identifier: Apache-2.0
 *
 * Just enough GVariant to read OSTree's objects, whose types are fixed and known: a run of bytes is cut into
 * parts by the framing offsets at its end. A `gvariant` points into the bytes of whoever made it and owns
 * nothing. Only normal form is read (offsets of the size that the whole calls for, in order, without gaps):
 * where two readings of the same bytes are possible, another program's could differ from ours.
 *
 * The format: https://docs.gtk.org/glib/gvariant-specification-1.0.html
 */
#ifndef AIRLOCK_FETCH_GVARIANT_H
#define AIRLOCK_FETCH_GVARIANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gvariant {
    const uint8_t *at;
    size_t len;
};

/* How many bytes a framing offset takes in a container of that size. */
size_t gvariant_offset_size(size_t container);
/* The same for one that is being made: `body` bytes and `count` offsets. */
size_t gvariant_offset_size_for(size_t body, size_t count);
/* The i-th framing offset, counted from the end of the container; it must lie within the part before the
 * `count` offsets. */
bool gvariant_offset(struct gvariant container, size_t count, size_t i, size_t *ret);

/* An array whose elements have no fixed size and need no alignment. */
bool gvariant_count(struct gvariant array, size_t *ret);
/* i is below that count. False where the element does not follow the one before. */
bool gvariant_element(struct gvariant array, size_t i, struct gvariant *ret);

/* A part from `start` to `end`; false when that is no part. */
bool gvariant_part(struct gvariant whole, size_t start, size_t end, struct gvariant *ret);
/* Is it text: one NUL, at the end, and valid UTF-8 before it? */
bool gvariant_is_text(struct gvariant v);
/* A number of four or eight bytes, most significant first: how OSTree stores all of its own. */
uint32_t gvariant_be32(const uint8_t *at);
uint64_t gvariant_be64(const uint8_t *at);

#endif
