/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pins.h"
#include "store_fixture.h"

#include <poll.h>
#include <sys/wait.h>

static void set(struct buf *b, const char *text)
{
    buf_clear(b);
    buf_add_text(b, text);
}

static void save(const struct store_fixture *f, const char *first, const char *newest)
{
    AUTO(pins) struct pins p = {0};
    struct err e;
    set(&p.first[PIN_DIRECTOR], first);
    set(&p.newest[PIN_DIRECTOR], newest);
    assert_return_code(pins_save(&f->store, "default", &p, &e), 0);
}

static void nothing_pinned_is_empty_and_no_error(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(pins) struct pins p = {0};
    struct err e;
    assert_return_code(pins_load(&f->store, "default", &p, &e), 0);
    for (size_t repo = 0; repo < 2; repo++)
        assert_int_equal(p.first[repo].len + p.newest[repo].len, 0);
}

static void the_first_root_stays_and_the_newest_moves_on(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(pins) struct pins p = {0};
    struct err e;
    save(f, "root 1", "root 1");
    save(f, "another root 1", "root 3");
    assert_return_code(pins_load(&f->store, "default", &p, &e), 0);
    assert_string_equal(buf_text(&p.first[PIN_DIRECTOR]), "root 1");
    assert_string_equal(buf_text(&p.newest[PIN_DIRECTOR]), "root 3");
    assert_int_equal(p.first[PIN_IMAGE].len, 0);
    assert_file(f, "state/trust/default/director/root.json", "root 1");
}

static void profiles_do_not_share_their_roots(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(pins) struct pins p = {0};
    struct err e;
    save(f, "root 1", "root 1");
    assert_return_code(pins_load(&f->store, "other", &p, &e), 0);
    assert_int_equal(p.first[PIN_DIRECTOR].len, 0);
    assert_int_equal(pins_load(&f->store, "../default", &p, &e), -1);
    assert_int_equal(e.id, ERR_BAD_CONFIG);
}

static void a_folder_of_trust_has_both_roots(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(pins) struct pins p = {0};
    struct err e;
    assert_int_equal(pins_load_folder(f->folder, &p, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_PATH);
    put_file(f, "repo/root.json", "image root");
    assert_int_equal(pins_load_folder(f->folder, &p, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_PATH);
    assert_non_null(strstr(e.message, "has no director/root.json"));
    put_file(f, "director/root.json", "director root");
    assert_return_code(pins_load_folder(f->folder, &p, &e), 0);
    assert_string_equal(buf_text(&p.first[PIN_IMAGE]), "image root");
    assert_string_equal(buf_text(&p.first[PIN_DIRECTOR]), "director root");
}

static void an_empty_root_is_no_missing_one(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(pins) struct pins p = {0};
    struct err e;
    put_file(f, "director/root.json", "director root");
    put_file(f, "repo/root.json", "");
    assert_int_equal(pins_load_folder(f->folder, &p, &e), -1);
    assert_int_equal(e.id, ERR_BAD_CONFIG);
    assert_non_null(strstr(e.message, "'repo/root.json'"));
}

static void only_one_at_a_time_holds_the_lock_of_a_profile(void **state)
{
    const struct store_fixture *f = *state;
    AUTO_FD int fd = -1;
    struct err e;
    int ready[2];
    char byte;
    assert_return_code(pins_lock(&f->store, "default", &fd, &e), 0);
    assert_return_code(pipe(ready), 0);
    pid_t child = fork();
    assert_return_code(child, 0);
    if (child == 0) {
        AUTO_FD int other = -1;
        close(steal_fd(&fd)); /* else the child holds it, too */
        _exit(pins_lock(&f->store, "second", &other, &e) || write(ready[1], "2", 1) != 1 ||
              pins_lock(&f->store, "default", &other, &e) || write(ready[1], "1", 1) != 1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, '2');
    struct pollfd poll_for = {.fd = ready[0], .events = POLLIN};
    assert_int_equal(poll(&poll_for, 1, 100), 0);
    close(steal_fd(&fd));
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, '1');
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(ready[0]);
    close(ready[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(nothing_pinned_is_empty_and_no_error),
        store_test(the_first_root_stays_and_the_newest_moves_on),
        store_test(profiles_do_not_share_their_roots),
        store_test(a_folder_of_trust_has_both_roots),
        store_test(an_empty_root_is_no_missing_one),
        store_test(only_one_at_a_time_holds_the_lock_of_a_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
