/* SPDX-License-Identifier: Apache-2.0
 *
 * Progress on stderr: a bar on a terminal, JSON lines for programs, or nothing.
 */
#ifndef AIRLOCK_CLI_PROGRESS_VIEW_H
#define AIRLOCK_CLI_PROGRESS_VIEW_H

#include "base/progress.h"
#include "cli/app.h"

/* *ret is NULL where progress is not shown. ERR_USAGE for an unknown --progress. */
must_check int progress_view_open(const struct global_options *g, struct progress **ret, struct err *e);
void progress_view_close(struct progress *p);

#endif
