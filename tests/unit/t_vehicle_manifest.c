/* SPDX-License-Identifier: Apache-2.0
 *
 * Manifests and keys that tests/client/make_manifests.py made and signed. CTest makes them first, and names
 * the folder in AIRLOCK_MANIFESTS.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "report/vehicle_manifest.h"

struct fixture {
    int fd;
    struct ecu_keys keys; /* all */
    char *names[8];
};

static int set_up(void **state)
{
    struct fixture *f = mem_zeroed(1, sizeof *f);
    AUTO(buf) struct buf text = {0};
    struct err e;
    if (fs_open_dir(getenv("AIRLOCK_MANIFESTS"), &f->fd, &e) ||
        fs_read_at(f->fd, "keys", 1u << 20, &text, &e))
        return -1;
    char *rest = (char *)text.data;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        struct ecu_key key = {0};
        char *name = strsep(&line, " "), *serial = strsep(&line, " "), *type = strsep(&line, " ");
        for (char *c = line; *c; c++)
            if (*c == '|')
                *c = '\n';
        if (ecu_key_make(serial, type, line, &key, &e))
            return -1;
        f->names[f->keys.count] = mem_strdup(name);
        ecu_keys_add(&f->keys, &key);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < f->keys.count; i++)
        free(f->names[i]);
    ecu_keys_free(&f->keys);
    close(f->fd);
    free(f);
    return 0;
}

static const struct ecu_key *key_of(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->keys.count; i++)
        if (!strcmp(f->names[i], name))
            return &f->keys.list[i];
    fail_msg("no key '%s'", name);
    return NULL;
}

static void load(const struct fixture *f, const char *name, struct buf *ret)
{
    struct err e;
    AUTO_FREE char *file = mem_format("%s.json", name);
    assert_return_code(fs_read_at(f->fd, file, 1u << 20, ret, &e), 0);
}

static void read_with(const struct fixture *f, const char *name, const struct ecu_keys *keys,
                      struct vehicle_manifest *ret)
{
    AUTO(buf) struct buf bytes = {0};
    struct err e = {0};
    load(f, name, &bytes);
    if (vehicle_manifest_read(bytes.data, bytes.len, keys, ret, &e))
        fail_msg("%s: %s", name, e.message);
}

static void assert_trust(const struct fixture *f, const char *name, const struct ecu_keys *keys,
                         enum manifest_trust expected)
{
    AUTO(vehicle_manifest) struct vehicle_manifest m = {0};
    read_with(f, name, keys, &m);
    assert_string_equal(manifest_trust_text(m.trust), manifest_trust_text(expected));
}

static const struct manifest_ecu *ecu_of(const struct fixture *f, const struct vehicle_manifest *m,
                                         const char *name)
{
    for (size_t i = 0; i < m->ecu_count; i++)
        if (!strcmp(m->ecus[i].serial, key_of(f, name)->serial))
            return &m->ecus[i];
    fail_msg("no ECU '%s'", name);
    return NULL;
}

static void the_key_id_is_the_serial_of_a_stock_ecu(void **state)
{
    const struct fixture *f = *state;
    assert_true(ecu_key_is_own(key_of(f, "pump")));
    assert_true(ecu_key_is_own(key_of(f, "press")));
    assert_false(ecu_key_is_own(key_of(f, "named")));
}

static void the_letter_case_of_a_key_and_line_feeds_at_its_end_do_not_count(void **state)
{
    const struct fixture *f = *state;
    const struct ecu_key *ed = key_of(f, "pump"), *rsa = key_of(f, "press");
    AUTO(ecu_key) struct ecu_key lower = {0};
    AUTO(ecu_key) struct ecu_key longer = {0};
    AUTO_FREE char *small = mem_strdup(ed->value);
    AUTO_FREE char *more = mem_format("%s\n\n", rsa->value);
    struct err e;
    for (char *c = small; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'F' ? *c + 32 : *c);
    assert_return_code(ecu_key_make("x", "ed25519", small, &lower, &e), 0);
    assert_return_code(ecu_key_make("x", "RSA", more, &longer, &e), 0);
    assert_string_equal(lower.id, ed->id);
    assert_string_equal(longer.id, rsa->id);
}

static void a_manifest_is_verified_with_ed25519_and_with_rsa(void **state)
{
    const struct fixture *f = *state;
    static const char *const good[] = {"ed25519", "rsa",  "spaced", "named", "pending",
                                       "silent",  "text", "custom", "two",   "renamed"};
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_trust(f, good[i], &f->keys, MANIFEST_VERIFIED);
}

static void what_it_says_is_read(void **state)
{
    const struct fixture *f = *state;
    AUTO(vehicle_manifest) struct vehicle_manifest m = {0};
    read_with(f, "ed25519", &f->keys, &m);
    assert_string_equal(m.serial, key_of(f, "pump")->serial);
    assert_int_equal(m.counter, 42);
    assert_string_equal(m.correlation, "urn:tdx-ota:lockbox:pump-7:1:0123456789ab");
    assert_int_equal(m.result.outcome, MANIFEST_INSTALLED);
    assert_string_equal(m.result.code, "OK");
    assert_int_equal(m.ecu_count, 2);
    const struct manifest_ecu *mcu = ecu_of(f, &m, "mcu");
    assert_int_equal(mcu->trust, MANIFEST_VERIFIED);
    assert_int_equal(mcu->result.outcome, MANIFEST_INSTALLED);
    assert_string_equal(mcu->image, "image-1");
}

static void a_failure_has_a_code_and_a_text(void **state)
{
    const struct fixture *f = *state;
    AUTO(vehicle_manifest) struct vehicle_manifest m = {0};
    read_with(f, "rsa", &f->keys, &m);
    assert_int_equal(m.result.outcome, MANIFEST_FAILED);
    assert_string_equal(m.result.code, "INSTALL_FAILED");
    assert_string_equal(m.result.description, "no room");
    assert_int_equal(ecu_of(f, &m, "rsa-mcu")->result.outcome, MANIFEST_FAILED);
}

static void waiting_for_a_reboot_is_neither_success_nor_failure(void **state)
{
    const struct fixture *f = *state;
    AUTO(vehicle_manifest) struct vehicle_manifest pending = {0};
    AUTO(vehicle_manifest) struct vehicle_manifest silent = {0};
    read_with(f, "pending", &f->keys, &pending);
    read_with(f, "silent", &f->keys, &silent);
    assert_int_equal(pending.result.outcome, MANIFEST_PENDING);
    assert_int_equal(silent.result.outcome, MANIFEST_SILENT);
    assert_null(silent.correlation);
}

static void without_its_key_it_is_unverified(void **state)
{
    const struct ecu_keys none = {0};
    assert_trust(*state, "ed25519", &none, MANIFEST_UNVERIFIED);
    assert_trust(*state, "forged", &none, MANIFEST_UNVERIFIED);
    assert_trust(*state, "named", &none, MANIFEST_UNKNOWN_KEY);
    assert_trust(*state, "foreign", &none, MANIFEST_UNKNOWN_KEY);
}

static void signed_by_another_key_is_said_so(void **state)
{
    const struct fixture *f = *state;
    assert_trust(f, "foreign", &f->keys, MANIFEST_UNKNOWN_KEY);
}

static void what_was_changed_after_it_was_signed_does_not_match(void **state)
{
    const struct fixture *f = *state;
    assert_trust(f, "forged", &f->keys, MANIFEST_FORGED);
}

static void each_ecu_signs_for_itself(void **state)
{
    const struct fixture *f = *state;
    AUTO(vehicle_manifest) struct vehicle_manifest m = {0};
    read_with(f, "forged-ecu", &f->keys, &m);
    assert_int_equal(m.trust, MANIFEST_VERIFIED);
    assert_int_equal(ecu_of(f, &m, "pump")->trust, MANIFEST_VERIFIED);
    assert_int_equal(ecu_of(f, &m, "mcu")->trust, MANIFEST_FORGED);
}

struct sweep {
    const struct fixture *f;
    size_t count;
};

static int expect_bad(void *ctx, const char *name, struct err *e)
{
    struct sweep *sweep = ctx;
    AUTO(buf) struct buf bytes = {0};
    AUTO(vehicle_manifest) struct vehicle_manifest m = {0};
    if (strncmp(name, "bad-", 4) != 0)
        return 0;
    sweep->count++;
    assert_return_code(fs_read_at(sweep->f->fd, name, 1u << 20, &bytes, e), 0);
    if (vehicle_manifest_read(bytes.data, bytes.len, &sweep->f->keys, &m, e) == 0)
        fail_msg("%s was read", name);
    if (e->id != ERR_BAD_VEHICLE_MANIFEST)
        fail_msg("%s: %s: %s", name, err_name(e->id), e->message);
    return 0;
}

static void what_has_another_form_is_refused(void **state)
{
    struct sweep sweep = {.f = *state};
    struct err e;
    assert_return_code(fs_each(sweep.f->fd, expect_bad, &sweep, &e), 0);
    assert_in_range(sweep.count, 40, 100);
}

static void one_flipped_bit_anywhere_is_never_verified(void **state)
{
    const struct fixture *f = *state;
    AUTO(buf) struct buf bytes = {0};
    struct err e;
    load(f, "ed25519", &bytes);
    const char *what = strstr(buf_text(&bytes), "\"signed\"");
    assert_non_null(what);
    for (size_t at = (size_t)(what - buf_text(&bytes)) + 8; at < bytes.len; at++) {
        AUTO(vehicle_manifest) struct vehicle_manifest m = {0};
        bytes.data[at] ^= 1;
        if (vehicle_manifest_read(bytes.data, bytes.len, &f->keys, &m, &e) == 0 &&
            m.trust == MANIFEST_VERIFIED)
            fail_msg("byte %zu", at);
        bytes.data[at] ^= 1;
    }
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(the_key_id_is_the_serial_of_a_stock_ecu),
        test(the_letter_case_of_a_key_and_line_feeds_at_its_end_do_not_count),
        test(a_manifest_is_verified_with_ed25519_and_with_rsa),
        test(what_it_says_is_read),
        test(a_failure_has_a_code_and_a_text),
        test(waiting_for_a_reboot_is_neither_success_nor_failure),
        test(without_its_key_it_is_unverified),
        test(signed_by_another_key_is_said_so),
        test(what_was_changed_after_it_was_signed_does_not_match),
        test(each_ecu_signs_for_itself),
        test(what_has_another_form_is_refused),
        test(one_flipped_bit_anywhere_is_never_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
