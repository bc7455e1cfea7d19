/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the bytes of a lockbox and uptane/verdict: who asks, for which device, at what time, and what to do
 * with a refusal.
 */
#ifndef AIRLOCK_LOCKBOX_JUDGE_H
#define AIRLOCK_LOCKBOX_JUDGE_H

#include "lockbox/roles.h"
#include "store/pins.h"
#include "uptane/device.h"

#define JUDGE_SOON_DAYS 30 /* time to renew something in the cloud and to drive again */

struct judge {
    struct verdict_trust trust; /* none: the lowest root of the lockbox itself, which the verdict then says */
    int64_t now;
    const struct device *device; /* NULL: a fresh one */
    const char *const *hardware_ids;
    size_t hardware_id_count;
};

/* The first pinned roots, as the verdict wants them; the pins must outlive it. */
struct verdict_trust judge_trust(const struct pins *pins);
/* The verdict; with the remark `expires-soon` where few days are left. */
must_check int judge_roles(const struct judge *j, const struct roles *roles, const char *lockbox,
                           struct verdict *ret, struct err *e);
/* Less than JUDGE_SOON_DAYS are left (of something that has not ended). */
bool judge_ends_soon(int64_t until, int64_t now);
/* "<role> ends in 12 days, at 2026-12-05T00:00:00Z"; the caller's. */
char *judge_ending(const char *role, int64_t until, int64_t now);
/* Adds what was found beside the metadata (a file that is missing, damaged …) and settles valid and outcome
 * anew. */
void judge_add_problem(struct verdict *v, enum err_id id, const char *role, bool device_refuses,
                       const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Adds what this device refuses and another might take: the standard has nothing against it. */
void judge_add_refusal(struct verdict *v, enum err_id id, const char *role, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Adds what keeps this device from installing what is right by the standard. */
void judge_add_refused(struct verdict *v, enum err_id id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds that the device does not come to look at it. */
void judge_add_unseen(struct verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds what a person asked for and the lockbox does not meet (a date, a signer): neither the standard nor a
 * device has anything against it. */
void judge_add_unmet(struct verdict *v, enum err_id id, const char *role, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool judge_is_unmet(const struct verdict *v);
void judge_assume(struct verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
