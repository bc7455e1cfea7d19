/* SPDX-License-Identifier: Apache-2.0
 *
 * A stick's file system, mounted where nobody else sees it: a mount without a place in the tree, known by one
 * descriptor. It ends with the last descriptor on it, so whatever kills this program leaves nothing mounted.
 * Nothing on it is a program, a device or set-user-id, and for reading it is read-only for the driver too.
 */
#ifndef AIRLOCK_DEVICE_STICK_H
#define AIRLOCK_DEVICE_STICK_H

#include <stdbool.h>

#include "base/err.h"

/* node: "/dev/sda1", no disk that the device runs from (ERR_SYSTEM_DISK). */
must_check int stick_check(int root_fd, const char *node, struct err *e);
/* *ret_fd: the root folder. What is mounted elsewhere too, by another program of the device, is shared.
 * ERR_MEDIUM_IO for a file system that is none of those read here; ERR_READ_ONLY. */
must_check int stick_mount(const char *node, bool writable, int *ret_fd, struct err *e);

#endif
