/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_abort(void *pointer)
{
    if (!pointer)
        abort();
    return pointer;
}

void *mem_zeroed(size_t n, size_t size)
{
    return or_abort(calloc(n ? n : 1, size));
}

void *mem_resize(void *old, size_t n, size_t size)
{
    return or_abort(reallocarray(old, n ? n : 1, size));
}

char *mem_strdup(const char *text)
{
    return or_abort(strdup(text));
}

char *mem_strndup(const void *text, size_t len)
{
    char *copy = or_abort(malloc(len + 1));
    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *mem_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        abort();
    return text;
}

void mem_grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return;
    void *old;
    memcpy(&old, array, sizeof old); /* array is a T **: copied, not cast, to keep aliasing rules */
    size_t wanted = *room ? *room * 2 : 8;
    void *grown = mem_resize(old, wanted, size);
    memcpy(array, &grown, sizeof grown);
    *room = wanted;
}
