/* SPDX-License-Identifier: Apache-2.0
 *
 * Media that lie about what they hold: a chip in memory behind the operations of a medium.
 */
#include "usb-tools/capacity.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

#define REAL ((size_t)5 << 20)
#define ODD 12345 /* what is left behind the last whole chunk */

enum lie { HONEST, DROPS, WRAPS, FORGETS_A_BYTE, FAILS, REFUSES_FLUSH };

/* One file is enough: its bytes are the chip's, from 0. */
struct chip {
    enum lie lie;
    uint64_t claimed, len, cuts;
    unsigned names, files; /* names that are there; files made */
    uint8_t bytes[REAL];
    bool read_before_full;
};

static int chip_create(void *ctx, const char *name, int *ret_fd, struct err *e)
{
    struct chip *c = ctx;
    (void)name;
    c->names++;
    c->files++;
    *ret_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return *ret_fd < 0 ? err_errno(e, ERR_SYSTEM, "open") : 0;
}

static int chip_remove(void *ctx, const char *name, struct err *e)
{
    struct chip *c = ctx;
    (void)name, (void)e;
    c->names--;
    return 0;
}

static void put(struct chip *c, uint64_t at, uint8_t byte)
{
    if (at < REAL)
        c->bytes[at] = byte;
    else if (c->lie == WRAPS)
        c->bytes[at % REAL] = byte;
}

/* A full one takes what fits, as a kernel does. */
static int chip_write(void *ctx, int fd, const void *bytes, size_t n, struct err *e)
{
    struct chip *c = ctx;
    (void)fd;
    if (c->lie == FAILS && c->len >= REAL / 2)
        return err_set(e, ERR_MEDIUM_IO, "fails on purpose");
    for (size_t i = 0; i < n; i++) {
        if (c->len == c->claimed)
            return err_set(e, ERR_NO_SPACE, "full");
        put(c, c->len++, ((const uint8_t *)bytes)[i]);
    }
    return 0;
}

static int chip_cut(void *ctx, int fd, uint64_t size, struct err *e)
{
    struct chip *c = ctx;
    (void)fd, (void)e;
    c->len = size;
    c->cuts++;
    return 0;
}

static int chip_flush(void *ctx, int fd, struct err *e)
{
    struct chip *c = ctx;
    (void)fd;
    return c->lie == REFUSES_FLUSH ? err_set(e, ERR_NO_SPACE, "no place after all") : 0;
}

static int chip_drop_cache(void *ctx, int fd, struct err *e)
{
    struct chip *c = ctx;
    (void)fd, (void)e;
    if (c->lie == FORGETS_A_BYTE)
        c->bytes[3u << 20] ^= 0x10;
    return 0;
}

static int chip_read(void *ctx, int fd, void *to, size_t n, uint64_t offset, struct err *e)
{
    struct chip *c = ctx;
    (void)fd, (void)e;
    c->read_before_full |= c->cuts == 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t at = offset + i;
        ((uint8_t *)to)[i] = at < REAL ? c->bytes[at] : c->lie == WRAPS ? c->bytes[at % REAL] : 0;
    }
    return 0;
}

static struct chip chip;

static int run(enum lie lie, uint64_t claimed, uint64_t *ret_bytes, struct err *e)
{
    static const uint8_t seed[CAPACITY_SEED_SIZE] = {7};
    chip = (struct chip){.lie = lie, .claimed = claimed};
    const struct medium m = {.ctx = &chip,
                             .create = chip_create,
                             .remove = chip_remove,
                             .write = chip_write,
                             .cut = chip_cut,
                             .flush = chip_flush,
                             .drop_cache = chip_drop_cache,
                             .read = chip_read};
    int rc = capacity_test(&m, claimed, seed, NULL, ret_bytes, e);
    assert_int_equal(chip.names, 0);
    return rc;
}

static void an_honest_medium_is_filled_but_for_less_than_the_smallest_piece(void **state)
{
    struct err e = {0};
    uint64_t bytes = 0;
    (void)state;
    assert_int_equal(run(HONEST, REAL, &bytes, &e), 0);
    assert_int_equal(bytes, REAL);
    assert_int_equal(run(HONEST, REAL - ODD, &bytes, &e), 0);
    assert_true(bytes <= REAL - ODD && REAL - ODD - bytes < 4096);
    assert_int_equal(chip.len, bytes);
    assert_false(chip.read_before_full);
    assert_int_equal(run(HONEST, 0, &bytes, &e), 0);
    assert_int_equal(bytes, 0);
}

static void assert_found(enum lie lie, uint64_t claimed, const char *says)
{
    struct err e = {0};
    uint64_t bytes = 99;
    assert_int_equal(run(lie, claimed, &bytes, &e), -1);
    assert_int_equal(e.id, ERR_FAKE_CAPACITY);
    assert_non_null(strstr(e.message, says));
    assert_int_equal(bytes, 99);
}

static void a_medium_that_drops_what_it_has_no_place_for_is_found(void **state)
{
    (void)state;
    assert_found(DROPS, 2 * REAL,
                 "of 10 MiB written, 5.0 MiB come back as other bytes, the first after 5.0 MiB");
    assert_found(DROPS, REAL + 4096, "4.0 KiB come back as other bytes");
}

static void a_medium_that_wraps_around_is_found(void **state)
{
    (void)state;
    assert_found(WRAPS, 2 * REAL, "5.0 MiB come back as other bytes, the first after 0 B");
    assert_found(WRAPS, REAL + 4096, "the first after 0 B");
}

static void one_bit_that_rots_is_found(void **state)
{
    (void)state;
    assert_found(FORGETS_A_BYTE, REAL, "1.0 MiB come back as other bytes, the first after 3.0 MiB");
}

static void a_medium_that_fails_is_no_fake(void **state)
{
    struct err e = {0};
    uint64_t bytes = 0;
    (void)state;
    assert_int_equal(run(FAILS, REAL, &bytes, &e), -1);
    assert_int_equal(e.id, ERR_MEDIUM_IO);
    assert_non_null(strstr(e.message, "after 3145728 bytes"));
    assert_int_equal(run(REFUSES_FLUSH, REAL, &bytes, &e), -1);
    assert_int_equal(e.id, ERR_MEDIUM_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_medium_is_filled_but_for_less_than_the_smallest_piece),
        cmocka_unit_test(a_medium_that_drops_what_it_has_no_place_for_is_found),
        cmocka_unit_test(a_medium_that_wraps_around_is_found),
        cmocka_unit_test(one_bit_that_rots_is_found),
        cmocka_unit_test(a_medium_that_fails_is_no_fake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
