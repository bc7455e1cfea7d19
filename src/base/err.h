/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors: a stable id, a message, a hint. A function that can fail returns 0 or -1, takes `struct err *e`
 * last and fills it once, where the failure happened; callers add context and pass it on. Nothing below cli/
 * prints or exits.
 *
 *     if (fd < 0)
 *         return err_errno(e, ERR_SYSTEM, "cannot open '%s'", path);
 *     …
 *     if (lockbox_load(name, e))
 *         return err_context(e, "lockbox '%s'", name);
 *
 * e is never NULL. Its content is meaningful only after -1.
 */
#ifndef AIRLOCK_BASE_ERR_H
#define AIRLOCK_BASE_ERR_H

#include "base/cleanup.h"

/* Exit codes of the program (docs/man/airlock.1). */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_INTERNAL = 1,
    EXIT_USAGE = 2,
    EXIT_REFUSED = 3,
    EXIT_NOTHING = 4,
    EXIT_NETWORK = 5,
    EXIT_MEDIUM = 6,
    EXIT_SOME_FAILED = 7,
    EXIT_INTERRUPTED = 130,
};

enum err_id {
    ERR_NONE = 0,
#define ERROR(symbol, id, exit, text, hint) ERR_##symbol,
#include "base/err_ids.h"
#undef ERROR
    ERR_COUNT,
};

#define ERR_TEXT_MAX 1024 /* bytes of message or hint; a longer one is cut */

struct err {
    enum err_id id;
    int sys;         /* errno at the origin, or 0 */
    int http_status; /* status of the answer that caused it, or 0 */
    char message[ERR_TEXT_MAX];
    char hint[ERR_TEXT_MAX]; /* "" where the table's hint serves */
};

/* Fills e; always -1, so that `return err_set(…)` reads well. */
int err_set(struct err *e, enum err_id id, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with ": <strerror(errno)>" at the end. ENOSPC, EDQUOT, EROFS, EIO and EFBIG turn ERR_SYSTEM and
 * ERR_MEDIUM_IO into the id that names them. */
int err_errno(struct err *e, enum err_id id, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Puts "<context>: " before the message; always -1. */
int err_context(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Replaces the hint; always -1. */
int err_hint(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "expired-role". */
const char *err_name(enum err_id id);
/* What the id means, whatever the message says. */
const char *err_meaning(enum err_id id);
/* The hint of this error: its own, else the table's, else NULL. */
const char *err_hint_text(const struct err *e);
enum exit_code err_exit_code(enum err_id id);

#endif
