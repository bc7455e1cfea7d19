/* SPDX-License-Identifier: Apache-2.0
 *
 * An object that is arriving: a file partial/<sha256>, locked, appended to and hashed as bytes come; it
 * becomes an object when it is whole and its hash is right, and not before. After a kill the next
 * incoming_open() finds what is there and goes on after it.
 *
 *     incoming_open() → incoming_write() … → incoming_finish()
 *                                          ↘ or incoming_close(): what arrived stays for the next run
 *
 * Not flushed to the disk one by one: a power cut can tear an object, but never unnoticed, since every reader
 * hashes what it reads (docs/decisions/0003).
 */
#ifndef AIRLOCK_STORE_INCOMING_H
#define AIRLOCK_STORE_INCOMING_H

#include "store/store.h"

struct incoming;

/* *ret is NULL when the object is already there. `wait`: let another process that receives the same object
 * end first; without it that is ERR_STORE_LOCKED. Bytes of an earlier run are hashed here (1 GiB in under a
 * second). */
must_check int incoming_open(const struct store *s, const uint8_t sha256[HASH_SIZE], uint64_t size, bool wait,
                             struct incoming **ret, struct err *e);
/* Bytes that are there already. */
uint64_t incoming_have(const struct incoming *in);
must_check int incoming_write(struct incoming *in, const void *bytes, size_t n, struct err *e);
/* Forgets what arrived so far. */
must_check int incoming_restart(struct incoming *in, struct err *e);
/* ERR_WRONG_LENGTH or ERR_WRONG_HASH: nothing gets a name, what arrived is forgotten and `in` can be written
 * again. Otherwise the object is there. The caller still closes. */
must_check int incoming_finish(struct incoming *in, struct err *e);
void incoming_close(struct incoming *in);

#endif
