/* SPDX-License-Identifier: Apache-2.0
 *
 * For ledger.c (file, schema, transactions) and the other ledger_*.c only.
 */
#ifndef AIRLOCK_REPORT_LEDGER_INTERNAL_H
#define AIRLOCK_REPORT_LEDGER_INTERNAL_H

#include "report/ledger.h"
#include "report/sql.h"

struct ledger {
    sqlite3 *db;
};

#endif
