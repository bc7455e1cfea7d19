/* SPDX-License-Identifier: Apache-2.0
 *
 * Lets a stick be pulled: flushes it, unmounts its file systems and powers it off, through udisks2 on the
 * system bus, as a normal user. Where udisks2 is not there it is ERR_NO_UDISKS, whose hint names the commands
 * for root; what was flushed stays so.
 */
#ifndef AIRLOCK_USB_EJECT_H
#define AIRLOCK_USB_EJECT_H

#include "usb-tools/media.h"

/* All file systems on the disk of `stick` are unmounted. *ret_powered_off is false where the drive cannot be
 * (a card in its slot): it may be pulled all the same. Errors: ERR_STICK_BUSY where something still uses it.
 */
must_check int eject_stick(const struct media *all, const struct stick *stick, bool *ret_powered_off,
                           struct err *e);

#endif
