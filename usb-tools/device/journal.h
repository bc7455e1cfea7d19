/* SPDX-License-Identifier: Apache-2.0
 *
 * What the device's journal says became of a lockbox: the last thing to ask, of a client whose database tells
 * nothing. The lines do not name the lockbox; what the client said after it was unpacked is taken to be of
 * it.
 *
 * Source: the events that the Torizon fork of aktualizr writes, and what it writes when it does not take the
 * signed roles.
 */
#ifndef AIRLOCK_DEVICE_JOURNAL_H
#define AIRLOCK_DEVICE_JOURNAL_H

#include "base/buf.h"
#include "usb-tools/report_file.h"

/* Asks the device's journalctl. `since`: seconds since 1970. *ret_message = NULL: it says nothing; else the
 * caller's. ERR_NO_SUCH_PATH: the device has no journalctl; ERR_TOOL_FAILED. */
must_check int journal_read(const char *root, int64_t since, enum report_outcome *ret_what,
                            char **ret_message, struct err *e);

/* The same of lines of JSON, the newest first. What is no such line is left out. */
void journal_judge(const struct buf *lines, enum report_outcome *ret_what, char **ret_message);

#endif
