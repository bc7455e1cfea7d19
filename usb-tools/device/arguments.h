/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line, as the verbs get it.
 */
#ifndef AIRLOCK_DEVICE_ARGUMENTS_H
#define AIRLOCK_DEVICE_ARGUMENTS_H

#include <stdint.h>

#include "base/err.h"

struct arguments {
    const char *root;    /* the device's file system */
    const char *stick;   /* how a person calls it; NULL for a verb without one */
    int stick_fd;        /* the folder where it is mounted */
    const char *lockbox; /* the only one that is wanted; NULL: any */
    int64_t now;
    int64_t wait_s; /* how long to wait for an outcome */
};

#endif
