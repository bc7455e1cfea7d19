/* SPDX-License-Identifier: Apache-2.0
 *
 * The device's own disk: the file systems of its root and of its /var. What decides on the device lies there,
 * this program and the keys that it is given; what lies on any other medium was brought by somebody.
 */
#ifndef AIRLOCK_DEVICE_OWN_DISK_H
#define AIRLOCK_DEVICE_OWN_DISK_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Is it one of the two file systems? */
must_check int own_disk_has(int root_fd, dev_t device, bool *ret, struct err *e);
/* ERR_NOT_OWN_DISK where the open file, called `what`, lies elsewhere. */
must_check int own_disk_check(int root_fd, int fd, const char *what, struct err *e);
/* The file that runs, for reading; the same error where it lies elsewhere. */
must_check int own_disk_open_program(int root_fd, int *ret_fd, struct err *e);

#endif
