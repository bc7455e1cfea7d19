/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetching by name, as `fetch` and `prepare` do.
 */
#ifndef AIRLOCK_CLI_FETCH_ALL_H
#define AIRLOCK_CLI_FETCH_ALL_H

#include "cli/app.h"

struct cJSON;

/* Fetches each of the names and says what came; with --json adds it to `fetched` instead. One that fails does
 * not stop the others when there are several: *ret_failed counts them, and -1 is returned only when all
 * failed. */
must_check int fetch_all(struct app *app, const char **names, size_t count, struct cJSON *fetched,
                         size_t *ret_failed, struct err *e);

#endif
