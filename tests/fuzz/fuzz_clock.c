/* SPDX-License-Identifier: Apache-2.0
 *
 * Times: what a role may say is printed as it was written, and is understood alike where people write it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO_FREE char *text = mem_strndup(bytes, len);
    char printed[CLOCK_TEXT_SIZE];
    int64_t time, again;
    if (clock_parse_role(text, len, &time)) {
        clock_format(time, printed);
        if (len != strlen(printed) || memcmp(printed, text, len) != 0)
            abort();
        if (!clock_parse(text, &again) || again != time)
            abort();
    }
    if (clock_parse(text, &time)) {
        clock_format(time, printed);
        if (clock_parse_role(printed, strlen(printed), &again) && again != time)
            abort();
    }
    return 0;
}
