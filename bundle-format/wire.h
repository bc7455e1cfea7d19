/* SPDX-License-Identifier: Apache-2.0
 *
 * Little-endian integers, byte by byte: a bounded cursor for reading, additions to a buffer for writing.
 *
 *     struct cursor c = {.at = bytes, .left = n};
 *     uint32_t count = cursor_u32(&c);
 *     …
 *     if (c.failed) …           // something asked for more than there was; everything since returned zeros
 */
#ifndef AIRLOCK_BUNDLE_WIRE_H
#define AIRLOCK_BUNDLE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

struct cursor {
    const uint8_t *at;
    size_t left;
    bool failed;
};

/* n bytes in place, or NULL when fewer are left. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t n)
{
    if (c->failed || c->left < n) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *taken = c->at;
    c->at += n;
    c->left -= n;
    return taken;
}

static inline uint64_t cursor_integer(struct cursor *c, unsigned bytes)
{
    const uint8_t *at = cursor_take(c, bytes);
    uint64_t value = 0;
    for (unsigned i = 0; at && i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    return (uint8_t)cursor_integer(c, 1);
}

static inline uint16_t cursor_u16(struct cursor *c)
{
    return (uint16_t)cursor_integer(c, 2);
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    return (uint32_t)cursor_integer(c, 4);
}

static inline uint64_t cursor_u64(struct cursor *c)
{
    return cursor_integer(c, 8);
}

/* n bytes copied; zeros when fewer are left. */
static inline void cursor_copy(struct cursor *c, void *to, size_t n)
{
    const uint8_t *at = cursor_take(c, n);
    if (at)
        memcpy(to, at, n);
    else
        memset(to, 0, n);
}

/* Are the next n bytes there and zero? */
static inline bool cursor_zeros(struct cursor *c, size_t n)
{
    const uint8_t *at = cursor_take(c, n);
    for (size_t i = 0; at && i < n; i++)
        if (at[i])
            return false;
    return at != NULL;
}

static inline void wire_add(struct buf *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_add_char(to, (char)(value >> (8 * i)));
}

static inline void wire_add_u16(struct buf *to, uint16_t value)
{
    wire_add(to, value, 2);
}

static inline void wire_add_u32(struct buf *to, uint32_t value)
{
    wire_add(to, value, 4);
}

static inline void wire_add_u64(struct buf *to, uint64_t value)
{
    wire_add(to, value, 8);
}

static inline void wire_add_zeros(struct buf *to, size_t n)
{
    memset(buf_reserve(to, n), 0, n);
    to->len += n;
}

#endif
