/* SPDX-License-Identifier: Apache-2.0
 *
 * LOCKBOX.json, by which a bundle describes itself to people and programs (bundle-format/SPEC.md lists the
 * fields). It is covered by the bundle's signature and decides nothing: what a device installs is decided by
 * the signed roles.
 */
#ifndef AIRLOCK_LOCKBOX_MANIFEST_H
#define AIRLOCK_LOCKBOX_MANIFEST_H

#include "lockbox/needs.h"
#include "lockbox/roles.h"

#define ACCOUNT_TEXT_SIZE 7

/* Six hexadecimal digits that tell accounts apart: of the SHA-256 of the first director root (canonical
 * form); "000000" where there is none. */
void manifest_account(const struct roles *roles, char ret[ACCOUNT_TEXT_SIZE]);
/* `images`: bytes of all members there; `needs`: for people, as NEEDS_PATH has it for airlock; `loans`: what
 * it borrows, NULL for nothing. The same inputs give the same bytes. Owned by the caller. */
char *manifest_make(const struct verdict *v, const struct roles *roles, const struct needs *needs,
                    const struct bundle_loans *loans, uint64_t images);

#endif
