/* SPDX-License-Identifier: Apache-2.0
 *
 * Names from outside: whatever passes stays beneath the folder that it is joined to.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_part(const char *part, size_t len)
{
    if (len == 0 || len > NAME_PART_MAX || part[0] == '-' || part[len - 1] == '.' || part[len - 1] == ' ')
        abort();
    if ((len == 1 && part[0] == '.') || (len == 2 && !memcmp(part, "..", 2)))
        abort();
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)part[i] < 0x20 || strchr("\\:*?\"<>|$`", part[i]))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const char *name = (const char *)bytes, *end = name + len;
    struct err e;
    if (name_check(name, len, &e))
        return 0;
    if (len == 0 || len > NAME_PATH_MAX || name[0] == '/')
        abort();
    for (const char *part = name; part <= end;) {
        const char *slash = part < end ? memchr(part, '/', (size_t)(end - part)) : NULL;
        const char *stop = slash ? slash : end;
        check_part(part, (size_t)(stop - part));
        part = stop + 1;
    }
    return 0;
}
