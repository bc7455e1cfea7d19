/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with one role, collected while it is examined. A flaw keeps the two answers apart: whether it
 * makes the device refuse, and whether it breaks the standard. An unusable file has one flaw, an expired one
 * that also uses a key the device does not know has two.
 */
#ifndef AIRLOCK_UPTANE_FLAW_H
#define AIRLOCK_UPTANE_FLAW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct flaw {
    struct err why;
    bool device_refuses;
    bool breaks_validity;
};

struct flaws {
    struct flaw *list;
    size_t count, room;
};

/* The flaw's error stays writable until the next one is added: err_hint(&flaw->why, …). */
struct flaw *flaws_add(struct flaws *to, enum err_id id, bool device_refuses, bool breaks_validity,
                       const char *format, ...) __attribute__((format(printf, 5, 6)));
/* A flaw that both answers share: the file cannot be used. */
struct flaw *flaws_add_err(struct flaws *to, const struct err *why);
void flaws_free(struct flaws *flaws);

#endif
