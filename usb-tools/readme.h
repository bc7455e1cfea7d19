/* SPDX-License-Identifier: Apache-2.0
 *
 * README.txt in the stick's airlock/ folder, for whoever finds the stick.
 */
#ifndef AIRLOCK_USB_README_H
#define AIRLOCK_USB_README_H

#include "base/err.h"

/* Writes it where it is missing or another version's. */
must_check int readme_write(int airlock_dirfd, struct err *e);

#endif
