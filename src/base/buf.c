/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void buf_wipe(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->room);
    buf_free(b);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data)
        b->data[0] = '\0';
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
    if (n >= SIZE_MAX / 2 - b->len)
        abort(); /* beyond any memory: every caller's limit is far below */
    size_t needed = b->len + n + 1;
    if (needed > b->room) {
        size_t room = b->room ? b->room : 64;
        while (room < needed)
            room *= 2;
        b->data = mem_resize(b->data, room, 1);
        b->room = room;
    }
    return b->data + b->len;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
    uint8_t *to = buf_reserve(b, n);
    if (n)
        memcpy(to, bytes, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void buf_add_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_add_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_addf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        abort();
    char *to = (char *)buf_reserve(b, (size_t)n);
    vsnprintf(to, (size_t)n + 1, format, again);
    va_end(again);
    b->len += (size_t)n;
}

const char *buf_text(const struct buf *b)
{
    return b->data ? (const char *)b->data : "";
}

char *buf_steal_text(struct buf *b)
{
    buf_add(b, "", 0);
    char *text = (char *)b->data;
    *b = (struct buf){0};
    return text;
}
