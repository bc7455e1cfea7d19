/* SPDX-License-Identifier: Apache-2.0
 *
 * The log that the stock client leaves on a stick, `update-logs.db`: one SQLite file with the installs of
 * every device that the stick was in, and lines of their journals. Here its rows are read, from a private
 * copy (database_copy.h), and handed over one by one. Nothing is believed: all but the manifest is unsigned,
 * and whether the manifest's signature holds is for others to find out.
 *
 *     const struct update_logs_reader reader = {.install = keep, .line = keep_line, .bad = tell, .ctx = …};
 *     if (update_logs_read(dirfd, "update-logs.db", &reader, e)) …
 *
 * All installs come first, then all lines, each in the order of the file. A row that cannot be read goes to
 * `bad`, and the next ones follow. No row for a device proves nothing: the client writes none when it refused
 * the metadata, when there was nothing to do, and on a medium that cannot be written.
 */
#ifndef AIRLOCK_USB_UPDATE_LOGS_H
#define AIRLOCK_USB_UPDATE_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define UPDATE_LOGS_NAME "update-logs.db"

#define UPDATE_INSTALLS_MAX 10000u     /* rows: a stick that saw 100 devices has some hundreds */
#define UPDATE_LINES_MAX 200000u       /* rows: an install logs some hundreds */
#define UPDATE_MANIFEST_MAX (1u << 20) /* bytes: one with 64 ECUs has some hundred KiB */
#define UPDATE_TEXT_MAX 4096u /* bytes of any other text; a longer line is cut, a longer name refused */

/* Valid during the call only. Texts are UTF-8, and hostile. */
struct update_install {
    int64_t id;              /* of the row: the n-th install that this stick saw */
    const char *device;      /* what the device calls itself */
    const char *lockbox;     /* NULL: the row names none that can be told */
    int64_t lockbox_version; /* -1: not known */
    const char *correlation; /* the urn, NULL where the row has none */
    int64_t counter;         /* of the report; -1: not known */
    const char *manifest; /* byte for byte; NULL: under way, interrupted, or a device without provisioning */
    size_t manifest_len;
};

struct update_line {
    int64_t install; /* its id */
    int64_t time_us; /* µs since the epoch, by the device's clock; INT64_MIN: not known */
    const char *service, *message;
};

/* install and line end the reading with -1 and any error but ERR_BAD_UPDATE_LOG; line is NULL where nobody
 * asks for them. */
struct update_logs_reader {
    int (*install)(void *ctx, const struct update_install *install, struct err *e);
    int (*line)(void *ctx, const struct update_line *line, struct err *e);
    void (*bad)(void *ctx, const struct err *e);
    void *ctx;
};

/* Errors of the file as a whole: those of database_copy_open(), ERR_BAD_UPDATE_LOG where it has not the
 * tables. Each row beyond the limits above is not read; that goes to `bad`, once. */
must_check int update_logs_read(int dirfd, const char *name, const struct update_logs_reader *reader,
                                struct err *e);

/* The correlation id of a lockbox, "urn:tdx-ota:lockbox:<name>:<version>:<12 hexadecimal digits>": false, and
 * nothing written, for any other text. The name is of the caller's. */
bool update_logs_split_urn(const char *urn, char **ret_lockbox, int64_t *ret_version);

#endif
