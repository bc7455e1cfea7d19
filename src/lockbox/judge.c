/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/judge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/out.h"

struct verdict_trust judge_trust(const struct pins *pins)
{
    const struct buf *director = &pins->first[PIN_DIRECTOR], *image = &pins->first[PIN_IMAGE];
    return (struct verdict_trust){
        .director_root = director->len ? director->data : NULL,
        .director_root_len = director->len,
        .image_root = image->len ? image->data : NULL,
        .image_root_len = image->len,
    };
}

/* Takes the message over; escapes it, as messages of a verdict are (what is escaped already stays). */
static struct verdict_problem *add(struct verdict *v, enum err_id id, const char *role, char *message)
{
    const struct err general = {.id = id};
    const char *hint = err_hint_text(&general);
    AUTO_FREE char *raw = message;
    struct buf shown = {0};
    out_escape(&shown, raw, strlen(raw));
    v->problems = mem_resize(v->problems, v->problem_count + 1, sizeof *v->problems);
    struct verdict_problem *p = &v->problems[v->problem_count++];
    *p = (struct verdict_problem){.id = id,
                                  .role = mem_strdup(role),
                                  .message = buf_steal_text(&shown),
                                  .hint = mem_strdup(hint ? hint : "")};
    return p;
}

/* What a device does not mind yet. */
static void remark_ending(struct verdict *v, int64_t now)
{
    if (!judge_ends_soon(v->valid_until, now))
        return;
    struct verdict_problem *p =
        add(v, ERR_EXPIRES_SOON, v->valid_until_role, judge_ending(v->valid_until_role, v->valid_until, now));
    free(p->hint);
    p->hint = mem_strdup(verdict_renewal(v->valid_until_role, v->lockbox));
}

int judge_roles(const struct judge *j, const struct roles *roles, const char *lockbox, struct verdict *ret,
                struct err *e)
{
    const struct verdict_input in = {
        .files = roles->files,
        .file_count = roles->count,
        .trust = j->trust,
        .now = j->now,
        .device = j->device,
        .hardware_ids = j->hardware_ids,
        .hardware_id_count = j->hardware_id_count,
        .lockbox = lockbox,
    };
    if (verdict_decide(&in, ret, e))
        return -1;
    remark_ending(ret, j->now);
    return 0;
}

bool judge_ends_soon(int64_t until, int64_t now)
{
    return until > now && until < now + JUDGE_SOON_DAYS * INT64_C(86400);
}

char *judge_ending(const char *role, int64_t until, int64_t now)
{
    char end[CLOCK_TEXT_SIZE];
    int64_t days = (until - now) / 86400;
    clock_format(until, end);
    if (days == 0)
        return mem_format("%s ends in less than a day, at %s", role, end);
    return mem_format("%s ends in %" PRId64 " day%s, at %s", role, days, days == 1 ? "" : "s", end);
}

static char *format_text(const char *format, va_list args)
{
    char *text;
    if (vasprintf(&text, format, args) < 0)
        abort();
    return text;
}

void judge_add_problem(struct verdict *v, enum err_id id, const char *role, bool device_refuses,
                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct verdict_problem *p = add(v, id, role, format_text(format, args));
    va_end(args);
    p->device_refuses = device_refuses;
    p->breaks_validity = true;
    v->valid = false;
    if (device_refuses)
        v->outcome = VERDICT_REFUSE;
}

void judge_add_refusal(struct verdict *v, enum err_id id, const char *role, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(v, id, role, format_text(format, args))->device_refuses = true;
    va_end(args);
    v->outcome = VERDICT_REFUSE;
}

void judge_add_refused(struct verdict *v, enum err_id id, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(v, id, "", format_text(format, args))->device_refuses = true;
    va_end(args);
    v->outcome = VERDICT_REFUSE;
}

void judge_add_unseen(struct verdict *v, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(v, ERR_NOT_LOOKED_FOR, "", format_text(format, args));
    va_end(args);
    v->outcome = VERDICT_NOTHING;
}

void judge_add_unmet(struct verdict *v, enum err_id id, const char *role, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(v, id, role, format_text(format, args));
    va_end(args);
}

bool judge_is_unmet(const struct verdict *v)
{
    for (size_t i = 0; i < v->problem_count; i++)
        if (v->problems[i].id == ERR_EXPIRES_TOO_SOON || v->problems[i].id == ERR_BUNDLE_SIGNER ||
            v->problems[i].id == ERR_IMAGE_SIGNATURE)
            return true;
    return false;
}

void judge_assume(struct verdict *v, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    v->assumed = mem_resize(v->assumed, v->assumed_count + 1, sizeof *v->assumed);
    v->assumed[v->assumed_count++] = format_text(format, args);
    va_end(args);
}
