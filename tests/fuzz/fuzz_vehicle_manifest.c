/* SPDX-License-Identifier: Apache-2.0
 *
 * A vehicle manifest, as a stick may hold one. A key of the serial "a" is known.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report/vehicle_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct ecu_keys *known_keys(void)
{
    static struct ecu_keys keys;
    struct ecu_key key = {0};
    struct err e;
    if (keys.count)
        return &keys;
    if (ecu_key_make("a", "ED25519", "03A107BFF3CE10BE1D70DD18E74BC09967E4D6309BA50D5F1DDC8664125531B8", &key,
                     &e))
        abort();
    ecu_keys_add(&keys, &key);
    return &keys;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(vehicle_manifest) struct vehicle_manifest m = {0};
    struct err e;
    if (vehicle_manifest_read(bytes, len, known_keys(), &m, &e)) {
        if (e.id != ERR_BAD_VEHICLE_MANIFEST)
            abort();
        return 0;
    }
    if (!m.serial || m.counter < -1 || m.ecu_count > MANIFEST_ECUS_MAX ||
        (m.result.outcome != MANIFEST_SILENT && (!m.result.code || !m.correlation)))
        abort();
    for (size_t i = 0; i < m.ecu_count; i++)
        if (!m.ecus[i].image || strlen(m.ecus[i].attacks) > MANIFEST_TEXT_MAX)
            abort();
    return 0;
}
