/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing over an older bundle while the n-th operation of the medium fails, for every n, once or from then
 * on (a pulled stick).
 */
#include "bundle_fixture.h"

static struct fixture older, newer; /* too large for a stack; both write to newer's folder */

enum fault { FAULT_NONE, FAULT_ONCE, FAULT_FOREVER, FAULT_CHANGED_BYTE };

struct faulty {
    struct medium below;
    enum fault fault;
    unsigned at, count; /* which operation fails; how many there were */
};

static int step(struct faulty *f, struct err *e)
{
    f->count++;
    if ((f->fault == FAULT_ONCE && f->count == f->at) || (f->fault == FAULT_FOREVER && f->count >= f->at))
        return err_set(e, ERR_MEDIUM_IO, "operation %u fails on purpose", f->count);
    return 0;
}

static int faulty_create(void *ctx, const char *name, int *ret_fd, struct err *e)
{
    struct faulty *f = ctx;
    return step(f, e) ? -1 : f->below.create(f->below.ctx, name, ret_fd, e);
}

static int faulty_reopen(void *ctx, const char *name, int *ret_fd, struct err *e)
{
    struct faulty *f = ctx;
    return step(f, e) ? -1 : f->below.reopen(f->below.ctx, name, ret_fd, e);
}

static int faulty_cut(void *ctx, int fd, uint64_t size, struct err *e)
{
    struct faulty *f = ctx;
    return step(f, e) ? -1 : f->below.cut(f->below.ctx, fd, size, e);
}

static int faulty_open(void *ctx, const char *name, int *ret_fd, struct err *e)
{
    struct faulty *f = ctx;
    return step(f, e) ? -1 : f->below.open(f->below.ctx, name, ret_fd, e);
}

static int faulty_write(void *ctx, int fd, const void *bytes, size_t n, struct err *e)
{
    struct faulty *f = ctx;
    return step(f, e) ? -1 : f->below.write(f->below.ctx, fd, bytes, n, e);
}

static int faulty_flush(void *ctx, int fd, struct err *e)
{
    struct faulty *f = ctx;
    return step(f, e) ? -1 : f->below.flush(f->below.ctx, fd, e);
}

static int faulty_drop_cache(void *ctx, int fd, struct err *e)
{
    struct faulty *f = ctx;
    return step(f, e) ? -1 : f->below.drop_cache(f->below.ctx, fd, e);
}

static int faulty_read(void *ctx, int fd, void *to, size_t n, uint64_t offset, struct err *e)
{
    struct faulty *f = ctx;
    if (step(f, e) || f->below.read(f->below.ctx, fd, to, n, offset, e))
        return -1;
    if (f->fault == FAULT_CHANGED_BYTE && f->count == f->at)
        ((uint8_t *)to)[n / 2] ^= 0x10;
    return 0;
}

static int faulty_rename(void *ctx, const char *from, const char *to, struct err *e)
{
    struct faulty *f = ctx;
    return step(f, e) ? -1 : f->below.rename(f->below.ctx, from, to, e);
}

static int faulty_remove(void *ctx, const char *name, struct err *e)
{
    struct faulty *f = ctx;
    return step(f, e) ? -1 : f->below.remove(f->below.ctx, name, e);
}

static int faulty_flush_folder(void *ctx, struct err *e)
{
    struct faulty *f = ctx;
    return step(f, e) ? -1 : f->below.flush_folder(f->below.ctx, e);
}

static int faulty_list(void *ctx, int (*each)(void *each_ctx, const char *name, struct err *e),
                       void *each_ctx, struct err *e)
{
    struct faulty *f = ctx;
    return step(f, e) ? -1 : f->below.list(f->below.ctx, each, each_ctx, e);
}

static struct medium faulty_medium(struct faulty *f)
{
    f->below = medium_posix(&newer.dirfd);
    return (struct medium){
        .ctx = f,
        .create = faulty_create,
        .reopen = faulty_reopen,
        .cut = faulty_cut,
        .list = faulty_list,
        .open = faulty_open,
        .write = faulty_write,
        .flush = faulty_flush,
        .drop_cache = faulty_drop_cache,
        .read = faulty_read,
        .rename = faulty_rename,
        .remove = faulty_remove,
        .flush_folder = faulty_flush_folder,
    };
}

static const struct bundle_options several = {.keep_cache = false, .volume_bytes = 1000};
static const struct bundle_options one_volume = {.keep_cache = false};
static const struct bundle_options single = {.single = true};

static void open_fixtures(void)
{
    AUTO(buf) struct buf text = {0};
    for (unsigned i = 0; text.len < 2200000; i++)
        buf_addf(&text, "line %u of %u\n", i / 50, i % 50);
    fixture_open(&older);
    fixture_open(&newer);
    fixture_add(&older, "metadata/director/1.root.json", "{\"v\":1}", 7);
    fixture_add(&older, "images/pump.bin", text.data, 1500000);
    fixture_add(&newer, "metadata/director/1.root.json", "{\"v\":2}", 7);
    fixture_add(&newer, "images/pump.bin", text.data + 5, 2100000);
}

static void close_fixtures(void)
{
    fixture_close(&older);
    fixture_close(&newer);
}

static int count_entry(void *ctx, const char *name, struct err *e)
{
    (void)name;
    (void)e;
    ++*(unsigned *)ctx;
    return 0;
}

static unsigned count_files(void)
{
    unsigned count = 0;
    struct err e;
    assert_return_code(fs_each(newer.dirfd, count_entry, &count, &e), 0);
    return count;
}

/* An empty folder with the older bundle alone. */
static void put_older(const struct bundle_options *options)
{
    struct medium medium = medium_posix(&newer.dirfd);
    struct err e = {0};
    AUTO_FREE char *command = mem_format("rm -rf '%s'/*", newer.folder);
    assert_int_equal(system(command), 0);
    assert_return_code(fixture_write_on(&older, options, &medium, &e), 0);
}

/* Every byte of every file in the folder, as one hash. */
static int hash_entry(void *ctx, const char *name, struct err *e)
{
    AUTO(buf) struct buf content = {0};
    if (fs_read_at(newer.dirfd, name, 64u << 20, &content, e))
        return -1;
    hash_update(ctx, name, strlen(name) + 1);
    hash_update(ctx, content.data, content.len);
    return 0;
}

static void hash_folder(uint8_t ret[HASH_SIZE])
{
    AUTO_HASH struct hash *h = hash_new();
    struct err e;
    assert_return_code(fs_each(newer.dirfd, hash_entry, h, &e), 0);
    hash_final(h, ret);
}

/* The bundle that can be opened now is whole, and it is one of the two. */
static void assert_one_is_whole(void)
{
    struct err e = {0};
    struct bundle *b = fixture_open_bundle(&newer);
    if (bundle_check(b, 1, NULL, &e))
        fail_msg("%s: %s", err_name(e.id), e.message);
    uint64_t size = bundle_member_at(b, 1).size;
    assert_true(size == older.members[1].size || size == newer.members[1].size);
    bundle_close(b);
}

/* How many operations the writing of the newer over the older takes; what it leaves is in ret. */
static unsigned write_without_fault(const struct bundle_options *before, const struct bundle_options *after,
                                    uint8_t ret[HASH_SIZE])
{
    struct faulty faulty = {.fault = FAULT_NONE};
    struct medium medium = faulty_medium(&faulty);
    struct err e = {0};
    put_older(before);
    assert_return_code(fixture_write_on(&newer, after, &medium, &e), 0);
    hash_folder(ret);
    return faulty.count;
}

static void fail_everywhere(const struct bundle_options *before, const struct bundle_options *after,
                            enum fault fault)
{
    uint8_t expected[HASH_SIZE], found[HASH_SIZE];
    unsigned operations = write_without_fault(before, after, expected), files = count_files(), failures = 0;
    struct medium good = medium_posix(&newer.dirfd);
    for (unsigned at = 1; at <= operations; at++) {
        struct faulty faulty = {.fault = fault, .at = at};
        struct medium medium = faulty_medium(&faulty);
        struct err e = {0};
        put_older(before);
        if (fixture_write_on(&newer, after, &medium, &e)) {
            failures++;
            assert_string_equal(err_name(e.id), "medium-io");
        }
        assert_one_is_whole();
        if (fixture_write_on(&newer, after, &good, &e))
            fail_msg("after operation %u failed: %s: %s", at, err_name(e.id), e.message);
        assert_int_equal(count_files(), files);
        hash_folder(found);
        assert_memory_equal(found, expected, HASH_SIZE);
    }
    /* reading the older bundle, to see what it needs, may fail unnoticed: it is replaced then */
    assert_in_range(failures, operations / 2, operations);
}

static void one_failure_leaves_one_bundle_whole_and_the_next_call_finishes(void **state)
{
    (void)state;
    open_fixtures();
    fail_everywhere(&several, &one_volume, FAULT_ONCE);
    fail_everywhere(&one_volume, &several, FAULT_ONCE);
    fail_everywhere(&several, &single, FAULT_ONCE);
    close_fixtures();
}

static void a_pulled_stick_has_one_bundle_whole_and_the_next_call_finishes(void **state)
{
    (void)state;
    open_fixtures();
    fail_everywhere(&one_volume, &one_volume, FAULT_FOREVER);
    fail_everywhere(&single, &several, FAULT_FOREVER);
    fail_everywhere(&several, &single, FAULT_FOREVER);
    close_fixtures();
}

static void a_medium_that_returns_other_bytes_is_found_out(void **state)
{
    (void)state;
    uint8_t ignored[HASH_SIZE];
    open_fixtures();
    unsigned operations = write_without_fault(&one_volume, &several, ignored), found = 0;
    for (unsigned at = 1; at <= operations; at++) {
        struct faulty faulty = {.fault = FAULT_CHANGED_BYTE, .at = at};
        struct medium medium = faulty_medium(&faulty);
        struct err e = {0};
        put_older(&one_volume);
        if (fixture_write_on(&newer, &several, &medium, &e)) {
            assert_string_equal(err_name(e.id), "read-back");
            found++;
        }
        assert_one_is_whole();
    }
    assert_in_range(found, 5, operations); /* three volumes with their starts, and the head */
    close_fixtures();
}

/* Interrupted again and again, with other content each time: never without a whole bundle. */
static void a_row_of_interrupted_writings_never_loses_the_bundle(void **state)
{
    (void)state;
    open_fixtures();
    put_older(&several);
    for (unsigned at = 1; at <= 120; at++) {
        struct faulty faulty = {.fault = FAULT_FOREVER, .at = at};
        struct medium medium = faulty_medium(&faulty);
        struct err e = {0};
        const struct fixture *next = at % 2 ? &newer : &older;
        if (fixture_write_on(next, at % 3 ? &several : &one_volume, &medium, &e))
            assert_string_equal(err_name(e.id), "medium-io");
        assert_one_is_whole();
    }
    close_fixtures();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_failure_leaves_one_bundle_whole_and_the_next_call_finishes),
        cmocka_unit_test(a_pulled_stick_has_one_bundle_whole_and_the_next_call_finishes),
        cmocka_unit_test(a_medium_that_returns_other_bytes_is_found_out),
        cmocka_unit_test(a_row_of_interrupted_writings_never_loses_the_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
