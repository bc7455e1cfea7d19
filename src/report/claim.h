/* SPDX-License-Identifier: Apache-2.0
 *
 * What nobody signed: a row of update-logs.db without a manifest, or what a person saw on a device that
 * leaves no log. As a ledger entry it is a line of JSON that airlock makes, the same for the same claim.
 */
#ifndef AIRLOCK_REPORT_CLAIM_H
#define AIRLOCK_REPORT_CLAIM_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define CLAIM_TEXT_MAX 4096u /* bytes of each text: as in an update-logs.db */

struct claim {
    char *device;
    char *lockbox;       /* NULL: not known */
    int64_t version;     /* -1: not known */
    char *correlation;   /* NULL: not known */
    int64_t row;         /* of a log; 0: a person's */
    char *result, *text; /* a person's: "installed", "failed" or "other", and in words; else NULL */
    int64_t seen_at;     /* a person's; else 0 */
};

void claim_print(const struct claim *claim, struct buf *to);
/* ERR_BAD_REPORT for anything that claim_print() does not print. */
must_check int claim_read(const void *bytes, size_t len, struct claim *ret, struct err *e);
void claim_free(struct claim *claim);

#endif
