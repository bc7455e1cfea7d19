/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

size_t utf8_decode(const void *text, size_t len, uint32_t *ret_code_point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *at = text;
    if (len == 0)
        return 0;
    if (at[0] < 0x80) {
        *ret_code_point = at[0];
        return 1;
    }
    size_t n = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc0 || at[0] > 0xf7 || n > len)
        return 0;
    uint32_t value = at[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (at[i] & 0x3f);
    }
    if (value < smallest[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *ret_code_point = value;
    return n;
}

size_t utf8_encode(uint32_t c, char ret[4])
{
    if (c < 0x80) {
        ret[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        ret[i] = (char)(0x80 | (c & 0x3f));
    ret[0] = (char)((0xf00u >> n & 0xf0) | c);
    return n;
}

bool utf8_valid(const void *text, size_t len)
{
    const char *at = text;
    uint32_t code_point;
    for (size_t n; len > 0; at += n, len -= n)
        if ((n = utf8_decode(at, len, &code_point)) == 0)
            return false;
    return true;
}
