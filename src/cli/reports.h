/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs of `airlock reports`: cmd_reports.c has their table, and each reports_*.c some of them.
 */
#ifndef AIRLOCK_CLI_REPORTS_H
#define AIRLOCK_CLI_REPORTS_H

#include "cli/app.h"
#include "report/reading.h"

struct cloud;

struct reports_options {
    const char *device, *fleet, *lockbox, *only, *as, *result, *serial;
    struct option_time since, until;
    bool all, helper, html;
};

typedef int reports_verb(struct app *app, const struct reports_options *o, const char **words, size_t count,
                         int *exit_code, struct err *e);

reports_verb reports_collect, reports_import, reports_note, reports_key_add, reports_key_list;
reports_verb reports_list, reports_show, reports_export, reports_status;

/* For what writes; makes the ledger where there is none. */
must_check int reports_open_ledger(struct app *app, struct ledger **ret, struct err *e);
/* For what reads. No ledger (*ret_ledger stays NULL) is one without reports. */
must_check int reports_load(struct app *app, struct ledger **ret_ledger, struct readings *ret, struct err *e);
/* With --fleet: leaves only the reports of its devices, as the cloud has them or, where it does not answer,
 * as it had them. */
must_check int reports_keep_fleet(struct app *app, const struct reports_options *o, struct ledger *l,
                                  struct readings *all, struct err *e);
/* *ret = NULL where the cloud cannot be asked now, or nobody is logged in there: *ret_why. */
must_check int reports_reach_cloud(struct app *app, struct cloud **ret, struct err *ret_why, struct err *e);
/* Is --only a word that there is? */
must_check int reports_check_only(const struct reports_options *o, struct err *e);
/* Does it fit --device, --lockbox, --only, --since and --until? */
bool reports_is_wanted(const struct reading *r, const struct reports_options *o);

/* In words; the caller's. A device that nobody named stands in quotes: anybody can call himself so. */
char *reports_device_text(const struct reading *r);
char *reports_lockbox_text(const struct reading *r);
char *reports_outcome_text(const struct reading *r);
char *reports_proof_text(const struct reading *r);

/* Before something is written there: whatever reports lie in the folder `to` (or that of the file) come to
 * the ledger. What fails is told, and the writing goes on. */
void reports_collect_before_writing(struct app *app, const char *to);

#endif
