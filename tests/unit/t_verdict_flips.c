/* SPDX-License-Identifier: Apache-2.0
 *
 * Properties of verdicts: no bit inside `signed`, and none in a signature that the threshold needs, can be
 * flipped without being noticed; and what is asked twice is answered alike.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "verdict_box.h"

/* The root that the device holds already: of its copy on the stick it reads nothing. */
#define TRUSTED "1.root.json"

/* Does anybody take the lockbox, although something is wrong with this file? */
static bool accepted(const struct box *box, const struct verdict_file *file)
{
    AUTO(verdict) struct verdict v = {0};
    struct err e;
    assert_int_equal(verdict_decide(&box->in, &v, &e), 0);
    return v.valid || (v.outcome == VERDICT_INSTALL && !strstr(file->path, TRUSTED));
}

/* Flips bit `bit` of one byte, asks, and flips it back. */
static void flip_is_noticed(const struct box *box, struct verdict_file *file, size_t at, unsigned bit)
{
    uint8_t *byte = (uint8_t *)file->bytes + at;
    *byte ^= (uint8_t)(1u << bit);
    bool taken = accepted(box, file);
    *byte ^= (uint8_t)(1u << bit);
    if (taken)
        fail_msg("%s: bit %u of byte %zu was flipped and nobody noticed", file->path, bit, at);
}

/* One bit of every byte of the value; which one moves on with the byte, so that all eight are tried. */
static void flips_are_noticed(const struct box *box, struct verdict_file *file, struct json_value v)
{
    size_t len;
    size_t start = (size_t)(json_raw(v, &len) - file->bytes);
    for (size_t i = 0; i < len; i++)
        flip_is_noticed(box, file, start + i, (unsigned)(i * 5 % 8));
}

static void flip_everything(const char *name)
{
    AUTO(box) struct box box;
    struct err e;
    box_load(&box, name, true);
    box_set_hardware(&box, "");
    for (size_t i = 0; i < box.file_count; i++) {
        struct verdict_file *file = &box.files[i];
        AUTO(json) struct json doc = {0};
        struct json_value body, signatures, sig;
        assert_int_equal(json_parse(&doc, file->bytes, file->len, &json_role_limits, &e), 0);
        assert_true(json_get(json_root(&doc), "signed", &body));
        flips_are_noticed(&box, file, body);
        if (strstr(file->path, TRUSTED))
            continue; /* its signature is not needed */
        assert_true(json_get(json_root(&doc), "signatures", &signatures));
        for (size_t j = 0; j < json_count(signatures); j++) {
            assert_true(json_get(json_at(signatures, j), "sig", &sig));
            flips_are_noticed(&box, file, sig);
        }
    }
}

static void a_flipped_bit_is_noticed_under_ed25519(void **state)
{
    (void)state;
    flip_everything("good-rotated-small");
}

static void a_flipped_bit_is_noticed_when_two_keys_must_sign(void **state)
{
    (void)state;
    flip_everything("good-two-of-two");
}

static void a_cut_file_is_noticed_wherever_it_is_cut(void **state)
{
    (void)state;
    AUTO(box) struct box box;
    box_load(&box, "good-ed25519", true);
    box_set_hardware(&box, "");
    for (size_t i = 0; i < box.file_count; i++) {
        struct verdict_file *file = &box.files[i];
        size_t whole = file->len;
        for (file->len = 0; file->len < whole; file->len += 7)
            if (accepted(&box, file))
                fail_msg("%s was cut to %zu of %zu bytes and nobody noticed", file->path, file->len, whole);
    }
}

/* A verdict is a pure function: nothing of one is left for the next. */
static void the_same_question_gets_the_same_answer(void **state)
{
    (void)state;
    AUTO(box) struct box box;
    AUTO(verdict) struct verdict first = {0};
    AUTO(verdict) struct verdict second = {0};
    struct err e;
    box_load(&box, "good-ed25519", true);
    box_set_hardware(&box, "board");
    assert_int_equal(verdict_decide(&box.in, &first, &e), 0);
    assert_int_equal(verdict_decide(&box.in, &second, &e), 0);
    assert_int_equal(first.outcome, second.outcome);
    assert_int_equal(first.valid_until, second.valid_until);
    assert_int_equal(first.role_count, second.role_count);
    assert_string_equal(first.correlation_id, second.correlation_id);
    assert_int_equal(first.target_count, 2);
    assert_true(first.targets[0].wanted);
    assert_false(first.targets[1].wanted);
    assert_string_equal(second.targets[0].package_name, "bootloader");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_bit_is_noticed_under_ed25519),
        cmocka_unit_test(a_flipped_bit_is_noticed_when_two_keys_must_sign),
        cmocka_unit_test(a_cut_file_is_noticed_wherever_it_is_cut),
        cmocka_unit_test(the_same_question_gets_the_same_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
