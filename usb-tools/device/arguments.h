/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line, as the verbs get it.
 */
#ifndef AIRLOCK_DEVICE_ARGUMENTS_H
#define AIRLOCK_DEVICE_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct arguments {
    const char *root;    /* the device's file system */
    const char *stick;   /* how a person calls it; NULL for a verb without one */
    int stick_fd;        /* the folder where it is mounted; -1: it is not */
    const char *lockbox; /* the only one that is wanted; NULL: any */
    const char *signers; /* install: a file of keys; NULL: those that are there, or none */
    const char *led;     /* below /sys/class/leds; NULL: none */
    bool purge;          /* uninstall: the device's key and reports too */
    int64_t now;
    int64_t wait_s; /* how long to wait for an outcome; negative: nothing was said */
};

#endif
