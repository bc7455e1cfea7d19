/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store_fixture.h"

#include "store/signers.h"

static const uint8_t first[SIGN_PUBLIC_SIZE] = {1}, second[SIGN_PUBLIC_SIZE] = {2};

static void trust(const struct store_fixture *f, const char *name, const uint8_t *key, enum err_id expected)
{
    struct err e = {0};
    int rc = signers_trust(&f->store, name, key, &e);
    assert_int_equal(rc, expected ? -1 : 0);
    if (expected)
        assert_string_equal(err_name(e.id), err_name(expected));
}

static void nobody_is_known_at_first(void **state)
{
    struct store_fixture *f = *state;
    AUTO(signers) struct signers known = {0};
    struct err e;
    assert_return_code(signers_load(&f->store, &known, &e), 0);
    assert_int_equal(known.count, 0);
    assert_null(signers_find(&known, first));
    assert_null(signers_named(&known, "room"));
}

static void a_name_stands_for_one_key_and_a_key_for_one_name(void **state)
{
    struct store_fixture *f = *state;
    AUTO(signers) struct signers known = {0};
    struct err e;
    trust(f, "room", first, 0);
    trust(f, "room", first, 0);
    trust(f, "room", second, ERR_ALREADY_EXISTS);
    trust(f, "hall", first, ERR_ALREADY_EXISTS);
    trust(f, "hall", second, 0);
    assert_return_code(signers_load(&f->store, &known, &e), 0);
    assert_int_equal(known.count, 2);
    assert_string_equal(known.list[0].name, "hall");
    assert_string_equal(signers_find(&known, first)->name, "room");
    assert_memory_equal(signers_named(&known, "hall")->public_key, second, SIGN_PUBLIC_SIZE);
}

static void a_forgotten_key_is_unknown(void **state)
{
    struct store_fixture *f = *state;
    AUTO(signers) struct signers known = {0};
    struct err e = {0};
    trust(f, "room", first, 0);
    trust(f, "hall", second, 0);
    assert_return_code(signers_forget(&f->store, "hall", &e), 0);
    assert_int_equal(signers_forget(&f->store, "hall", &e), -1);
    assert_string_equal(err_name(e.id), "usage");
    assert_return_code(signers_load(&f->store, &known, &e), 0);
    assert_int_equal(known.count, 1);
    assert_null(signers_find(&known, second));
}

static void a_name_is_a_word(void **state)
{
    static const char *const wrong[] = {"", " ", "a b", "-a", "a/b", "a\n", "\xc3\xa4"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        trust(*state, wrong[i], first, ERR_USAGE);
    char longest[SIGNER_NAME_MAX + 2];
    memset(longest, 'x', sizeof longest - 1);
    longest[SIGNER_NAME_MAX + 1] = '\0';
    trust(*state, longest, first, ERR_USAGE);
    longest[SIGNER_NAME_MAX] = '\0';
    trust(*state, longest, first, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_is_known_at_first, store_set_up, store_tear_down),
        cmocka_unit_test_setup_teardown(a_name_stands_for_one_key_and_a_key_for_one_name, store_set_up,
                                        store_tear_down),
        cmocka_unit_test_setup_teardown(a_forgotten_key_is_unknown, store_set_up, store_tear_down),
        cmocka_unit_test_setup_teardown(a_name_is_a_word, store_set_up, store_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
