/* SPDX-License-Identifier: Apache-2.0
 *
 * Is a repository that verified the present one, or an earlier one served again? Old roles are signed as well
 * as new ones: only a memory can tell.
 *
 * The rule (Uptane 2.x, "How to check Snapshot metadata", with the laptop's memory in place of the device's):
 * the snapshot's version does not go down; nothing that it lists goes down; and an equal version has equal
 * content. What the newest snapshot lists no more may be listed again later with any version.
 *
 * All that is forgotten when, since then, the keys that sign the snapshot were changed so far that the
 * remembered snapshot could not be signed by the present ones: fewer of the old keys are left than the
 * threshold asks for. Nothing old can be replayed then, and a version that a thief of the old key drove up
 * must not lock the account out. A new root with the same keys (the cloud renews the director's as it serves
 * it) changes nothing.
 */
#ifndef AIRLOCK_LOCKBOX_REPLAY_H
#define AIRLOCK_LOCKBOX_REPLAY_H

#include "lockbox/roles.h"
#include "store/memory.h"

/* For roles that the verdict has found good: ERR_ROLLBACK, and `r` stays, or `r` is what was served now. */
must_check int replay_advance(struct memory_repo *r, enum pin_repo repo, const struct roles *roles,
                              const struct verdict *v, struct err *e);

#endif
