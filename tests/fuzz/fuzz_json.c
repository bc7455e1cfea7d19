/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict JSON and its canonical forms: what is accepted prints, parses again, and prints the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "crypto/canonical.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_round_trip(struct json_value v, enum canonical_form form)
{
    AUTO(buf) struct buf first = {0}, second = {0};
    AUTO(json) struct json again = {0};
    struct err e;
    canonical_print(v, form, &first);
    if (json_parse(&again, first.data, first.len, &json_role_limits, &e)) {
        /* escapes make text longer, and nothing else can go wrong */
        must(e.id == ERR_TOO_LARGE);
        return;
    }
    canonical_print(json_root(&again), form, &second);
    must(first.len == second.len && !memcmp(first.data, second.data, first.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(json) struct json doc = {0};
    struct err e;
    if (json_parse(&doc, bytes, len, &json_role_limits, &e))
        return 0;
    AUTO(buf) struct buf cloud = {0}, device = {0};
    struct json_value root = json_root(&doc);
    check_round_trip(root, CANONICAL_CLOUD);
    check_round_trip(root, CANONICAL_DEVICE);
    canonical_print(root, CANONICAL_CLOUD, &cloud);
    canonical_print(root, CANONICAL_DEVICE, &device);
    bool equal = cloud.len == device.len && !memcmp(cloud.data, device.data, cloud.len);
    must(equal == (canonical_oddities(root) == 0));
    return 0;
}
