/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock sync --create: a device in the cloud for an ECU that it does not know. Each is shown, and made only
 * with a person's word.
 */
#ifndef AIRLOCK_CLI_SYNC_CREATE_H
#define AIRLOCK_CLI_SYNC_CREATE_H

#include "cli/app.h"
#include "cli/consent.h"
#include "report/newcomer.h"

struct cJSON;

struct sync_create_options {
    const char *folder;
    bool dry_run;
    struct consent *yes;
};

/* *ret_any: one was made. */
must_check int sync_create(struct app *app, const struct sync_create_options *o, struct newcomers *ret,
                           bool *ret_any, struct err *e);
void sync_create_print(const struct newcomers *all, const char *folder, bool dry_run);
/* "created" of the answer, and what failed. */
void sync_create_add_json(const struct newcomers *all, struct cJSON *created, struct cJSON *failed);
void sync_create_tell_failures(const struct newcomers *all, int *exit_code);

#endif
