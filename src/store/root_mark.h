/* SPDX-License-Identifier: Apache-2.0
 *
 * By what a root is known: its version and fingerprint, which people compare, and a digest of what it says,
 * which tells whether two are the same. Nothing is verified here.
 */
#ifndef AIRLOCK_STORE_ROOT_MARK_H
#define AIRLOCK_STORE_ROOT_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/hash.h"
#include "store/pins.h"

struct root_mark {
    int64_t version;
    uint8_t fingerprint[HASH_SIZE]; /* SHA-256 of the canonical form of the whole file */
    uint8_t content[HASH_SIZE];     /* the same of what is signed: another signature makes no other root */
};

#define ROOT_MARK_TEXT (sizeof "2147483647:" + HASH_HEX_SIZE)

/* Errors: those of json_parse(), ERR_BAD_ROLE. */
must_check int root_mark_read(const void *bytes, size_t len, struct root_mark *ret, struct err *e);
/* "3:85d54c…", the form in which a profile keeps it. */
void root_mark_print(const struct root_mark *m, char ret_text[ROOT_MARK_TEXT]);
/* `content` is left empty. False for anything else than what root_mark_print() prints. */
bool root_mark_parse(const char *text, struct root_mark *ret);
/* Fills e with ERR_ROOT_CHANGED: who has changed, from what to what, and what to do. Always -1. */
int root_mark_alarm(enum pin_repo repo, const struct root_mark *pinned, const struct root_mark *served,
                    struct err *e);
/* The same with ERR_ROLLBACK, for a root that was there once; `served`: the newest that is left; NULL: not
 * known. */
int root_mark_alarm_gone(enum pin_repo repo, const struct root_mark *seen, const struct root_mark *served,
                         struct err *e);

#endif
