/* SPDX-License-Identifier: Apache-2.0
 *
 * Canonical JSON: what is printed can be read again and is printed the same; the device's form is ASCII, and
 * where nothing is odd it is the cloud's.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/canonical.h"

static const struct json_limits limits = {1u << 24, JSON_DEPTH_MAX, 1u << 22};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void print_again(const struct buf *text, enum canonical_form form)
{
    AUTO(json) struct json doc = {0};
    AUTO(buf) struct buf again = {0};
    struct err e;
    if (json_parse(&doc, text->data, text->len, &limits, &e))
        abort();
    canonical_print(json_root(&doc), form, &again);
    if (again.len != text->len || memcmp(again.data, text->data, text->len) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(json) struct json doc = {0};
    AUTO(buf) struct buf cloud = {0};
    AUTO(buf) struct buf device = {0};
    struct err e;
    if (json_parse(&doc, bytes, len, &json_role_limits, &e))
        return 0;
    canonical_print(json_root(&doc), CANONICAL_CLOUD, &cloud);
    canonical_print(json_root(&doc), CANONICAL_DEVICE, &device);
    print_again(&cloud, CANONICAL_CLOUD);
    print_again(&device, CANONICAL_DEVICE);
    for (size_t i = 0; i < device.len; i++)
        if (device.data[i] < 0x20 || device.data[i] >= 0x7f + 1)
            abort();
    bool same = cloud.len == device.len && !memcmp(cloud.data, device.data, cloud.len);
    if (canonical_oddities(json_root(&doc)) == 0 && !same)
        abort();
    return 0;
}
