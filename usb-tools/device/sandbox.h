/* SPDX-License-Identifier: Apache-2.0
 *
 * The step that reads a stick's bytes, in a process of its own that can do little else: where root calls it,
 * that process is nobody, without capabilities and a way to get any, in a network of its own that leads
 * nowhere, and whatever it starts ends with it. It has the descriptors that the caller has open, and writes
 * where the caller lets it (sandbox_lend). A caller that is not root cannot give that up and has no more than
 * a process of its own.
 *
 *     static int look(void *ctx, void *ret_answer, struct err *e) …
 *     struct answer answer = {0};
 *     if (sandbox_run(look, &ctx, &answer, sizeof answer, e)) …
 *
 * What comes back is what a hostile stick can have made of it: the caller checks the answer's content.
 */
#ifndef AIRLOCK_DEVICE_SANDBOX_H
#define AIRLOCK_DEVICE_SANDBOX_H

#include <stddef.h>

#include "base/err.h"

/* Makes the folder the step's own, so that it may write there. */
must_check int sandbox_lend(int dirfd, struct err *e);

/* The step finds in its answer, of `size` bytes, what *ret_answer holds, and *ret_answer becomes what it
 * leaves there, also where it returns -1. Texts of the error end, and its id is one. A step that ends in any
 * other way than by returning is ERR_INTERNAL, and changes nothing. */
must_check int sandbox_run(int (*step)(void *ctx, void *ret_answer, struct err *e), void *ctx,
                           void *ret_answer, size_t size, struct err *e);

#endif
