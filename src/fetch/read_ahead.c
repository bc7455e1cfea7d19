/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/read_ahead.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct piece {
    ssize_t len; /* 0: the end; -1: the error */
    uint8_t bytes[READ_AHEAD_PIECE];
};

/* A ring: the thread fills pieces[filled % n], the reader empties pieces[emptied % n]. */
struct ahead_stream {
    const struct content_source *source;
    void *inner;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint64_t filled, emptied;
    bool unwanted; /* the reader has gone */
    size_t at;     /* within the piece that is being read */
    struct err error;
    struct piece *pieces;
};

static int ahead_open(void *ctx, void **ret_stream, struct err *e);
static ssize_t ahead_read(void *stream, void *to, size_t n, struct err *e);
static void ahead_close(void *stream);

const struct content_source content_read_ahead = {ahead_open, ahead_read, ahead_close};

/* Waits until a piece is free; NULL when nobody wants one any more. */
static struct piece *next_free(struct ahead_stream *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->unwanted && s->filled - s->emptied == READ_AHEAD_PIECES)
        pthread_cond_wait(&s->moved, &s->lock);
    struct piece *piece = s->unwanted ? NULL : &s->pieces[s->filled % READ_AHEAD_PIECES];
    pthread_mutex_unlock(&s->lock);
    return piece;
}

static void move(struct ahead_stream *s, uint64_t *counter)
{
    pthread_mutex_lock(&s->lock);
    ++*counter;
    pthread_cond_signal(&s->moved);
    pthread_mutex_unlock(&s->lock);
}

static void *fill(void *stream)
{
    struct ahead_stream *s = stream;
    for (struct piece *piece; (piece = next_free(s));) {
        ssize_t len = s->source->read(s->inner, piece->bytes, sizeof piece->bytes, &s->error);
        piece->len = len;
        move(s, &s->filled);
        if (len <= 0)
            break;
    }
    return NULL;
}

static int ahead_open(void *ctx, void **ret_stream, struct err *e)
{
    const struct read_ahead *ahead = ctx;
    void *inner;
    if (ahead->source->open(ahead->ctx, &inner, e))
        return -1;
    struct ahead_stream *s = mem_zeroed(1, sizeof *s);
    s->source = ahead->source;
    s->inner = inner;
    s->pieces = mem_zeroed(READ_AHEAD_PIECES, sizeof *s->pieces);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->moved, NULL);
    if (pthread_create(&s->thread, NULL, fill, s))
        abort(); /* no thread is no memory */
    *ret_stream = s;
    return 0;
}

static ssize_t ahead_read(void *stream, void *to, size_t n, struct err *e)
{
    struct ahead_stream *s = stream;
    pthread_mutex_lock(&s->lock);
    while (s->filled == s->emptied)
        pthread_cond_wait(&s->moved, &s->lock);
    pthread_mutex_unlock(&s->lock);
    const struct piece *piece = &s->pieces[s->emptied % READ_AHEAD_PIECES];
    if (piece->len < 0)
        *e = s->error;
    if (piece->len <= 0) /* stays, for whoever asks again */
        return piece->len;
    size_t left = (size_t)piece->len - s->at, take = n < left ? n : left;
    memcpy(to, piece->bytes + s->at, take);
    s->at += take;
    if (s->at == (size_t)piece->len) {
        s->at = 0;
        move(s, &s->emptied);
    }
    return (ssize_t)take;
}

static void ahead_close(void *stream)
{
    struct ahead_stream *s = stream;
    pthread_mutex_lock(&s->lock);
    s->unwanted = true;
    pthread_cond_signal(&s->moved);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->moved);
    pthread_mutex_destroy(&s->lock);
    s->source->close(s->inner);
    free(s->pieces);
    free(s);
}
