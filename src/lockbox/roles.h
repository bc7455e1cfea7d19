/* SPDX-License-Identifier: Apache-2.0
 *
 * The signed roles of one lockbox, wherever they lie: on a medium (usb-tools/roles) or in the store.
 */
#ifndef AIRLOCK_LOCKBOX_ROLES_H
#define AIRLOCK_LOCKBOX_ROLES_H

#include "store/record.h"
#include "usb-tools/roles.h"

must_check int roles_from_store(const struct store *s, const struct record *r, struct roles *ret,
                                struct err *e);

#endif
