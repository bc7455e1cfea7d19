/* SPDX-License-Identifier: Apache-2.0
 *
 * The state of a device, as a person or a stick may bring it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "uptane/device.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(device) struct device device = {0};
    struct err e;
    if (device_parse(bytes, len, &device, &e)) {
        if (e.id != ERR_BAD_DEVICE_STATE)
            abort();
        return 0;
    }
    for (size_t repo = 0; repo < 2; repo++)
        for (size_t i = 0; i < device.roots[repo].count; i++) {
            const struct device_role *root = &device.roots[repo].list[i];
            if (!root->bytes || root->len > len || root->version < 1)
                abort();
        }
    free(device_label(&device));
    device_now(&device, 1795392000);
    return 0;
}
