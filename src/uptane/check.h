/* SPDX-License-Identifier: Apache-2.0
 *
 * What the steps of a verdict share: the input with its files by name, and the growing verdict with its
 * problems, roles and assumptions. Internal to src/uptane.
 */
#ifndef AIRLOCK_UPTANE_CHECK_H
#define AIRLOCK_UPTANE_CHECK_H

#include "uptane/device_view.h"
#include "uptane/root.h"
#include "uptane/target.h"
#include "uptane/verdict.h"

struct check {
    const struct verdict_input *in;
    struct verdict *v;
    const struct verdict_file **files; /* sorted by path */
    const struct device_view *view;    /* NULL: only the standard is asked for */
    const struct device_ecu *ecus;     /* none: all hardware counts */
    struct device_ecu *own_ecus;       /* where they are made up */
    size_t ecu_count;
    struct hardware hardware; /* of the ECUs */
    int64_t true_now;         /* in->now is the device's, where the device decides */
    bool refused[2];          /* by the device, for something of this repository */
    int64_t root_version[2];  /* of the last root that the chain reached; 0 where it broke */
};

void check_start(struct check *c, const struct verdict_input *in, const struct device_view *view,
                 struct verdict *v);
void check_free(struct check *c);

bool check_has_folder(const struct check *c, enum verdict_repo repo);
/* "<folder>/<name>.json", or NULL. */
const struct verdict_file *check_file(const struct check *c, enum verdict_repo repo, const char *name);

/* Writes the flaws down as problems of this path; the flaws stay the caller's. */
void check_report(struct check *c, enum verdict_repo repo, const char *path, const struct flaws *flaws);
/* The same for one problem that has no flaws. A path of "" is the device itself. */
void check_problem(struct check *c, enum verdict_repo repo, const char *path, enum err_id id,
                   bool device_refuses, bool breaks_validity, const char *format, ...)
    __attribute__((format(printf, 7, 8)));
/* Replaces the hint of the last problem. */
void check_hint(struct check *c, const char *hint);
void check_assume(struct check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One row of the verdict's roles. `counts`: the device looks at its date, and its signatures hold. */
void check_add_role(struct check *c, enum verdict_repo repo, const struct verdict_file *file,
                    const char *name, const struct role *role, bool good, bool counts);
/* Lets a date count for valid_until. */
void check_until(struct check *c, const char *path, int64_t expires);
/* The same for a row that is there already. */
void check_count(struct check *c, const char *path);

/* Adds a flaw where the role has expired, with what to do: renew it, or set the device's clock. Returns
 * whether it has. */
bool check_date(const struct check *c, const struct role *role, enum verdict_repo repo, enum role_type type,
                struct flaws *flaws);
/* Who can renew a role that has expired: a hint. */
const char *check_renewal(enum verdict_repo repo, enum role_type type);

/* The whole examination of one file of a fixed role: presence, size, structure, signatures, date. NULL when
 * it must not be read; everything that is wrong is reported under its path. */
struct role *check_role(struct check *c, enum verdict_repo repo, const char *name, enum role_type type,
                        const struct root *root, struct flaws *flaws);

/* Walks the chain of roots of one repository from the trusted one; NULL when the device, or the standard,
 * stops with an error. Sets newest_root. */
struct root *check_roots(struct check *c, enum verdict_repo repo);

#endif
