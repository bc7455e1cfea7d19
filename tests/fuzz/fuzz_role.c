/* SPDX-License-Identifier: Apache-2.0
 *
 * One signed file by itself: as a root that must sign itself, as a snapshot, and as targets with delegations.
 */
#include <stdint.h>

#include "uptane/delegation.h"
#include "uptane/root.h"
#include "uptane/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void try_root(const uint8_t *bytes, size_t len)
{
    struct root *root;
    struct err e;
    if (root_parse(bytes, len, &root, &e))
        return;
    AUTO(flaws) struct flaws flaws = {0};
    if (root_signs_itself(root, &flaws))
        role_check_date(root->role, 0, "", &flaws);
    root_follows(root, root, &flaws);
    root_delete(root);
}

static void try_snapshot(const uint8_t *bytes, size_t len)
{
    struct role *role;
    struct err e;
    if (role_parse(bytes, len, ROLE_SNAPSHOT, &role, &e))
        return;
    AUTO(flaws) struct flaws flaws = {0};
    for (size_t i = 0; snapshot_check(role, &e) == 0 && i < snapshot_count(role) && i < 16; i++) {
        struct snapshot_entry entry;
        snapshot_at(role, i, &entry);
        snapshot_confirms(&entry, role, true, &flaws);
    }
    role_delete(role);
}

static void try_targets(const uint8_t *bytes, size_t len)
{
    struct role *role;
    AUTO(delegations) struct delegations delegations = {0};
    struct err e;
    if (role_parse(bytes, len, ROLE_TARGETS, &role, &e))
        return;
    if (delegations_parse(role, &delegations, &e) == 0)
        for (size_t i = 0; i < delegations.count; i++)
            delegation_matches(&delegations.list[i], "bootloader/board-1.0");
    role_delete(role);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    try_root(bytes, len);
    try_snapshot(bytes, len);
    try_targets(bytes, len);
    return 0;
}
