/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/receiver.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum job { JOB_BYTES, JOB_RESTART, JOB_KEEP, JOB_FINISH, JOB_STOP };

/* A unit of the queue: the work for one arrival, with its bytes where it is bytes. */
struct chunk {
    struct chunk *next;
    enum job job;
    struct arrival *arrival;
    size_t len;
    uint8_t bytes[RECEIVER_CHUNK_SIZE];
};

struct receiver {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t has_work, has_room, is_idle;
    struct chunk *free_list, *first, **last;
    bool busy;
    struct chunk *chunks;                     /* the pool */
    struct arrival *filling[RECEIVER_CHUNKS]; /* the network thread's: who holds a chunk that is not full */
    size_t filling_count;
    struct progress *progress;
};

static void *work(void *arg);

struct receiver *receiver_start(struct progress *progress)
{
    struct receiver *r = mem_zeroed(1, sizeof *r);
    r->progress = progress;
    r->last = &r->first;
    r->chunks = mem_zeroed(RECEIVER_CHUNKS, sizeof *r->chunks);
    for (unsigned i = 0; i < RECEIVER_CHUNKS; i++) {
        r->chunks[i].next = r->free_list;
        r->free_list = &r->chunks[i];
    }
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->has_work, NULL);
    pthread_cond_init(&r->has_room, NULL);
    pthread_cond_init(&r->is_idle, NULL);
    if (pthread_create(&r->thread, NULL, work, r))
        abort(); /* no thread is no memory */
    return r;
}

static void hand_over(struct receiver *r, struct chunk *c, enum job job, struct arrival *a)
{
    c->job = job;
    c->arrival = a;
    c->next = NULL;
    pthread_mutex_lock(&r->lock);
    *r->last = c;
    r->last = &c->next;
    pthread_cond_signal(&r->has_work);
    pthread_mutex_unlock(&r->lock);
}

/* The arrival's chunk, which it holds no longer. */
static struct chunk *let_go(struct receiver *r, struct arrival *a)
{
    struct arrival *last = r->filling[--r->filling_count];
    r->filling[a->place] = last;
    last->place = a->place;
    return steal_ptr(a->filling);
}

static void flush(struct receiver *r, struct arrival *a)
{
    if (a->filling)
        hand_over(r, let_go(r, a), JOB_BYTES, a);
}

static struct chunk *take_free(struct receiver *r, bool wait)
{
    pthread_mutex_lock(&r->lock);
    while (wait && !r->free_list)
        pthread_cond_wait(&r->has_room, &r->lock);
    struct chunk *c = r->free_list;
    if (c)
        r->free_list = c->next;
    pthread_mutex_unlock(&r->lock);
    return c;
}

/* There may be more transfers than chunks: before the network waits for one, every chunk must be on its way
 * through the queue, or it would wait for itself. */
static struct chunk *take_chunk(struct receiver *r)
{
    struct chunk *c = take_free(r, false);
    if (!c) {
        while (r->filling_count > 0)
            flush(r, r->filling[0]);
        c = take_free(r, true);
    }
    c->len = 0;
    return c;
}

static void give_back(struct receiver *r, struct chunk *c)
{
    pthread_mutex_lock(&r->lock);
    c->next = r->free_list;
    r->free_list = c;
    pthread_cond_signal(&r->has_room);
    pthread_mutex_unlock(&r->lock);
}

static void start_filling(struct receiver *r, struct arrival *a)
{
    a->filling = take_chunk(r);
    a->place = r->filling_count;
    r->filling[r->filling_count++] = a;
}

int receiver_write(struct receiver *r, struct arrival *a, const void *bytes, size_t n, struct err *e)
{
    if (atomic_load(&a->failed)) {
        *e = a->error;
        return -1;
    }
    for (const uint8_t *at = bytes; n > 0;) {
        if (!a->filling)
            start_filling(r, a);
        struct chunk *c = a->filling;
        size_t part = sizeof c->bytes - c->len < n ? sizeof c->bytes - c->len : n;
        memcpy(c->bytes + c->len, at, part);
        c->len += part;
        at += part;
        n -= part;
        if (c->len == sizeof c->bytes)
            flush(r, a);
    }
    return 0;
}

void receiver_restart(struct receiver *r, struct arrival *a)
{
    struct chunk *c = a->filling ? let_go(r, a) : take_chunk(r);
    hand_over(r, c, JOB_RESTART, a);
}

void receiver_end(struct receiver *r, struct arrival *a, bool whole)
{
    flush(r, a);
    hand_over(r, take_chunk(r), whole ? JOB_FINISH : JOB_KEEP, a);
}

void receiver_drain(struct receiver *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->first || r->busy)
        pthread_cond_wait(&r->is_idle, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

void receiver_stop(struct receiver *r)
{
    hand_over(r, take_chunk(r), JOB_STOP, NULL);
    pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->has_work);
    pthread_cond_destroy(&r->has_room);
    pthread_cond_destroy(&r->is_idle);
    pthread_mutex_destroy(&r->lock);
    free(r->chunks);
    free(r);
}

/* ---- the receiver's thread ---- */

static void end_arrival(struct arrival *a)
{
    incoming_close(steal_ptr(a->incoming));
}

static int do_job(struct receiver *r, struct chunk *c, struct err *e)
{
    struct arrival *a = c->arrival;
    switch (c->job) {
    case JOB_BYTES:
        progress_add(r->progress, c->len);
        return incoming_write(a->incoming, c->bytes, c->len, e);
    case JOB_RESTART:
        return incoming_restart(a->incoming, e);
    case JOB_FINISH:
        if (incoming_finish(a->incoming, e))
            return -1;
        a->finished = true;
        return 0;
    case JOB_KEEP:
    case JOB_STOP:
        return 0;
    }
    return 0;
}

static struct chunk *next_job(struct receiver *r)
{
    pthread_mutex_lock(&r->lock);
    r->busy = false;
    if (!r->first)
        pthread_cond_broadcast(&r->is_idle);
    while (!r->first)
        pthread_cond_wait(&r->has_work, &r->lock);
    struct chunk *c = r->first;
    r->first = c->next;
    if (!r->first)
        r->last = &r->first;
    r->busy = true;
    pthread_mutex_unlock(&r->lock);
    return c;
}

static void *work(void *arg)
{
    struct receiver *r = arg;
    for (;;) {
        struct chunk *c = next_job(r);
        struct arrival *a = c->arrival;
        struct err e;
        if (c->job == JOB_STOP)
            return NULL;
        if (!atomic_load(&a->failed) && do_job(r, c, &e)) {
            a->error = e;
            atomic_store(&a->failed, true);
        }
        if (c->job == JOB_FINISH || c->job == JOB_KEEP)
            end_arrival(a);
        give_back(r, c);
    }
}
