/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/flaw.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

static struct flaw *add(struct flaws *to, bool device_refuses, bool breaks_validity)
{
    mem_grow(&to->list, to->count, &to->room, sizeof *to->list);
    struct flaw *flaw = &to->list[to->count++];
    *flaw = (struct flaw){.device_refuses = device_refuses, .breaks_validity = breaks_validity};
    return flaw;
}

struct flaw *flaws_add(struct flaws *to, enum err_id id, bool device_refuses, bool breaks_validity,
                       const char *format, ...)
{
    struct flaw *flaw = add(to, device_refuses, breaks_validity);
    flaw->why.id = id;
    va_list args;
    va_start(args, format);
    vsnprintf(flaw->why.message, sizeof flaw->why.message, format, args);
    va_end(args);
    return flaw;
}

struct flaw *flaws_add_err(struct flaws *to, const struct err *why)
{
    struct flaw *flaw = add(to, true, true);
    flaw->why = *why;
    return flaw;
}

void flaws_free(struct flaws *flaws)
{
    free(flaws->list);
    *flaws = (struct flaws){0};
}
