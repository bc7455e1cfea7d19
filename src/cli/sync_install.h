/* SPDX-License-Identifier: Apache-2.0
 *
 * `airlock sync --install` and `--uninstall`: the units by which systemd runs it (report/sync_units.h).
 */
#ifndef AIRLOCK_CLI_SYNC_INSTALL_H
#define AIRLOCK_CLI_SYNC_INSTALL_H

#include "cli/app.h"

/* Where systemd's manager for the user does not answer, the files are there and the answer says what to do
 * later. */
must_check int sync_install(struct app *app, struct err *e);
must_check int sync_uninstall(struct app *app, struct err *e);

#endif
