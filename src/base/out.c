/* SPDX-License-Identifier: Apache-2.0 */
#include "base/out.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/utf8.h"

/* Code points that move the cursor, change the direction of text or are invisible. */
static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || c >= 0xe0000;
}

void out_escape(struct buf *to, const char *text, size_t len)
{
    while (len > 0) {
        uint32_t c;
        size_t n = utf8_decode(text, len, &c);
        if (n == 0) {
            buf_addf(to, "\\x%02x", (unsigned char)*text);
            n = 1;
        } else if (is_hidden(c)) {
            buf_addf(to, c < 0x80 ? "\\x%02x" : "\\u{%x}", c);
        } else {
            buf_add(to, text, n);
        }
        text += n;
        len -= n;
    }
}

void out_size(uint64_t bytes, char ret[OUT_SIZE_TEXT])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        snprintf(ret, OUT_SIZE_TEXT, "%u B", (unsigned)bytes);
        return;
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < COUNT_OF(units)) {
        value /= 1024;
        unit++;
    }
    snprintf(ret, OUT_SIZE_TEXT, value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}
