/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"
#include "usb-tools/device/outbox.h"
#include "usb-tools/device/refusals.h"

static struct refusal *add(struct refusals *r, const char *lockbox, const char *message)
{
    struct refusal *next = &r->list[r->count++];
    next->version = 3;
    next->id = ERR_BUNDLE_SIGNER;
    strcpy(next->lockbox, lockbox);
    strcpy(next->message, message);
    return next;
}

/* The number of reports that the device then has. */
static int64_t keep(struct store_fixture *f, const struct refusals *r, struct outbox *ret)
{
    static const struct facts facts;
    struct err e;
    put_file(f, "etc/hostname", "pump-7\n");
    assert_return_code(refusals_keep(r, f->fd, f->fd, &facts, true, 1795000000, &e), 0);
    assert_return_code(outbox_open(f->fd, f->fd, &facts.memory, ret, &e), 0);
    return ret->last;
}

static void what_was_refused_becomes_a_report(void **state)
{
    AUTO(outbox) struct outbox box = {0};
    struct refusals r = {0};
    add(&r, "line", "signed by nobody");
    assert_int_equal(keep(*state, &r, &box), 1);
    assert_int_equal(box.newest.outcome, OUTCOME_REFUSED);
    assert_int_equal(box.newest.source, SOURCE_HELPER);
    assert_string_equal(box.newest.lockbox, "line");
    assert_string_equal(box.newest.error, "bundle-signer");
    assert_string_equal(box.newest.message, "signed by nobody");
    assert_true(box.newest.signers_checked);
}

static void without_a_refusal_nothing_is_made(void **state)
{
    static const struct facts facts;
    const struct refusals none = {0};
    struct store_fixture *f = *state;
    struct err e;
    assert_return_code(refusals_keep(&none, f->fd, f->fd, &facts, true, 0, &e), 0);
    assert_false(there_is(f, OUTBOX_KEY));
}

/* Whoever broke into the process that reads the stick can have written anything there. */
static void what_the_sandbox_spoilt_is_left_out(void **state)
{
    AUTO(outbox) struct outbox box = {0};
    struct refusals r = {0};
    memset(add(&r, "line", "")->lockbox, 'x', sizeof r.list->lockbox);
    memset(add(&r, "line", "")->message, 'x', sizeof r.list->message);
    add(&r, "../../etc/passwd", "");
    add(&r, "", "");
    add(&r, "line", "\xff");
    add(&r, "line", "")->version = 0;
    add(&r, "line", "")->version = INT64_MAX;
    add(&r, "line", "")->id = ERR_NONE;
    add(&r, "line", "")->id = ERR_COUNT;
    add(&r, "line", "")->id = (enum err_id) - 1;
    add(&r, "press", "the only good one");
    r.count = SIZE_MAX;
    assert_int_equal(keep(*state, &r, &box), 1);
    assert_string_equal(box.newest.lockbox, "press");
}

static void the_same_refusal_is_told_once_whatever_came_between(void **state)
{
    AUTO(outbox) struct outbox box = {0}, again = {0};
    struct refusals r = {0};
    add(&r, "line", "signed by nobody");
    add(&r, "press", "signed by nobody");
    add(&r, "line", "in other words");
    assert_int_equal(keep(*state, &r, &box), 2);
    assert_int_equal(keep(*state, &r, &again), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(what_was_refused_becomes_a_report),
        store_test(without_a_refusal_nothing_is_made),
        store_test(what_the_sandbox_spoilt_is_left_out),
        store_test(the_same_refusal_is_told_once_whatever_came_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
