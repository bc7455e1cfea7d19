/* SPDX-License-Identifier: Apache-2.0
 *
 * Which roots are trusted. Two for each repository of an account: the first (what a device would have been
 * provisioned with, the start of every chain) and the newest that ever verified (so that a rolled back or
 * rewritten history of roots is noticed). They live in the state folder,
 * trust/<profile>/{director,repo}/{root,newest}.json: cleaning the cache does not forget them. A folder with
 * director/root.json and repo/root.json is also what a device is provisioned with.
 *
 *     if (pins_lock(s, profile, &lock, e) || pins_load(s, profile, &pins, e) || …   // ask the cloud, compare
 *         pins_save(s, profile, &pins, e)) …
 *
 * What else is remembered of a repository is in memory.h.
 */
#ifndef AIRLOCK_STORE_PINS_H
#define AIRLOCK_STORE_PINS_H

#include "store/store.h"

#define PIN_BYTES_MAX (1u << 20) /* far above the 64 KiB that a device reads of a root */

enum pin_repo { PIN_DIRECTOR, PIN_IMAGE };

struct pins {
    struct buf first[2];  /* by enum pin_repo; empty: none */
    struct buf newest[2]; /* empty: none yet */
};

/* "director", "image repository": for people. */
const char *pin_repo_title(enum pin_repo repo);
/* "director", "image-repo": its folder within a lockbox's metadata/. */
const char *pin_repo_metadata(enum pin_repo repo);

/* trust/<profile>/; ERR_NO_SUCH_PATH where it is missing and not to be made. */
must_check int pins_open_folder(const struct store *s, const char *profile, bool create, int *ret_fd,
                                struct err *e);
/* From reading pins to saving them one at a time, until ret_fd is closed; waits up to a minute for another
 * airlock (ERR_STORE_LOCKED). Else what one has seen could be overwritten by another, or look like a step
 * back. */
must_check int pins_lock(const struct store *s, const char *profile, int *ret_fd, struct err *e);
/* Nothing pinned is no error: all four are empty then. */
must_check int pins_load(const struct store *s, const char *profile, struct pins *ret, struct err *e);
/* From --trust DIR: only `first`, of both repositories, else ERR_NO_SUCH_PATH: with one missing, the lockbox
 * itself would say whom to trust. */
must_check int pins_load_folder(const char *dir, struct pins *ret, struct err *e);
/* Keeps the first for ever: a profile that has one keeps it, whatever the pins say; the newest are replaced.
 */
must_check int pins_save(const struct store *s, const char *profile, const struct pins *p, struct err *e);
void pins_free(struct pins *p);

#endif
