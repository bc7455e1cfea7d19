/* SPDX-License-Identifier: Apache-2.0
 *
 * Metadata taken out of a bundle; extraction and checking of whole bundles are in t_reader.c, t_forgery.c and
 * t_writer.c.
 */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_is_read_once_however_its_contents_are_scattered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
