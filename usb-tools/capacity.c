/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/capacity.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/out.h"
#include "crypto/hash.h"

#define NAME ".airlock-capacity"          /* for the moment between making and removing it */
#define CHUNK ((size_t)1 << 20)           /* what is written, and compared, at once */
#define SMALLEST ((size_t)4096)           /* of the pieces for what is left in the end */
#define FILE_BYTES (UINT64_C(2000) << 20) /* every file system holds such a file */
#define FLUSH_EVERY (UINT64_C(64) << 20)  /* then the progress tells what is on the medium */
#define FILES_MAX 512                     /* open at once: 1 TB, and below the usual limit of 1024 */

struct test {
    const struct medium *medium;
    const uint8_t *seed;
    uint8_t *expected, *found; /* CHUNK each */
    int fds[FILES_MAX];
    uint64_t sizes[FILES_MAX];
    size_t count;
    uint64_t written, unflushed;
    uint64_t bad, first_bad; /* bytes of pieces that differ; where the first of them lies */
    struct progress *progress;
};

static int fill(struct test *t, uint64_t free_bytes, struct err *e);
static int read_all_back(struct test *t, struct err *e);
static int judge(const struct test *t, struct err *e);

int capacity_test(const struct medium *m, uint64_t free_bytes, const uint8_t seed[CAPACITY_SEED_SIZE],
                  struct progress *progress, uint64_t *ret_bytes, struct err *e)
{
    struct test t = {.medium = m, .seed = seed, .progress = progress};
    t.expected = mem_zeroed(1, CHUNK);
    t.found = mem_zeroed(1, CHUNK);
    int rc = fill(&t, free_bytes, e) || read_all_back(&t, e) || judge(&t, e) ? -1 : 0;
    for (size_t i = 0; i < t.count; i++)
        close(t.fds[i]);
    free(t.expected);
    free(t.found);
    if (rc == 0)
        *ret_bytes = t.written;
    return rc;
}

/* The bytes at one place: a hash of seed and place, drawn out by a generator that no compressing medium
 * sees through. */
static void make_piece(const struct test *t, size_t file, uint64_t offset, uint8_t *ret, size_t n)
{
    uint8_t digest[HASH_SIZE], place[CAPACITY_SEED_SIZE + 16];
    uint64_t state[4];
    memcpy(place, t->seed, CAPACITY_SEED_SIZE);
    for (size_t i = 0; i < 8; i++) {
        place[CAPACITY_SEED_SIZE + i] = (uint8_t)((uint64_t)file >> 8 * i);
        place[CAPACITY_SEED_SIZE + 8 + i] = (uint8_t)(offset >> 8 * i);
    }
    hash_of(place, sizeof place, digest);
    memcpy(state, digest, sizeof state);
    for (size_t at = 0; at < n; at += 8) { /* xorshift of 256 bits: quick, and not to be guessed by a stick */
        uint64_t mixed = state[0] ^ (state[0] << 11);
        state[0] = state[1];
        state[1] = state[2];
        state[2] = state[3];
        state[3] ^= (state[3] >> 19) ^ mixed ^ (mixed >> 8);
        memcpy(ret + at, &state[3], 8);
    }
}

/* ---- writing ---- */

static int flush(struct test *t, struct err *e)
{
    if (t->medium->flush(t->medium->ctx, t->fds[t->count - 1], e)) {
        e->id = ERR_MEDIUM_IO; /* no space now: the medium took what it has no place for */
        return -1;
    }
    progress_add(t->progress, t->unflushed);
    t->unflushed = 0;
    return 0;
}

/* Without a name from the first moment. */
static int add_file(struct test *t, struct err *e)
{
    const struct medium *m = t->medium;
    int fd;
    if (m->create(m->ctx, NAME, &fd, e))
        return -1;
    t->fds[t->count] = fd;
    t->sizes[t->count++] = 0;
    return m->remove(m->ctx, NAME, e);
}

/* -1 with ERR_NO_SPACE where the piece does not fit; what of it was written is cut off. */
static int add_piece(struct test *t, size_t n, struct err *e)
{
    const struct medium *m = t->medium;
    size_t file = t->count - 1;
    struct err ignored;
    make_piece(t, file, t->sizes[file], t->expected, n);
    if (m->write(m->ctx, t->fds[file], t->expected, n, e))
        return e->id == ERR_NO_SPACE && m->cut(m->ctx, t->fds[file], t->sizes[file], &ignored)
                   ? err_set(e, ERR_MEDIUM_IO, "cannot shorten a file")
                   : -1;
    t->sizes[file] += n;
    t->written += n;
    t->unflushed += n;
    return t->unflushed >= FLUSH_EVERY ? flush(t, e) : 0;
}

/* What is left at the end is filled by halves of the last piece, each once. */
static int fill_file(struct test *t, size_t *piece, struct err *e)
{
    while (*piece >= SMALLEST && t->sizes[t->count - 1] + *piece <= FILE_BYTES) {
        int rc = add_piece(t, *piece, e);
        if (rc && e->id != ERR_NO_SPACE)
            return -1;
        if (rc || *piece < CHUNK)
            *piece /= 2;
    }
    return flush(t, e);
}

static int fill(struct test *t, uint64_t free_bytes, struct err *e)
{
    progress_begin(t->progress, "fill", free_bytes);
    for (size_t piece = CHUNK; piece >= SMALLEST && t->count < FILES_MAX;) {
        if (add_file(t, e)) {
            if (e->id != ERR_NO_SPACE)
                return -1;
            break; /* not even for one more name */
        }
        if (fill_file(t, &piece, e))
            return err_context(e, "after %" PRIu64 " bytes", t->written);
    }
    progress_end(t->progress);
    return 0;
}

/* ---- reading back ---- */

static int compare(struct test *t, size_t file, uint64_t offset, uint64_t before, size_t n, struct err *e)
{
    const struct medium *m = t->medium;
    if (m->read(m->ctx, t->fds[file], t->found, n, offset, e))
        return -1;
    progress_add(t->progress, n);
    if (!memcmp(t->expected, t->found, n))
        return 0;
    if (t->bad == 0)
        t->first_bad = before + offset;
    t->bad += n;
    return 0;
}

/* In the pieces in which it was written: whole chunks, then halves that get smaller. */
static int read_file_back(struct test *t, size_t file, uint64_t before, struct err *e)
{
    size_t piece = CHUNK;
    if (t->medium->drop_cache(t->medium->ctx, t->fds[file], e))
        return -1;
    for (uint64_t offset = 0; offset < t->sizes[file]; offset += piece) {
        while (offset + piece > t->sizes[file])
            piece /= 2;
        make_piece(t, file, offset, t->expected, piece);
        if (compare(t, file, offset, before, piece, e))
            return -1;
    }
    return 0;
}

static int read_all_back(struct test *t, struct err *e)
{
    uint64_t before = 0;
    progress_begin(t->progress, "read back", t->written);
    for (size_t i = 0; i < t->count; i++) {
        if (read_file_back(t, i, before, e))
            return -1;
        before += t->sizes[i];
    }
    progress_end(t->progress);
    return 0;
}

static int judge(const struct test *t, struct err *e)
{
    char bad[OUT_SIZE_TEXT], of[OUT_SIZE_TEXT], good[OUT_SIZE_TEXT];
    if (t->bad == 0)
        return 0;
    out_size(t->bad, bad);
    out_size(t->written, of);
    out_size(t->first_bad, good);
    return err_set(e, ERR_FAKE_CAPACITY, "of %s written, %s come back as other bytes, the first after %s", of,
                   bad, good);
}
