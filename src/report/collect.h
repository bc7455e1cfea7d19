/* SPDX-License-Identifier: Apache-2.0
 *
 * From a stick into the ledger: every update-logs.db, whatever folder it lies in, and every report of the
 * helper (airlock/reports/<device>/<n>.json). Nothing on the stick is changed. All of it is hostile: no link
 * is followed, what is too deep or too much is left, and whatever cannot be read is told while the rest goes
 * on.
 *
 * A manifest whose signature does not hold is kept like any other: it is evidence of something, and the
 * ledger says what it is (reading.h).
 */
#ifndef AIRLOCK_REPORT_COLLECT_H
#define AIRLOCK_REPORT_COLLECT_H

#include <stddef.h>
#include <stdint.h>

#include "report/ledger.h"

/* That are told one by one; the others are counted. */
#define COLLECT_PROBLEMS_MAX 100u
#define COLLECT_PROBLEMS_ALIKE 10u /* of one id: a flood of them hides no other */

struct collect_problem {
    char *path; /* on the stick */
    enum err_id id;
    char *message;
};

struct collection {
    size_t files;        /* that were found */
    size_t added, known; /* entries that are new, and that were in the ledger */
    struct collect_problem *problems;
    size_t told, problem_room;
    size_t problem_count; /* of all, also of those that are not told */
    size_t alike[ERR_COUNT];
};

/* `stick`: what the ledger calls it. Without a ledger only counts the files. -1 where the ledger fails; what
 * was collected from a file before is kept. */
must_check int collect_stick(struct ledger *l, int dirfd, const char *stick, int64_t now,
                             struct collection *ret, struct err *e);
void collection_free(struct collection *c);

#endif
