/* SPDX-License-Identifier: Apache-2.0
 *
 * The rest between two tries to reach the cloud. It ends when this computer's network changes, or after a
 * pause that grows from try to try; the processor does nothing meanwhile.
 */
#ifndef AIRLOCK_REPORT_AWAIT_H
#define AIRLOCK_REPORT_AWAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct await {
    int fd;           /* -1 before await_open() */
    int64_t pause_ms; /* the next rest, where nothing changes: 15 s at first, half an hour at most */
};

must_check int await_open(struct await *a, struct err *e);
void await_free(struct await *a);
/* Can the cloud not be reached as yet, so that waiting may help? A login that is refused is no such thing; a
 * certificate that does not verify is, since a hotel's network answers in the place of everybody until
 * somebody accepts its terms. */
bool await_helps(const struct err *why);
/* Rests, for three seconds at least however often the network changes. */
must_check int await_rest(struct await *a, struct err *e);

#endif
