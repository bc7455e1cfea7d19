/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/crash_vfs.h"
#include "tests/unit/store_fixture.h"

#include <sys/wait.h>

#include "report/ledger.h"

#define AT 1795392000
#define UUID "0c8f4b7e-7a0c-4d59-9c55-1f2e3d4c5b6a"

static struct ledger *open_ledger(const struct store_fixture *f)
{
    struct ledger *l = NULL;
    struct err e = {0};
    if (ledger_open(f->store.state_fd, true, &l, &e))
        fail_msg("%s", e.message);
    return l;
}

/* A manifest of that counter. */
static int64_t add(struct ledger *l, int64_t counter)
{
    const struct ledger_entry entry = {
        .kind = ENTRY_MANIFEST, .serial = "a", .counter = counter, .bytes = "bytes", .len = 5};
    const struct ledger_sighting seen = {"RED", "update-logs.db", counter, "pump", AT};
    struct err e;
    int64_t id;
    bool is_new;
    assert_return_code(ledger_add(l, &entry, &seen, &id, &is_new, &e), 0);
    return id;
}

static struct ledger_relay relay_of(int64_t entry, int64_t counter)
{
    return (struct ledger_relay){.entry = entry,
                                 .profile = "default",
                                 .uuid = UUID,
                                 .counter = counter,
                                 .gateway = "https://dgw",
                                 .at = AT};
}

/* The number of the relay, 0 where it was not claimed. */
static int64_t claim(struct ledger *l, int64_t entry, int64_t counter, bool again)
{
    const struct ledger_relay relay = relay_of(entry, counter);
    struct err e;
    int64_t id;
    bool claimed;
    assert_return_code(ledger_begin_relay(l, &relay, again, &id, &claimed, &e), 0);
    assert_int_equal(claimed, id != 0);
    return id;
}

static void settle(struct ledger *l, int64_t id, enum relay_outcome outcome)
{
    struct err e;
    assert_int_not_equal(id, 0);
    assert_return_code(ledger_end_relay(l, id, outcome, 200, "OK", 2, &e), 0);
}

static enum relay_outcome outcome_of(struct ledger *l, int64_t entry)
{
    enum relay_outcome outcome;
    struct err e;
    assert_return_code(ledger_relay_outcome(l, UUID, entry, &outcome, &e), 0);
    return outcome;
}

static int64_t last(struct ledger *l)
{
    int64_t counter;
    struct err e;
    assert_return_code(ledger_last_relayed(l, UUID, &counter, &e), 0);
    return counter;
}

static void what_is_about_to_be_sent_may_have_arrived(void **state)
{
    AUTO_LEDGER struct ledger *l = open_ledger(*state);
    int64_t entry = add(l, 42);
    assert_int_equal(outcome_of(l, entry), RELAY_WAITING);
    assert_int_equal(last(l), -1);
    assert_int_not_equal(claim(l, entry, 42, false), 0);
    assert_int_equal(outcome_of(l, entry), RELAY_UNKNOWN);
    assert_int_equal(last(l), 42);
}

static void nothing_goes_out_at_or_below_the_last(void **state)
{
    AUTO_LEDGER struct ledger *l = open_ledger(*state);
    int64_t older = add(l, 41), entry = add(l, 42), newer = add(l, 43);
    settle(l, claim(l, entry, 42, false), RELAY_ACCEPTED);
    assert_int_equal(claim(l, entry, 42, false), 0);
    assert_int_equal(claim(l, entry, 42, true), 0);
    assert_int_equal(claim(l, older, 41, false), 0);
    assert_int_equal(claim(l, older, 41, true), 0);
    settle(l, claim(l, newer, 43, false), RELAY_ACCEPTED);
    assert_int_equal(last(l), 43);
}

static void what_may_have_arrived_goes_out_again_only_where_somebody_says_so(void **state)
{
    AUTO_LEDGER struct ledger *l = open_ledger(*state);
    int64_t entry = add(l, 42), other = add(l, 43);
    claim(l, entry, 42, false);
    assert_int_equal(claim(l, entry, 42, false), 0);
    settle(l, claim(l, entry, 42, true), RELAY_ACCEPTED);
    assert_int_equal(outcome_of(l, entry), RELAY_ACCEPTED);
    assert_int_equal(claim(l, entry, 42, true), 0);
    claim(l, other, 43, false);
    assert_int_equal(claim(l, entry, 42, true), 0); /* a later one may have arrived */
}

static void what_did_not_arrive_may_be_tried_again(void **state)
{
    static const enum relay_outcome outcomes[] = {RELAY_NOT_SENT, RELAY_REFUSED};
    AUTO_LEDGER struct ledger *l = open_ledger(*state);
    int64_t entry = add(l, 42);
    for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
        settle(l, claim(l, entry, 42, false), outcomes[i]);
        assert_int_equal(outcome_of(l, entry), outcomes[i]);
        assert_int_equal(last(l), -1);
    }
    settle(l, claim(l, entry, 42, false), RELAY_ACCEPTED);
}

static void of_two_airlocks_one_sends_it(void **state)
{
    AUTO_LEDGER struct ledger *l = open_ledger(*state);
    AUTO_LEDGER struct ledger *other = open_ledger(*state);
    int64_t entry = add(l, 42);
    assert_int_not_equal(claim(l, entry, 42, false), 0);
    assert_int_equal(claim(other, entry, 42, false), 0);
}

static void what_the_device_overtook_counts_as_nothing_sent(void **state)
{
    AUTO_LEDGER struct ledger *l = open_ledger(*state);
    int64_t entry = add(l, 42);
    const struct ledger_relay mark = relay_of(entry, 42);
    struct err e;
    assert_return_code(ledger_mark_overtaken(l, &mark, &e), 0);
    assert_int_equal(outcome_of(l, entry), RELAY_OVERTAKEN);
    assert_int_equal(last(l), -1);
}

static int check_one(void *ctx, const struct ledger_relay *r, struct err *e)
{
    size_t *count = ctx;
    (void)e;
    assert_string_equal(r->gateway, "https://dgw");
    assert_string_equal(r->profile, "default");
    assert_string_equal(r->uuid, UUID);
    assert_int_equal(r->counter, 42);
    assert_int_equal(r->at, AT);
    assert_int_equal(r->outcome, *count == 0 ? RELAY_REFUSED : RELAY_ACCEPTED);
    assert_int_equal(r->status, 200);
    assert_int_equal(r->answer_len, 2);
    assert_memory_equal(r->answer, "OK", 2);
    ++*count;
    return 0;
}

static void every_try_stays_on_record(void **state)
{
    AUTO_LEDGER struct ledger *l = open_ledger(*state);
    int64_t entry = add(l, 42);
    size_t count = 0;
    struct err e;
    settle(l, claim(l, entry, 42, false), RELAY_REFUSED);
    settle(l, claim(l, entry, 42, false), RELAY_ACCEPTED);
    assert_return_code(ledger_each_relay(l, entry, check_one, &count, &e), 0);
    assert_int_equal(count, 2);
}

/* ---- a crash at every point ---- */

/* What sending does; `said` hears of what went out. */
static int send_one(const struct store_fixture *f, int64_t entry, int said)
{
    AUTO_LEDGER struct ledger *l = NULL;
    const struct ledger_relay relay = relay_of(entry, 42);
    struct err e;
    int64_t id;
    bool claimed;
    if (ledger_open(f->store.state_fd, true, &l, &e) ||
        ledger_begin_relay(l, &relay, false, &id, &claimed, &e))
        return 1;
    if (!claimed)
        return 0;
    if (write(said, "x", 1) != 1 || ledger_end_relay(l, id, RELAY_ACCEPTED, 200, "OK", 2, &e))
        return 1;
    return 0;
}

static size_t send_and_crash(const struct store_fixture *f, int64_t entry, unsigned n, bool *ret_finished)
{
    int pipes[2], status;
    char said[2];
    assert_return_code(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        crash_at(n);
        _exit(send_one(f, entry, pipes[1]));
    }
    close(pipes[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    ssize_t count = read(pipes[0], said, sizeof said);
    close(pipes[0]);
    if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 9))
        fail_msg("operation %u: status %x", n, (unsigned)status);
    *ret_finished = WEXITSTATUS(status) == 0;
    return (size_t)count;
}

static void a_crash_at_any_moment_sends_nothing_twice(void **state)
{
    struct store_fixture *f = *state;
    bool finished = false;
    unsigned n = 1, went_out = 0;
    for (; !finished; n++) {
        struct err e;
        struct ledger *l = open_ledger(f);
        int64_t entry = add(l, 42);
        ledger_close(&l);
        size_t sent = send_and_crash(f, entry, n, &finished);
        bool ignored;
        size_t sent_again = send_and_crash(f, entry, 1000000, &ignored);
        assert_in_range(sent + sent_again, 0, 1);
        went_out += sent > 0;
        l = open_ledger(f);
        if (finished)
            assert_int_equal(outcome_of(l, entry), RELAY_ACCEPTED);
        ledger_close(&l);
        assert_return_code(fs_remove_at(f->fd, "state/reports", &e), 0);
    }
    assert_in_range(n, 5, 1000);
    assert_in_range(went_out, 2, n); /* crashes after it went out are among them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(what_is_about_to_be_sent_may_have_arrived),
        store_test(nothing_goes_out_at_or_below_the_last),
        store_test(what_may_have_arrived_goes_out_again_only_where_somebody_says_so),
        store_test(what_did_not_arrive_may_be_tried_again),
        store_test(of_two_airlocks_one_sends_it),
        store_test(what_the_device_overtook_counts_as_nothing_sent),
        store_test(every_try_stays_on_record),
        store_test(a_crash_at_any_moment_sends_nothing_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
