/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/file.h"

#include <stdlib.h>

#include "base/mem.h"
#include "fetch/receiver.h"

#define TRIES 2 /* of content that arrives whole but wrong */

enum state { STATE_WAITING, STATE_RUNNING, STATE_DONE, STATE_FAILED };

struct item {
    const struct fetch_file *file;
    struct run *run;
    enum state state;
    unsigned tries;
    bool locked; /* another process receives it: wait for that one at the end */
    struct arrival arrival;
};

struct run {
    const struct store *store;
    struct receiver *receiver;
    struct progress *progress;
    struct item *items;
    size_t count, next;
    bool failed;
    struct err error; /* the first */
};

static void fail(struct item *item, const struct err *e)
{
    item->state = STATE_FAILED;
    if (item->run->failed)
        return;
    item->run->failed = true;
    item->run->error = *e;
    err_context(&item->run->error, "'%s'", item->file->name);
}

/* ---- the sink of one file ---- */

static int sink_write(void *ctx, const void *bytes, size_t n, struct err *e)
{
    struct item *item = ctx;
    return receiver_write(item->run->receiver, &item->arrival, bytes, n, e);
}

static int sink_restart(void *ctx, struct err *e)
{
    struct item *item = ctx;
    (void)e;
    receiver_restart(item->run->receiver, &item->arrival);
    return 0;
}

/* ---- the queue ---- */

/* Opens the place where the item arrives. False when there is nothing to transfer for it (now). */
static bool open_arrival(struct item *item, bool wait)
{
    struct err e;
    struct run *run = item->run;
    item->arrival = (struct arrival){0};
    if (incoming_open(run->store, item->file->sha256, item->file->size, wait, &item->arrival.incoming, &e)) {
        item->locked = e.id == ERR_STORE_LOCKED;
        if (!item->locked)
            fail(item, &e);
        return false;
    }
    item->locked = false;
    if (!item->arrival.incoming) {
        progress_skip(run->progress, item->file->size);
        item->state = STATE_DONE;
        return false;
    }
    item->state = STATE_RUNNING;
    item->tries++;
    uint64_t have = incoming_have(item->arrival.incoming);
    progress_skip(run->progress, have);
    if (have < item->file->size)
        return true;
    receiver_end(run->receiver, &item->arrival, true);
    return false;
}

static bool next_transfer(void *ctx, struct http_transfer *ret)
{
    struct run *run = ctx;
    while (run->next < run->count) {
        struct item *item = &run->items[run->next++];
        if (item->state != STATE_WAITING || !open_arrival(item, item->locked))
            continue;
        *ret = (struct http_transfer){
            .url = item->file->url,
            .auth = item->file->auth,
            .sink = {.ctx = item,
                     .have = incoming_have(item->arrival.incoming),
                     .expected = item->file->size,
                     .write = sink_write,
                     .restart = sink_restart},
            .small = item->file->size <= FETCH_SMALL_MAX,
            .user = item,
        };
        return true;
    }
    return false;
}

/* Nothing else of this run can succeed either. */
static bool ends_the_run(enum err_id id)
{
    return id == ERR_NO_SPACE || id == ERR_READ_ONLY || id == ERR_LOGIN_REFUSED || id == ERR_TLS;
}

static int transfer_done(void *ctx, struct http_transfer *t, const struct err *e, struct err *stop)
{
    struct run *run = ctx;
    struct item *item = t->user;
    receiver_end(run->receiver, &item->arrival, e == NULL);
    if (!e)
        return 0;
    fail(item, e);
    if (!ends_the_run(e->id))
        return 0;
    *stop = run->error;
    return -1;
}

/* After a drain: which arrivals are objects now, which are tried again. True when any is. */
static bool settle(struct run *run)
{
    bool again = false;
    for (size_t i = 0; i < run->count; i++) {
        struct item *item = &run->items[i];
        if (item->state == STATE_RUNNING) {
            bool spoiled =
                item->arrival.error.id == ERR_WRONG_HASH || item->arrival.error.id == ERR_WRONG_LENGTH;
            if (item->arrival.finished)
                item->state = STATE_DONE;
            else if (spoiled && item->tries < TRIES)
                item->state = STATE_WAITING;
            else
                fail(item, &item->arrival.error);
        }
        again = again || item->state == STATE_WAITING;
    }
    return again;
}

/* A run that was stopped leaves transfers unfinished: let go of their files. */
static void abandon(struct run *run)
{
    receiver_drain(run->receiver);
    for (size_t i = 0; i < run->count; i++)
        if (run->items[i].arrival.incoming)
            receiver_end(run->receiver, &run->items[i].arrival, false);
    receiver_drain(run->receiver);
}

int fetch_files(struct http *http, const struct store *store, const struct fetch_file *files, size_t n,
                struct progress *progress, struct err *e)
{
    struct run run = {
        .store = store, .progress = progress, .items = mem_zeroed(n, sizeof *run.items), .count = n};
    const struct http_queue queue = {.ctx = &run, .next = next_transfer, .done = transfer_done};
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++) {
        run.items[i] = (struct item){.file = &files[i], .run = &run};
        total += files[i].size;
    }
    progress_begin(progress, "fetch", total);
    run.receiver = receiver_start(progress);

    int rc;
    do {
        run.next = 0;
        rc = http_run(http, &queue, e);
        receiver_drain(run.receiver);
    } while (rc == 0 && settle(&run));
    if (rc)
        abandon(&run);

    receiver_stop(run.receiver);
    progress_end(progress);
    free(run.items);
    if (rc == 0 && run.failed) {
        *e = run.error;
        rc = -1;
    }
    return rc;
}
