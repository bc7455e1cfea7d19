/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "store_fixture.h"
#include "usb-tools/device/sandbox.h"

/* What the step sees of itself. */
struct sight {
    uid_t user;
    pid_t process;
    int no_new_privileges;
    uint64_t capabilities; /* that it could ever have */
    size_t interfaces;
    int reads_private, writes_lent, writes_beside; /* errno; 0: it can */
};

static uint64_t capabilities(void)
{
    char line[256];
    unsigned long long sum = 0, set;
    FILE *f = fopen("/proc/self/status", "re");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "CapEff: %llx", &set) == 1 || sscanf(line, "CapPrm: %llx", &set) == 1 ||
            sscanf(line, "CapInh: %llx", &set) == 1)
            sum |= set;
    fclose(f);
    return sum;
}

/* Lines of /proc/net/dev below its two of heading. */
static size_t interfaces(void)
{
    char line[256];
    size_t lines = 0;
    FILE *f = fopen("/proc/net/dev", "re");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        lines++;
    fclose(f);
    return lines - 2;
}

static int opens(int dirfd, const char *name, int flags)
{
    AUTO_FD int fd = openat(dirfd, name, flags | O_CLOEXEC, 0600);
    return fd < 0 ? errno : 0;
}

static int look_around(void *ctx, void *ret_answer, struct err *e)
{
    const struct store_fixture *f = ctx;
    (void)e;
    *(struct sight *)ret_answer = (struct sight){
        .user = getuid(),
        .process = getpid(),
        .no_new_privileges = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
        .capabilities = capabilities(),
        .interfaces = interfaces(),
        .reads_private = opens(f->fd, "private", O_RDONLY),
        .writes_lent = opens(f->fd, "lent/new", O_WRONLY | O_CREAT),
        .writes_beside = opens(f->fd, "new", O_WRONLY | O_CREAT),
    };
    return 0;
}

static void the_step_is_nobody_and_writes_only_what_it_is_lent(void **state)
{
    struct store_fixture *f = *state;
    struct sight sight = {0};
    struct err e;
    AUTO_FD int lent = -1;
    put_file(f, "private", "a key");
    assert_return_code(fchmod(f->fd, 0755), 0);
    assert_return_code(fs_open_dir_at(f->fd, "lent", true, &lent, &e), 0);
    assert_return_code(sandbox_lend(lent, &e), 0);
    assert_return_code(sandbox_run(look_around, f, &sight, sizeof sight, &e), 0);
    assert_int_equal(sight.no_new_privileges, 1);
    assert_int_equal(sight.writes_lent, 0);
    if (geteuid() != 0) { /* it has what the caller has, and the caller has no more to give up */
        assert_int_equal(sight.user, getuid());
        assert_int_equal(sight.capabilities, 0);
        return;
    }
    assert_int_equal(sight.user, 65526);
    assert_int_equal(sight.process, 1);
    assert_int_equal(sight.capabilities, 0);
    assert_int_equal(sight.interfaces, 1); /* lo, and that is down */
    assert_int_equal(sight.reads_private, EACCES);
    assert_int_equal(sight.writes_beside, EACCES);
    assert_int_equal(getuid(), 0);
    assert_int_equal(system("true"), 0); /* what starts later is in the own namespace again */
}

static int refuse(void *ctx, void *ret_answer, struct err *e)
{
    (void)ctx;
    ++*(char *)ret_answer;
    err_set(e, ERR_BUNDLE_SIGNER, "signed by nobody");
    return err_hint(e, "sign it");
}

static void an_error_comes_back_as_it_was_and_the_answer_with_it(void **state)
{
    struct err e;
    char answer = 'a';
    assert_int_equal(sandbox_run(refuse, *state, &answer, 1, &e), -1);
    assert_int_equal(e.id, ERR_BUNDLE_SIGNER);
    assert_string_equal(e.message, "signed by nobody");
    assert_string_equal(err_hint_text(&e), "sign it");
    assert_int_equal(answer, 'b');
}

static int lie(void *ctx, void *ret_answer, struct err *e)
{
    (void)ctx, (void)ret_answer;
    memset(e, 'x', sizeof *e);
    return -1;
}

static void an_error_that_is_none_is_one_of_ours(void **state)
{
    struct err e;
    char answer = 0;
    assert_int_equal(sandbox_run(lie, *state, &answer, 1, &e), -1);
    assert_int_equal(e.id, ERR_INTERNAL);
    assert_int_equal(strlen(e.message), sizeof e.message - 1);
}

static int die(void *ctx, void *ret_answer, struct err *e)
{
    (void)ctx, (void)ret_answer, (void)e;
    signal(SIGILL, SIG_DFL); /* cmocka would catch it */
    __builtin_trap();
}

static int leave(void *ctx, void *ret_answer, struct err *e)
{
    (void)ctx, (void)ret_answer, (void)e;
    _exit(0);
}

static void a_step_that_does_not_return_is_an_error(void **state)
{
    struct err e;
    char answer = 0;
    assert_int_equal(sandbox_run(die, *state, &answer, 1, &e), -1);
    assert_int_equal(e.id, ERR_INTERNAL);
    assert_non_null(strstr(e.message, "by signal"));
    assert_int_equal(sandbox_run(leave, *state, &answer, 1, &e), -1);
    assert_int_equal(e.id, ERR_INTERNAL);
}

/* A process of its own that would write after a while. */
static int stay(void *ctx, void *ret_answer, struct err *e)
{
    const struct store_fixture *f = ctx;
    (void)ret_answer, (void)e;
    if (fork() == 0) {
        setsid();
        usleep(300000);
        _exit(opens(f->fd, "lent/late", O_WRONLY | O_CREAT));
    }
    return 0;
}

static void what_the_step_started_ends_with_it(void **state)
{
    struct store_fixture *f = *state;
    struct err e;
    char answer = 0;
    AUTO_FD int lent = -1;
    if (geteuid() != 0)
        return; /* nothing is promised: the caller itself could have started it */
    assert_return_code(fchmod(f->fd, 0755), 0);
    assert_return_code(fs_open_dir_at(f->fd, "lent", true, &lent, &e), 0);
    assert_return_code(sandbox_lend(lent, &e), 0);
    assert_return_code(sandbox_run(stay, f, &answer, 1, &e), 0);
    usleep(600000);
    assert_false(there_is(f, "lent/late"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(the_step_is_nobody_and_writes_only_what_it_is_lent),
        store_test(an_error_comes_back_as_it_was_and_the_answer_with_it),
        store_test(an_error_that_is_none_is_one_of_ours),
        store_test(a_step_that_does_not_return_is_an_error),
        store_test(what_the_step_started_ends_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
