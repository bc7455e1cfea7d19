/* SPDX-License-Identifier: Apache-2.0
 *
 * Entries of the ledger as lines of JSON, to carry them from the laptop of whoever collects to that of
 * whoever goes online (docs/report-format.md). A line holds the bytes and where they were seen, and no
 * verdict: whoever imports it reads the bytes himself, with the keys that he knows.
 */
#ifndef AIRLOCK_REPORT_EXCHANGE_H
#define AIRLOCK_REPORT_EXCHANGE_H

#include "base/buf.h"
#include "report/ledger.h"

#define EXCHANGE_LINE_MAX (64u << 20) /* bytes: a helper's report of 33 MiB in base64, and its journal */

/* Appends the line with its line feed. */
must_check int exchange_print(struct ledger *l, const struct ledger_entry *entry, struct buf *to,
                              struct err *e);
/* Keeps what a line holds. ERR_BAD_REPORT, ERR_BAD_VEHICLE_MANIFEST, ERR_BAD_SIGNATURE: it is none, or not
 * what it says it is. */
must_check int exchange_take(struct ledger *l, const char *line, size_t len, bool *ret_new, struct err *e);

#endif
