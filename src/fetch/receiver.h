/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes and writes what the network brings, in a thread of its own, so that neither waits for the other.
 * Bytes are handed over in chunks of a fixed pool: when the disk is slower than the network, the network
 * waits, and memory stays RECEIVER_CHUNKS × RECEIVER_CHUNK_SIZE.
 *
 * One `arrival` is one object on its way. The network thread calls the functions below; an arrival is touched
 * by the receiver's thread from its first chunk until receiver_drain() returns.
 */
#ifndef AIRLOCK_FETCH_RECEIVER_H
#define AIRLOCK_FETCH_RECEIVER_H

#include <stdatomic.h>

#include "base/progress.h"
#include "store/incoming.h"

#define RECEIVER_CHUNK_SIZE (256u << 10) /* a good size for write() and hashing; bounds what a kill loses */
#define RECEIVER_CHUNKS 48u              /* 12 MiB; when all are in use, half-full ones are handed over */

struct receiver;
struct chunk;

struct arrival {
    struct incoming *incoming; /* owned; closed by the receiver at the end of the arrival */
    struct chunk *filling;     /* the network thread's */
    size_t place;              /* among the receiver's filling arrivals */
    atomic_bool failed;        /* `error` is set: the network need not bring more */
    bool finished;             /* the object is in the store */
    struct err error;
};

struct receiver *receiver_start(struct progress *progress);
/* Waits for everything handed over and ends the thread. */
void receiver_stop(struct receiver *r);

/* -1 with the arrival's error when an earlier chunk could not be written. */
must_check int receiver_write(struct receiver *r, struct arrival *a, const void *bytes, size_t n,
                              struct err *e);
/* What arrived is forgotten; the next byte is the first. */
void receiver_restart(struct receiver *r, struct arrival *a);
/* No more bytes. `whole`: check the hash and name the object; else keep what arrived for the next run. */
void receiver_end(struct receiver *r, struct arrival *a, bool whole);
/* Waits until every arrival that ended is settled: then `finished` or `error` say how. */
void receiver_drain(struct receiver *r);

#endif
