/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/verdict_merge.h"

#include <string.h>

#include "base/mem.h"

#define SWAP(a, b)                                                                                           \
    do {                                                                                                     \
        __typeof__(a) kept = (a);                                                                            \
        (a) = (b);                                                                                           \
        (b) = kept;                                                                                          \
    } while (0)

static struct verdict_problem *find_problem(const struct verdict *v, const struct verdict_problem *like)
{
    for (size_t i = 0; i < v->problem_count; i++) {
        struct verdict_problem *p = &v->problems[i];
        if (p->id == like->id && !strcmp(p->role, like->role) && !strcmp(p->message, like->message))
            return p;
    }
    return NULL;
}

static void add_copy(struct verdict *v, const struct verdict_problem *p)
{
    v->problems = mem_resize(v->problems, v->problem_count + 1, sizeof *v->problems);
    v->problems[v->problem_count++] = (struct verdict_problem){.id = p->id,
                                                               .role = mem_strdup(p->role),
                                                               .message = mem_strdup(p->message),
                                                               .hint = mem_strdup(p->hint),
                                                               .device_refuses = p->device_refuses};
}

/* A remark of the device's pass that the other lacks is kept only where it is about the device's own state.
 */
static bool is_worth_telling(const struct verdict_problem *p)
{
    return p->device_refuses || p->id == ERR_STORED_NEWER || p->id == ERR_DEVICE_CLOCK ||
           p->id == ERR_NOT_LOOKED_FOR || p->id == ERR_ALREADY_INSTALLED || p->id == ERR_NO_LOCKBOX ||
           p->id == ERR_SEVERAL_LOCKBOXES || p->id == ERR_NOTHING_TO_INSTALL;
}

static void merge_problems(struct verdict *to, const struct verdict *device)
{
    for (size_t i = 0; i < to->problem_count; i++)
        to->problems[i].device_refuses = false;
    for (size_t i = 0; i < device->problem_count; i++) {
        const struct verdict_problem *p = &device->problems[i];
        struct verdict_problem *known = find_problem(to, p);
        if (known)
            known->device_refuses = p->device_refuses;
        else if (is_worth_telling(p))
            add_copy(to, p);
    }
}

void verdict_merge(struct verdict *standard, struct verdict *device, struct verdict *ret)
{
    merge_problems(standard, device);
    SWAP(standard->outcome, device->outcome);
    SWAP(standard->assumed, device->assumed);
    SWAP(standard->assumed_count, device->assumed_count);
    SWAP(standard->valid_until, device->valid_until);
    SWAP(standard->valid_until_role, device->valid_until_role);
    /* What would be installed is the device's business, where it got that far. */
    if (device->target_count) {
        SWAP(standard->targets, device->targets);
        SWAP(standard->target_count, device->target_count);
    }
    verdict_free(device);
    *ret = *standard;
}
