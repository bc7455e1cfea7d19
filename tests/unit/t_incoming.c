/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <sys/wait.h>

#include "store/incoming.h"
#include "store_fixture.h"

static const char text[] = "the bytes of a package";
#define SIZE (sizeof text - 1)

static const uint8_t *digest(void)
{
    static uint8_t sha256[HASH_SIZE];
    hash_of(text, SIZE, sha256);
    return sha256;
}

static struct incoming *open_incoming(const struct store_fixture *f)
{
    struct err e;
    struct incoming *in = NULL;
    assert_return_code(incoming_open(&f->store, digest(), SIZE, false, &in, &e), 0);
    return in;
}

static void write_bytes(struct incoming *in, const char *bytes, size_t n)
{
    struct err e;
    assert_return_code(incoming_write(in, bytes, n, &e), 0);
}

static char *partial(void)
{
    char hex[HASH_HEX_SIZE];
    hash_hex(digest(), hex);
    return mem_format("cache/partial/%s", hex);
}

static void what_arrived_whole_becomes_an_object(void **state)
{
    const struct store_fixture *f = *state;
    AUTO_FREE char *path = partial();
    struct err e;
    struct incoming *in = open_incoming(f);
    write_bytes(in, text, 5);
    write_bytes(in, text + 5, SIZE - 5);
    assert_false(store_has(&f->store, digest(), SIZE));
    assert_return_code(incoming_finish(in, &e), 0);
    incoming_close(in);
    assert_true(store_has(&f->store, digest(), SIZE));
    assert_false(there_is(f, path));
    assert_null(open_incoming(f));
}

static void what_arrived_in_part_goes_on_in_the_next_run(void **state)
{
    const struct store_fixture *f = *state;
    struct err e;
    struct incoming *in = open_incoming(f);
    write_bytes(in, text, 7);
    incoming_close(in);
    in = open_incoming(f);
    assert_int_equal(incoming_have(in), 7);
    write_bytes(in, text + 7, SIZE - 7);
    assert_return_code(incoming_finish(in, &e), 0);
    incoming_close(in);
    assert_true(store_has(&f->store, digest(), SIZE));
}

static void nothing_arrived_leaves_nothing(void **state)
{
    const struct store_fixture *f = *state;
    AUTO_FREE char *path = partial();
    struct incoming *in = open_incoming(f);
    assert_true(there_is(f, path));
    incoming_close(in);
    assert_false(there_is(f, path));
}

static void wrong_bytes_get_no_name_and_can_be_received_again(void **state)
{
    const struct store_fixture *f = *state;
    struct err e;
    struct incoming *in = open_incoming(f);
    write_bytes(in, "The bytes of a package", SIZE);
    assert_int_equal(incoming_finish(in, &e), -1);
    assert_int_equal(e.id, ERR_WRONG_HASH);
    assert_false(store_has(&f->store, digest(), SIZE));
    assert_int_equal(incoming_have(in), 0);
    write_bytes(in, text, SIZE);
    assert_return_code(incoming_finish(in, &e), 0);
    incoming_close(in);
    assert_true(store_has(&f->store, digest(), SIZE));
}

static void too_few_and_too_many_bytes_are_refused(void **state)
{
    const struct store_fixture *f = *state;
    struct err e;
    struct incoming *in = open_incoming(f);
    write_bytes(in, text, SIZE - 1);
    assert_int_equal(incoming_finish(in, &e), -1);
    assert_int_equal(e.id, ERR_WRONG_LENGTH);
    write_bytes(in, text, SIZE);
    assert_int_equal(incoming_write(in, "!", 1, &e), -1);
    assert_int_equal(e.id, ERR_WRONG_LENGTH);
    incoming_close(in);
    assert_false(store_has(&f->store, digest(), SIZE));
}

static void a_spoiled_or_overlong_rest_of_an_earlier_run_does_no_harm(void **state)
{
    static const char *const rests[] = {"not those", "much longer than the bytes of that package"};
    const struct store_fixture *f = *state;
    AUTO_FREE char *path = partial();
    struct err e;
    for (size_t i = 0; i < COUNT_OF(rests); i++) {
        put_file(f, path, rests[i]);
        struct incoming *in = open_incoming(f);
        uint64_t have = incoming_have(in);
        assert_int_equal(have, i == 0 ? strlen(rests[i]) : 0);
        write_bytes(in, text + have, SIZE - have);
        if (have > 0) {
            assert_int_equal(incoming_finish(in, &e), -1);
            assert_int_equal(e.id, ERR_WRONG_HASH);
        } else {
            assert_return_code(incoming_finish(in, &e), 0);
        }
        incoming_close(in);
    }
}

/* A child that receives the object holds its lock until it is killed. */
static pid_t start_receiver(const struct store_fixture *f)
{
    int ready[2];
    char signal_byte;
    assert_return_code(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct incoming *in = open_incoming(f);
        (void)in;
        _exit(write(ready[1], "x", 1) == 1 ? pause() : 1);
    }
    assert_int_equal(read(ready[0], &signal_byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void what_another_process_receives_is_left_alone(void **state)
{
    const struct store_fixture *f = *state;
    AUTO_FREE char *path = partial();
    struct err e;
    struct incoming *in = NULL;
    pid_t child = start_receiver(f);
    assert_int_equal(incoming_open(&f->store, digest(), SIZE, false, &in, &e), -1);
    assert_int_equal(e.id, ERR_STORE_LOCKED);
    assert_true(there_is(f, path));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_return_code(incoming_open(&f->store, digest(), SIZE, true, &in, &e), 0);
    assert_non_null(in);
    incoming_close(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(what_arrived_whole_becomes_an_object),
        store_test(what_arrived_in_part_goes_on_in_the_next_run),
        store_test(nothing_arrived_leaves_nothing),
        store_test(wrong_bytes_get_no_name_and_can_be_received_again),
        store_test(too_few_and_too_many_bytes_are_refused),
        store_test(a_spoiled_or_overlong_rest_of_an_earlier_run_does_no_harm),
        store_test(what_another_process_receives_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
