/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "fetch/receiver.h"

#define ARRIVALS (2 * RECEIVER_CHUNKS + 5)
#define HALF 1000u

struct fixture {
    char folder[64];
    struct store store;
    struct receiver *receiver;
};

static int set_up(void **state)
{
    struct err e;
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->folder, "/tmp/airlock-receiver-XXXXXX");
    const struct store_paths paths = {f->folder, f->folder, f->folder};
    if (!mkdtemp(f->folder) || store_open(&paths, &f->store, &e))
        return -1;
    f->receiver = receiver_start(NULL);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct err e;
    struct fixture *f = *state;
    receiver_stop(f->receiver);
    store_close(&f->store);
    AUTO_FD int tmp = -1;
    int rc = fs_open_dir("/tmp", &tmp, &e) || fs_remove_at(tmp, f->folder + strlen("/tmp/"), &e);
    free(f);
    return rc;
}

/* Content of arrival i, told apart by its first bytes. */
static void make_content(size_t i, uint8_t content[2 * HALF])
{
    memset(content, (int)(i & 0xff), 2 * HALF);
    content[0] = (uint8_t)(i >> 8);
}

static void open_arrival(struct fixture *f, const uint8_t *content, struct arrival *a)
{
    struct err e;
    uint8_t digest[HASH_SIZE];
    hash_of(content, 2 * HALF, digest);
    assert_int_equal(incoming_open(&f->store, digest, 2 * HALF, false, &a->incoming, &e), 0);
    assert_non_null(a->incoming);
}

static void more_transfers_than_chunks_do_not_wait_for_each_other(void **state)
{
    struct fixture *f = *state;
    struct err e;
    uint8_t content[2 * HALF];
    struct arrival *arrivals = calloc(ARRIVALS, sizeof *arrivals);
    for (size_t i = 0; i < ARRIVALS; i++) {
        make_content(i, content);
        open_arrival(f, content, &arrivals[i]);
    }
    for (size_t half = 0; half < 2; half++)
        for (size_t i = 0; i < ARRIVALS; i++) {
            make_content(i, content);
            assert_int_equal(receiver_write(f->receiver, &arrivals[i], content + half * HALF, HALF, &e), 0);
        }
    for (size_t i = 0; i < ARRIVALS; i++)
        receiver_end(f->receiver, &arrivals[i], true);
    receiver_drain(f->receiver);
    for (size_t i = 0; i < ARRIVALS; i++)
        assert_true(arrivals[i].finished);
    free(arrivals);
}

static void a_restart_forgets_what_was_handed_over_and_what_was_not(void **state)
{
    struct fixture *f = *state;
    struct err e;
    uint8_t content[2 * HALF], wrong[HALF] = {1, 2, 3};
    struct arrival a = {0};
    make_content(999, content);
    open_arrival(f, content, &a);
    assert_int_equal(receiver_write(f->receiver, &a, wrong, HALF, &e), 0);
    receiver_restart(f->receiver, &a);
    assert_int_equal(receiver_write(f->receiver, &a, content, 2 * HALF, &e), 0);
    receiver_end(f->receiver, &a, true);
    receiver_drain(f->receiver);
    assert_true(a.finished);
}

static void wrong_content_is_told_and_gets_no_name(void **state)
{
    struct fixture *f = *state;
    struct err e;
    uint8_t content[2 * HALF], digest[HASH_SIZE];
    struct arrival a = {0};
    make_content(1000, content);
    hash_of(content, sizeof content, digest);
    open_arrival(f, content, &a);
    content[7] ^= 1;
    assert_int_equal(receiver_write(f->receiver, &a, content, sizeof content, &e), 0);
    receiver_end(f->receiver, &a, true);
    receiver_drain(f->receiver);
    assert_false(a.finished);
    assert_int_equal(a.error.id, ERR_WRONG_HASH);
    assert_false(store_has(&f->store, digest, sizeof content));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_transfers_than_chunks_do_not_wait_for_each_other),
        cmocka_unit_test(a_restart_forgets_what_was_handed_over_and_what_was_not),
        cmocka_unit_test(wrong_content_is_told_and_gets_no_name),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
