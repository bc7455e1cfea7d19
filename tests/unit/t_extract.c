/* SPDX-License-Identifier: Apache-2.0
 *
 * Metadata taken out of a bundle, and the progress of an extraction; extraction and checking of whole bundles
 * are in t_reader.c, t_forgery.c and t_writer.c.
 */
#include <sys/syscall.h>

#include "bundle_fixture.h"

#include "bundle-format/reader.h"

static struct fixture fixture; /* too large for a stack */
static struct medium plain;
static uint64_t bytes_read;

static int counting_read(void *ctx, int fd, void *to, size_t n, uint64_t offset, struct err *e)
{
    bytes_read += n;
    return plain.read(ctx, fd, to, n, offset, e);
}

static int take_expected(void *ctx, const char *path, struct buf *bytes, struct err *e)
{
    size_t *taken = ctx;
    uint8_t digest[HASH_SIZE];
    (void)e;
    const struct member *m = &fixture.members[(*taken)++];
    assert_string_equal(path, m->path);
    assert_int_equal(bytes->len, m->size);
    hash_of(bytes->data, bytes->len, digest);
    assert_memory_equal(digest, m->sha256, HASH_SIZE);
    return 0;
}

static int refuse_to_take(void *ctx, const char *path, struct buf *bytes, struct err *e)
{
    (void)ctx, (void)bytes;
    return err_set(e, ERR_TOO_LARGE, "%s", path);
}

/* The last member's contents lie in two frames by turns. */
static void add_scattered_metadata(void)
{
    AUTO(buf) struct buf noise = {0};
    fixture_noise(&noise, 2500000, 5);
    fixture_add(&fixture, "metadata/a", "left", 4);
    fixture_add(&fixture, "metadata/b", noise.data, noise.len);
    fixture_add(&fixture, "metadata/c", "right", 5);
    fixture_add(&fixture, "metadata/d", "", 0);
    fixture_add(&fixture, "metadata/e", "left", 4);
    for (unsigned i = 0; i < 200; i++)
        fixture_join(&fixture, i % 2 ? "left" : "right", i % 2 ? 4 : 5);
    fixture_add(&fixture, "images/f", "image", 5);
}

static void metadata_is_read_once_however_its_contents_are_scattered(void **state)
{
    (void)state;
    static const struct bundle_options quick = {.keep_cache = true};
    struct bundle *b;
    struct err e;
    size_t taken = 0;
    fixture_open(&fixture);
    add_scattered_metadata();
    fixture_write(&fixture, &quick);
    plain = medium_posix(&fixture.dirfd);
    struct medium counting = plain;
    counting.read = counting_read;
    assert_return_code(bundle_open_on(&counting, FIXTURE_NAME, &b, &e), 0);
    bytes_read = 0;
    const struct bundle_taker taker = {.take = take_expected, .ctx = &taken};
    assert_return_code(bundle_read_metadata(b, &taker, &e), 0);
    assert_int_equal(taken, 5);
    assert_int_equal(bytes_read, b->index.volumes[0].bytes);
    const struct bundle_taker unwilling = {.take = refuse_to_take};
    assert_int_equal(bundle_read_metadata(b, &unwilling, &e), -1);
    assert_int_equal(e.id, ERR_TOO_LARGE);
    bundle_close(b);
    fixture_close(&fixture);
}

/* How often the file system was flushed: the program's syncfs() is this one. */
static unsigned flushes;

int syncfs(int fd)
{
    flushes++;
    return (int)syscall(SYS_syncfs, fd);
}

#define PACE (16u << 20)
#define PIECE (1u << 20) /* by which a file is written, at most */

static void assert_flushed_before(struct progress *p, const char *event)
{
    ++*(unsigned *)p->ctx;
    assert_true(atomic_load(&p->done) <= (uint64_t)flushes * (PACE + PIECE));
    if (!strcmp(event, "end"))
        assert_int_equal(atomic_load(&p->done), p->total);
}

static void the_progress_of_an_extraction_counts_what_was_flushed(void **state)
{
    (void)state;
    static const struct bundle_options quick = {.keep_cache = true};
    enum { SIZE = 20 << 20 };
    unsigned shown = 0;
    struct progress p = {.show = assert_flushed_before, .ctx = &shown};
    struct err e;
    AUTO_FREE char *bytes = mem_zeroed(1, SIZE);
    AUTO_FD int out = -1;
    fixture_open(&fixture);
    fixture_add(&fixture, "images/a", bytes, SIZE);
    bytes[0] = 1;
    fixture_add(&fixture, "images/b", bytes, SIZE);
    fixture_write(&fixture, &quick);
    struct bundle *b = fixture_open_bundle(&fixture);
    assert_return_code(fs_open_dir_at(fixture.dirfd, "out", true, &out, &e), 0);
    flushes = 0;
    assert_return_code(bundle_extract(b, out, 1, &p, &e), 0);
    assert_int_equal(shown, 5); /* its beginning; 16 MiB, 32 MiB, the rest; its end */
    assert_int_equal(flushes, 3);
    bundle_close(b);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_is_read_once_however_its_contents_are_scattered),
        cmocka_unit_test(the_progress_of_an_extraction_counts_what_was_flushed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
