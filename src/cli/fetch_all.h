/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetching by name, as `fetch` and `prepare` do.
 */
#ifndef AIRLOCK_CLI_FETCH_ALL_H
#define AIRLOCK_CLI_FETCH_ALL_H

#include "cli/batch.h"
#include "cli/container_values.h"

struct fetch_how {
    const char *trust_dir; /* --trust, or NULL */
    const struct container_values *containers;
};

/* Fetches each of the names and says what came. One that fails goes to the batch, and its place in `names`
 * becomes NULL. `list`: those that came are listed in b->done. -1 when there
 * is no cloud to ask. */
must_check int fetch_all(struct app *app, const struct fetch_how *how, const char **names, size_t count,
                         bool list, struct batch *b, struct err *e);

#endif
