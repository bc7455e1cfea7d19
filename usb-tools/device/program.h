/* SPDX-License-Identifier: Apache-2.0
 *
 * Where this program stays on a device: in a folder that survives updates of its OS, and from which the
 * kernel runs programs. /usr is the update's; /var stays as it is, and /etc is merged.
 */
#ifndef AIRLOCK_DEVICE_PROGRAM_H
#define AIRLOCK_DEVICE_PROGRAM_H

#include <stdbool.h>

#include "base/err.h"

/* Copies the file that runs, which must lie on the device's own disk. *ret_path: absolute, static.
 * ERR_NO_PLACE with the reason of the first folder. */
must_check int program_place(int root_fd, const char **ret_path, bool *ret_changed, struct err *e);
must_check int program_remove(int root_fd, struct err *e);

#endif
