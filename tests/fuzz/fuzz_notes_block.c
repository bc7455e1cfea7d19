/* SPDX-License-Identifier: Apache-2.0
 *
 * The notes of a device, as people and other laptops may leave them. The text around the block must stay, and
 * the same rows a second time must change nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/notes_block.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define LIMIT 64000

static const char begin[] = "[begin of what airlock reports]", end[] = "[end of what airlock reports]";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct notes_row list[] = {
        {.basis = NOTES_VERIFIED, .version = 3, .counter = 42, .at = 1764230400, .key = "0123456789ab"},
        {.basis = NOTES_TECHNICIAN,
         .outcome = NOTES_FAILED,
         .version = -1,
         .counter = -1,
         .at = 1764230401,
         .key = "ba9876543210"},
    };
    const struct notes_rows rows = {.list = list, .count = COUNT_OF(list)};
    AUTO_FREE char *notes = mem_strndup(bytes ? (const char *)bytes : "", len);
    AUTO_FREE char *once = NULL;
    AUTO_FREE char *twice = NULL;
    struct err e;
    if (notes_block_merge(notes, &rows, LIMIT, &once, &e)) {
        if (e.id != ERR_NOTES_BLOCK && e.id != ERR_TOO_LARGE)
            abort();
        return 0;
    }
    const char *was = strstr(notes, begin), *is = strstr(once, begin);
    size_t before = was ? (size_t)(was - notes) : strlen(notes);
    if (!is || strlen(once) > LIMIT || strncmp(once, notes, before) != 0 ||
        (was && strcmp(strstr(notes, end), strstr(is, end)) != 0))
        abort();
    if (notes_block_merge(once, &rows, LIMIT, &twice, &e) || strcmp(once, twice) != 0)
        abort();
    return 0;
}
