/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports as one page of HTML, for the customer's file: nothing is loaded from elsewhere, nothing in it runs,
 * and whatever a device or a person wrote is text.
 */
#ifndef AIRLOCK_CLI_REPORTS_PAGE_H
#define AIRLOCK_CLI_REPORTS_PAGE_H

#include "cli/reports.h"

/* Those that are wanted, on stdout. `word`: the number of one; NULL: all. *ret_count: how many they are. */
must_check int reports_page_print(const struct app *app, struct ledger *l, const struct readings *all,
                                  const struct reports_options *o, const char *word, size_t *ret_count,
                                  struct err *e);

#endif
