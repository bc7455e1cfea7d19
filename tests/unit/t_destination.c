/* SPDX-License-Identifier: Apache-2.0
 *
 * Several places from one reading of what is written: as bundles, folders and images. A place that fails
 * stops none of the others. And the progress counts what is on the media.
 */
#include "bundle_fixture.h"

#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "usb-tools/export_squashfs.h"

#define PLACES 3

static struct fixture fixture; /* too large for a stack */
static int dirfds[PLACES];

/* ---- a source that counts ---- */

static uint64_t bytes_read;

static int counting_open(void *ctx, void **ret_stream, struct err *e)
{
    return content_from_bytes.open(ctx, ret_stream, e);
}

static ssize_t counting_read(void *stream, void *to, size_t n, struct err *e)
{
    ssize_t got = content_from_bytes.read(stream, to, n, e);
    bytes_read += got > 0 ? (uint64_t)got : 0;
    return got;
}

static void counting_close(void *stream)
{
    content_from_bytes.close(stream);
}

static const struct content_source counting = {
    .open = counting_open, .read = counting_read, .close = counting_close};

static uint64_t source_bytes(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < fixture.content_count; i++)
        sum += fixture.contents[i].size;
    return sum;
}

static int open_places(void **state)
{
    AUTO(buf) struct buf noise = {0};
    struct err e;
    (void)state;
    fixture_open(&fixture);
    fixture_noise(&noise, 5u << 20, 1);
    fixture_add(&fixture, "metadata/director/1.root.json", "{}", 2);
    fixture_add(&fixture, "images/empty", "", 0);
    fixture_add(&fixture, "images/pump.bin", noise.data, noise.len);
    fixture_join(&fixture, "pump", 4);
    for (size_t i = 0; i < fixture.content_count; i++)
        fixture.contents[i].source = &counting;
    for (size_t i = 0; i < PLACES; i++) {
        AUTO_FREE char *name = mem_format("place-%zu", i);
        assert_return_code(fs_open_dir_at(fixture.dirfd, name, true, &dirfds[i], &e), 0);
    }
    bytes_read = 0;
    return 0;
}

static int close_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < PLACES; i++)
        close(dirfds[i]);
    fixture_close(&fixture);
    return 0;
}

/* ---- what is there ---- */

struct listing {
    int dirfd;
    struct hash *hash;
    unsigned files;
};

static int hash_entry(void *ctx, const char *name, struct err *e)
{
    struct listing *l = ctx;
    struct stat st;
    AUTO(buf) struct buf content = {0};
    hash_update(l->hash, name, strlen(name) + 1);
    assert_return_code(fstatat(l->dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
    if (S_ISDIR(st.st_mode)) {
        AUTO_FD int fd = -1;
        struct listing inside = {.hash = l->hash};
        assert_return_code(fs_open_dir_at(l->dirfd, name, false, &fd, e), 0);
        inside.dirfd = fd;
        assert_return_code(fs_each(fd, hash_entry, &inside, e), 0);
        l->files += inside.files;
        return 0;
    }
    l->files++;
    assert_return_code(fs_read_at(l->dirfd, name, 64u << 20, &content, e), 0);
    hash_update(l->hash, content.data, content.len);
    return 0;
}

/* Number of files beneath the place; names and contents, as one hash. */
static unsigned hash_place(size_t i, uint8_t ret[HASH_SIZE])
{
    AUTO_HASH struct hash *h = hash_new();
    struct listing l = {.dirfd = dirfds[i], .hash = h};
    struct err e;
    assert_return_code(fs_each(dirfds[i], hash_entry, &l, &e), 0);
    hash_final(h, ret);
    return l.files;
}

static void assert_same(size_t a, size_t b)
{
    uint8_t of_a[HASH_SIZE], of_b[HASH_SIZE];
    assert_true(hash_place(a, of_a) > 0);
    hash_place(b, of_b);
    assert_memory_equal(of_a, of_b, HASH_SIZE);
}

static void assert_empty(size_t i)
{
    uint8_t ignored[HASH_SIZE];
    assert_int_equal(hash_place(i, ignored), 0);
}

/* ---- bundles ---- */

/* A medium of which the n-th write fails, and all after it. */
struct tired {
    int dirfd; /* first: so it is what medium_posix() looks for, too */
    unsigned writes, good;
};

static int tired_write(void *ctx, int fd, const void *bytes, size_t n, struct err *e)
{
    struct tired *t = ctx;
    const struct medium posix = medium_posix(&t->dirfd);
    return t->writes++ >= t->good ? err_set(e, ERR_MEDIUM_IO, "on purpose")
                                  : posix.write(ctx, fd, bytes, n, e);
}

/* good: writes that succeed at each place. */
static int write_bundles(struct several *at, const unsigned good[PLACES],
                         const struct bundle_options *options, struct err *e)
{
    struct bundle_plan plan = fixture_plan(&fixture);
    struct bundle_summary summary;
    struct tired tired[PLACES];
    struct medium media[PLACES];
    struct bundle_place places[PLACES];
    bytes_read = 0;
    for (size_t i = 0; i < PLACES; i++) {
        tired[i] = (struct tired){.dirfd = dirfds[i], .good = good[i]};
        media[i] = medium_posix(&tired[i].dirfd);
        media[i].write = tired_write;
        places[i] = (struct bundle_place){.medium = &media[i], .name = FIXTURE_NAME};
    }
    return bundle_write(&plan, options, places, at, &summary, e);
}

#define ALL UINT_MAX
static const unsigned all_good[PLACES] = {ALL, ALL, ALL};
static const struct bundle_options volumes = {.volume_bytes = 2000000}, single = {.single = true};

static void bundles_are_the_same_and_their_source_is_read_once(void **state)
{
    const struct bundle_options *options[] = {&volumes, &single};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        struct err e = {0};
        AUTO(several) struct several at;
        several_init(&at, PLACES, NULL);
        if (write_bundles(&at, all_good, options[i], &e))
            fail_msg("%s: %s", err_name(e.id), e.message);
        assert_int_equal(several_left(&at), PLACES);
        assert_same(0, 1);
        assert_same(0, 2);
        /* the packages of a single file are packed twice, wherever it goes: its head knows every frame */
        assert_int_equal(bytes_read, source_bytes() + (options[i]->single ? source_bytes() - 2 : 0));
    }
}

static void a_medium_that_fails_stops_none_of_the_others_and_goes_on_later(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 9; n++) {
        const unsigned good[PLACES] = {ALL, n, ALL};
        AUTO_FREE char *command = mem_format("rm -rf '%s'/place-*/*", fixture.folder);
        struct err e = {0};
        AUTO(several) struct several first;
        AUTO(several) struct several again;
        several_init(&first, PLACES, NULL);
        several_init(&again, PLACES, NULL);
        assert_int_equal(system(command), 0);
        assert_int_equal(write_bundles(&first, good, &volumes, &e), 0);
        assert_int_equal(several_left(&first), 2);
        assert_int_equal(first.ones[1].failure.id, ERR_MEDIUM_IO);
        assert_non_null(strstr(first.ones[1].failure.message, "on purpose"));
        assert_int_equal(bytes_read, source_bytes());
        assert_same(0, 2);
        assert_int_equal(write_bundles(&again, all_good, &volumes, &e), 0);
        assert_int_equal(several_left(&again), PLACES);
        assert_same(0, 1);
    }
}

static void where_all_media_fail_so_does_the_writing(void **state)
{
    const unsigned good[PLACES] = {2, 2, 3};
    struct err e = {0};
    AUTO(several) struct several at;
    (void)state;
    several_init(&at, PLACES, NULL);
    assert_int_equal(write_bundles(&at, good, &volumes, &e), -1);
    assert_int_equal(e.id, ERR_MEDIUM_IO);
    for (size_t i = 0; i < PLACES; i++)
        assert_int_equal(at.ones[i].failure.id, ERR_MEDIUM_IO);
}

static void a_source_that_fails_leaves_nothing_anywhere(void **state)
{
    struct err e = {0};
    AUTO(several) struct several at;
    (void)state;
    several_init(&at, PLACES, NULL);
    fixture.contents[2].sha256[0] ^= 1;
    fixture.members[2].sha256[0] ^= 1;
    assert_int_equal(write_bundles(&at, all_good, &volumes, &e), -1);
    assert_int_equal(e.id, ERR_WRONG_HASH);
    for (size_t i = 0; i < PLACES; i++) {
        assert_int_equal(at.ones[i].failure.id, ERR_WRONG_HASH);
        assert_empty(i);
    }
}

static void a_bundle_is_copied_to_several_places(void **state)
{
    struct err e = {0};
    const struct medium here = medium_posix(&fixture.dirfd);
    struct medium media[PLACES];
    struct bundle_place places[PLACES];
    AUTO(several) struct several at;
    (void)state;
    several_init(&at, PLACES, NULL);
    assert_return_code(fixture_write_on(&fixture, &volumes, &here, &e), 0);
    struct bundle *b = fixture_open_bundle(&fixture);
    for (size_t i = 0; i < PLACES; i++) {
        media[i] = medium_posix(&dirfds[i]);
        places[i] = (struct bundle_place){.medium = &media[i], .name = "copy.lockbox"};
    }
    assert_int_equal(bundle_copy(b, places, &at, BUNDLE_AS_IT_IS, &e), 0);
    bundle_close(b);
    assert_int_equal(several_left(&at), PLACES);
    assert_same(0, 1);
    assert_same(0, 2);
}

/* ---- folders and images ---- */

static int export_folders(struct several *at, struct err *e)
{
    struct export_place places[PLACES];
    bytes_read = 0;
    for (size_t i = 0; i < PLACES; i++)
        places[i] = (struct export_place){.dirfd = dirfds[i], .name = "update"};
    return export_plain(places, at, fixture.members, fixture.member_count, e);
}

static void folders_come_from_one_reading_and_one_that_is_refused_stops_none(void **state)
{
    struct err e = {0};
    AUTO(several) struct several at;
    (void)state;
    several_init(&at, PLACES, NULL);
    assert_return_code(fs_replace_at(dirfds[1], "update/somebody's", "own", 3, 0644, &e), 0);
    assert_int_equal(export_folders(&at, &e), 0);
    assert_int_equal(bytes_read, source_bytes());
    assert_int_equal(several_left(&at), 2);
    assert_int_equal(at.ones[1].failure.id, ERR_ALREADY_EXISTS);
    assert_same(0, 2);
    uint8_t ignored[HASH_SIZE];
    assert_int_equal(hash_place(0, ignored), fixture.member_count);
    assert_int_equal(hash_place(1, ignored), 1);
}

static int export_images(struct several *at, struct err *e)
{
    uint64_t bytes;
    bytes_read = 0;
    return export_squashfs(dirfds, at, fixture.members, fixture.member_count, NULL, &bytes, e);
}

static void images_come_from_one_reading_and_one_that_fails_stops_none(void **state)
{
    struct err e = {0};
    AUTO(several) struct several at;
    (void)state;
    several_init(&at, PLACES, NULL);
    assert_return_code(fs_replace_at(dirfds[0], SQUASHFS_NAME "/in the way", "", 0, 0644, &e), 0);
    assert_int_equal(export_images(&at, &e), 0);
    assert_int_equal(bytes_read, source_bytes());
    assert_int_equal(several_left(&at), 2);
    assert_int_not_equal(at.ones[0].failure.id, ERR_NONE);
    assert_same(1, 2);
    uint8_t ignored[HASH_SIZE];
    assert_int_equal(hash_place(1, ignored), 1);
}

/* ---- progress ---- */

static atomic_uint_fast64_t on_medium; /* bytes of the file being written, of the medium that has fewest */

static int told_await(void *ctx, int fd, uint64_t offset, uint64_t n, struct err *e)
{
    (void)ctx, (void)fd, (void)e;
    on_medium = offset + n;
    return 0;
}

static int told_flush(void *ctx, int fd, struct err *e)
{
    struct stat st;
    (void)ctx, (void)e;
    assert_return_code(fstat(fd, &st), 0);
    on_medium = (uint64_t)st.st_size;
    return 0;
}

#define HEADERS 65536u /* bytes of the progress that compress to nearly none */

static void assert_true_to_the_medium(struct progress *p, const char *event)
{
    if (strcmp(p->phase, "write") != 0 || !strcmp(event, "begin"))
        return;
    ++*(unsigned *)p->ctx;
    assert_true(atomic_load(&p->done) <= on_medium + HEADERS);
    if (!strcmp(event, "end"))
        assert_int_equal(atomic_load(&p->done), p->total);
}

static void the_progress_of_a_bundle_counts_what_is_on_the_medium(void **state)
{
    AUTO(buf) struct buf noise = {0};
    unsigned shown = 0;
    struct progress p = {.show = assert_true_to_the_medium, .ctx = &shown};
    struct bundle_plan plan = fixture_plan(&fixture);
    struct bundle_summary summary;
    const struct bundle_options one_volume = {0};
    struct medium medium = medium_posix(&dirfds[0]);
    struct err e = {0};
    (void)state;
    fixture_noise(&noise, 30u << 20, 2);
    fixture_add(&fixture, "images/z", noise.data, noise.len);
    plan.member_count = fixture.member_count;
    medium.await = told_await;
    medium.flush = told_flush;
    if (write_one(&plan, &one_volume, &medium, FIXTURE_NAME, &p, &summary, &e))
        fail_msg("%s: %s", err_name(e.id), e.message);
    assert_in_range(shown, 10, 100); /* 35 MiB in steps of 2, none of them before it was there */
}

#define place_test(name) cmocka_unit_test_setup_teardown(name, open_places, close_places)

int main(void)
{
    const struct CMUnitTest tests[] = {
        place_test(bundles_are_the_same_and_their_source_is_read_once),
        place_test(a_medium_that_fails_stops_none_of_the_others_and_goes_on_later),
        place_test(where_all_media_fail_so_does_the_writing),
        place_test(a_source_that_fails_leaves_nothing_anywhere),
        place_test(a_bundle_is_copied_to_several_places),
        place_test(folders_come_from_one_reading_and_one_that_is_refused_stops_none),
        place_test(images_come_from_one_reading_and_one_that_fails_stops_none),
        place_test(the_progress_of_a_bundle_counts_what_is_on_the_medium),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
