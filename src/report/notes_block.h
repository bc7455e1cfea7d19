/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of a device's notes in the cloud that is ours: a table of what a courier brought, between two
 * lines that nobody else writes. What people wrote around it stays as it is, byte for byte.
 *
 * Only words of ours, numbers, a time and the name of a lockbox stand in it, never a text of a device: it is
 * rendered as Markdown in somebody's browser. A row is known by the counter and hash of what the device
 * signed, so that what two laptops brought becomes one table.
 */
#ifndef AIRLOCK_REPORT_NOTES_BLOCK_H
#define AIRLOCK_REPORT_NOTES_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define NOTES_ROWS_MAX 20u /* of one device; those on a lesser word go, and then the oldest */

/* On whose word, from the best to the least. The counter of a row is that of who signed: the ECU's reports,
 * or those of the helper, which are numbered by themselves. */
enum notes_basis { NOTES_VERIFIED, NOTES_HELPER, NOTES_UNVERIFIED, NOTES_TECHNICIAN };
enum notes_outcome {
    NOTES_INSTALLED,
    NOTES_FAILED,
    NOTES_REBOOT,
    NOTES_UNDER_WAY,
    NOTES_REFUSED,
    NOTES_OTHER
};

#define NOTES_LOCKBOX_MAX 254u
#define NOTES_CODE_SIZE 24u

struct notes_row {
    enum notes_basis basis;
    enum notes_outcome outcome;
    char code[NOTES_CODE_SIZE]; /* of the result: one that clients are known to send, "OTHER" or "" */
    char lockbox[NOTES_LOCKBOX_MAX + 1]; /* letters, digits, '-', '_'; "" where not known */
    int64_t version;                     /* of it; -1: not known */
    int64_t counter;                     /* of the device's reports; -1: it has none */
    int64_t at;                          /* when it was collected first */
    char key[13];                        /* 12 digits of the SHA-256 of what was signed, or claimed */
};

struct notes_rows {
    struct notes_row *list; /* in the order of times, then counters */
    size_t count, room;
};
void notes_rows_free(struct notes_rows *r);

/* Makes fields presentable: a code that is not known becomes "OTHER", a lockbox of other characters "". */
void notes_row_set_code(struct notes_row *row, const char *code);
void notes_row_set_lockbox(struct notes_row *row, const char *lockbox);

/* Adds the rows to those of the block in `notes`, and gives the notes with the block renewed, or put at their
 * end. The same as `notes` where nothing is new. Rows of one key become one, of the better basis and the
 * earlier time. ERR_NOTES_BLOCK where there is half a block, or two, or one that is not as we write it: then
 * nobody should write. ERR_TOO_LARGE beyond `limit` bytes even with one row alone. *ret: the caller's.
 */
must_check int notes_block_merge(const char *notes, const struct notes_rows *rows, size_t limit, char **ret,
                                 struct err *e);

/* The rows of the block in `notes`; none where there is no block. ERR_NOTES_BLOCK as above. */
must_check int notes_block_read(const char *notes, struct notes_rows *ret, struct err *e);

#endif
