/* SPDX-License-Identifier: Apache-2.0
 *
 * What a device's journalctl says.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "usb-tools/device/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(buf) struct buf lines = {0};
    AUTO_FREE char *message = NULL;
    enum report_outcome what;
    buf_add(&lines, bytes, len);
    journal_judge(&lines, &what, &message);
    if (message ? strlen(message) > REPORT_TEXT_MAX || !utf8_valid(message, strlen(message))
                : what != OUTCOME_UNKNOWN)
        abort();
    return 0;
}
