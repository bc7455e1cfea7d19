/* SPDX-License-Identifier: Apache-2.0
 *
 * The device's own programs, which do what this one has no library for: systemctl, udevadm, busctl, and the
 * hook of whoever set the device up.
 */
#ifndef AIRLOCK_DEVICE_TOOL_H
#define AIRLOCK_DEVICE_TOOL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Does systemd run on this device, and not on the one that prepares its file system? */
bool tool_systemd_runs(const char *root);
bool tool_is_there(const char *root, const char *path);

/* Runs it to its end; argv[0] is its path beneath `root`. ret_stdout: NULL: where this program's goes; at
 * most 64 KiB of it. ERR_TOOL_FAILED. */
must_check int tool_run(const char *root, const char *const *argv, struct buf *ret_stdout, struct err *e);

#endif
