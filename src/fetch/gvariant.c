/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/gvariant.h"

#include <string.h>

#include "base/utf8.h"

size_t gvariant_offset_size(size_t container)
{
    return container <= UINT8_MAX ? 1 : container <= UINT16_MAX ? 2 : container <= UINT32_MAX ? 4 : 8;
}

size_t gvariant_offset_size_for(size_t body, size_t count)
{
    size_t size = 1;
    while (gvariant_offset_size(body + count * size) > size)
        size *= 2;
    return size;
}

static size_t read_offset(const uint8_t *at, size_t size)
{
    size_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (size_t)at[i] << (8 * i);
    return value;
}

bool gvariant_offset(struct gvariant container, size_t count, size_t i, size_t *ret)
{
    size_t size = gvariant_offset_size(container.len);
    if (count > container.len / size || i >= count)
        return false;
    size_t body = container.len - count * size;
    if (gvariant_offset_size_for(body, count) != size)
        return false;
    *ret = read_offset(container.at + container.len - (i + 1) * size, size);
    return *ret <= body;
}

bool gvariant_count(struct gvariant array, size_t *ret)
{
    *ret = 0;
    if (array.len == 0)
        return true;
    size_t size = gvariant_offset_size(array.len);
    size_t body = read_offset(array.at + array.len - size, size);
    if (body >= array.len || (array.len - body) % size)
        return false;
    *ret = (array.len - body) / size;
    return gvariant_offset_size_for(body, *ret) == size;
}

bool gvariant_element(struct gvariant array, size_t i, struct gvariant *ret)
{
    size_t size = gvariant_offset_size(array.len), start = 0, count;
    size_t body = read_offset(array.at + array.len - size, size);
    count = (array.len - body) / size;
    const uint8_t *offsets = array.at + array.len - count * size;
    if (i > 0)
        start = read_offset(offsets + (i - 1) * size, size);
    size_t end = read_offset(offsets + i * size, size);
    return end <= body && gvariant_part(array, start, end, ret);
}

bool gvariant_part(struct gvariant whole, size_t start, size_t end, struct gvariant *ret)
{
    if (start > end || end > whole.len)
        return false;
    *ret = (struct gvariant){whole.at + start, end - start};
    return true;
}

bool gvariant_is_text(struct gvariant v)
{
    return v.len > 0 && memchr(v.at, 0, v.len) == v.at + v.len - 1 && utf8_valid(v.at, v.len - 1);
}

uint32_t gvariant_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

uint64_t gvariant_be64(const uint8_t *at)
{
    return (uint64_t)gvariant_be32(at) << 32 | gvariant_be32(at + 4);
}
