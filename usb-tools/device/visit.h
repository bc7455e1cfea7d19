/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock-device visit: what happens when a stick is put in, from the first mount to the word that it may be
 * pulled. The unit that 'install' lays down runs it; a->stick is the node.
 *
 *     read-only   look for the folder airlock; apply
 *     not at all  wait for what the client says of it
 *     writable    report, and the request for the next stick
 *
 * Each step can be the last one, and the next visit, with this stick or another, after a restart of the
 * device or not, goes on from there.
 */
#ifndef AIRLOCK_DEVICE_VISIT_H
#define AIRLOCK_DEVICE_VISIT_H

#include "usb-tools/device/arguments.h"

must_check int visit(const struct arguments *a, struct err *e);

#endif
