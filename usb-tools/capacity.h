/* SPDX-License-Identifier: Apache-2.0
 *
 * Does a medium keep as much as it says? Fakes claim more than their chips hold: what is written beyond goes
 * nowhere, or over what was written before. Worn ones lose bytes. Only filling and reading back shows it.
 *
 * The free space is filled with bytes that nobody could guess, all of it before any is read back, since a
 * fake overwrites the first by the last. The files have no names by then: whatever ends the test (a kill,
 * too) frees the space, and no other file is touched. A fake may overwrite those all the same, as it would at
 * any writing.
 */
#ifndef AIRLOCK_USB_CAPACITY_H
#define AIRLOCK_USB_CAPACITY_H

#include "base/progress.h"
#include "bundle-format/medium.h"

#define CAPACITY_SEED_SIZE 32

/* `free_bytes` is for the progress alone. The seed decides the bytes; another one for every test, so that
 * those of the last test do not pass for these. *ret_bytes: how many were written and came back, 0 on a full
 * medium. Errors: ERR_FAKE_CAPACITY where other bytes come back; what the medium fails with. */
must_check int capacity_test(const struct medium *m, uint64_t free_bytes,
                             const uint8_t seed[CAPACITY_SEED_SIZE], struct progress *progress,
                             uint64_t *ret_bytes, struct err *e);

#endif
