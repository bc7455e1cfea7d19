/* SPDX-License-Identifier: Apache-2.0
 *
 * A file that 'airlock-device install' lays down among those of the device. Its first line says so, and only
 * a file that does is replaced or removed: what a person put there stays.
 */
#ifndef AIRLOCK_DEVICE_LAID_H
#define AIRLOCK_DEVICE_LAID_H

#include <stdbool.h>

#include "base/err.h"

#define LAID_MARK "# laid down by 'airlock-device install'; 'airlock-device uninstall' removes it\n"

enum laid { LAID_NONE, LAID_ANOTHERS, LAID_OURS };

/* What is there? path: beneath root_fd. */
must_check int laid_look(int root_fd, const char *path, enum laid *ret, struct err *e);
/* ERR_ALREADY_EXISTS where a file of somebody else is there. */
must_check int laid_check_free(int root_fd, const char *path, struct err *e);
/* Removes what a killed run left beside it under a temporary name. */
must_check int laid_sweep(int root_fd, const char *path, struct err *e);
/* The mark and the text. *ret_changed: false: it was there already. */
must_check int laid_put(int root_fd, const char *path, const char *text, bool *ret_changed, struct err *e);
/* *ret: what was there; a file of somebody else still is. */
must_check int laid_remove(int root_fd, const char *path, enum laid *ret, struct err *e);

#endif
