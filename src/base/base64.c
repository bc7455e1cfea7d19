/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *to, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t group = (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) |
                         (left > 2 ? (uint32_t)at[i + 2] : 0);
        const char text[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                              left > 1 ? alphabet[group >> 6 & 63] : '=',
                              left > 2 ? alphabet[group & 63] : '='};
        buf_add(to, text, sizeof text);
    }
}

/* Four digits; -1 for what is none. */
static int32_t group_of(const char *text, size_t digits)
{
    int32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        const char *digit = i < digits && text[i] ? strchr(alphabet, text[i]) : NULL;
        if (i < digits && !digit)
            return -1;
        group = group << 6 | (int32_t)(digit ? digit - alphabet : 0);
    }
    return group;
}

bool base64_decode(struct buf *to, const char *text, size_t len)
{
    size_t before = to->len, padding = 0;
    while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < len; i += 4) {
        size_t last = i + 4 == len ? padding : 0;
        int32_t group = len % 4 == 0 ? group_of(text + i, 4 - last) : -1;
        uint32_t bits = (uint32_t)group;
        if (group < 0 || (last == 1 && bits & 0xff) || (last == 2 && bits & 0xffff)) {
            to->len = before;
            return false;
        }
        const uint8_t bytes[3] = {(uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits};
        buf_add(to, bytes, 3 - last);
    }
    return true;
}
