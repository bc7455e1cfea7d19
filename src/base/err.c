/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum exit_code exit;
    const char *meaning;
    const char *hint;
} table[] = {
    [ERR_NONE] = {"none", EXIT_DONE, "no error", NULL},
#define ERROR(symbol, id, exit, text, hint) [ERR_##symbol] = {id, exit, text, hint},
#include "base/err_ids.h"
#undef ERROR
};

static void fill(struct err *e, enum err_id id, int sys, const char *format, va_list args)
{
    *e = (struct err){.id = id, .sys = sys};
    vsnprintf(e->message, sizeof e->message, format, args);
}

int err_set(struct err *e, enum err_id id, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(e, id, 0, format, args);
    va_end(args);
    return -1;
}

/* The id that says more than "the system refused" or "the medium failed". */
static enum err_id name_errno(enum err_id id, int sys)
{
    if (id != ERR_SYSTEM && id != ERR_MEDIUM_IO)
        return id;
    switch (sys) {
    case ENOSPC:
    case EDQUOT:
        return ERR_NO_SPACE;
    case EROFS:
        return ERR_READ_ONLY;
    case EACCES:
    case EPERM:
        return id == ERR_MEDIUM_IO ? ERR_READ_ONLY : id;
    case EFBIG:
        return ERR_FILE_TOO_LARGE;
    case EIO:
    case ENXIO:
    case ENODEV:
        return ERR_MEDIUM_IO;
    default:
        return id;
    }
}

int err_errno(struct err *e, enum err_id id, const char *format, ...)
{
    int sys = errno;
    va_list args;
    va_start(args, format);
    fill(e, name_errno(id, sys), sys, format, args);
    va_end(args);
    size_t used = strlen(e->message);
    snprintf(e->message + used, sizeof e->message - used, ": %s", strerror(sys));
    return -1;
}

int err_context(struct err *e, const char *format, ...)
{
    char old[ERR_TEXT_MAX];
    memcpy(old, e->message, sizeof old);
    va_list args;
    va_start(args, format);
    vsnprintf(e->message, sizeof e->message, format, args);
    va_end(args);
    size_t used = strlen(e->message);
    snprintf(e->message + used, sizeof e->message - used, ": %.*s", (int)(sizeof old - 3), old);
    return -1;
}

int err_hint(struct err *e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(e->hint, sizeof e->hint, format, args);
    va_end(args);
    return -1;
}

const char *err_name(enum err_id id)
{
    return table[id].name;
}

const char *err_meaning(enum err_id id)
{
    return table[id].meaning;
}

const char *err_hint_text(const struct err *e)
{
    return e->hint[0] ? e->hint : table[e->id].hint;
}

enum exit_code err_exit_code(enum err_id id)
{
    return table[id].exit;
}
