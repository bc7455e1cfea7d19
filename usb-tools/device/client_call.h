/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells the client over D-Bus to install from a directory: clients of 2025 and later have the method
 * OfflineUpdate, and take it when they do nothing else. busctl of the device does the talking.
 */
#ifndef AIRLOCK_DEVICE_CLIENT_CALL_H
#define AIRLOCK_DEVICE_CLIENT_CALL_H

#include <stdbool.h>

#include "base/err.h"

/* Is busctl there, the client on the bus, and has it the method? */
bool client_takes_calls(const char *root);
/* ERR_TOOL_FAILED: it did not take it; busctl has said why. */
must_check int client_call(const char *root, const char *directory, struct err *e);

#endif
