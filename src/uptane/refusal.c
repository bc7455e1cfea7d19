/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/refusal.h"

/* A target that nobody vouches for is often but the consequence of a delegation that cannot be followed: then
 * that is the reason to be told. */
static const struct verdict_problem *find_reason(const struct verdict *v)
{
    const struct verdict_problem *first = NULL;
    for (size_t i = 0; i < v->problem_count; i++) {
        const struct verdict_problem *p = &v->problems[i];
        if (!p->breaks_validity && !p->device_refuses)
            continue;
        if (p->id != ERR_TARGET_NOT_IN_IMAGE_REPO)
            return p;
        first = first ? first : p;
    }
    return first;
}

int refusal_check(const struct verdict *v, struct err *e)
{
    const struct verdict_problem *reason = find_reason(v);
    if (reason) {
        err_set(e, reason->id, "%s", reason->message);
        return err_hint(e, "%s", reason->hint);
    }
    if (v->target_count == 0) {
        err_set(e, ERR_NOTHING_TO_INSTALL, "the lockbox is empty: it was revoked");
        return err_hint(e, "choose another lockbox, or define this one again in the cloud");
    }
    return 0;
}
