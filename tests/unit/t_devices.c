/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud_account.h"

#include "cloud/device_credentials.h"
#include "cloud/devices.h"

#define TEST(f) cmocka_unit_test_setup_teardown(f, account_begin, account_end)

static const struct cloud_device *named(const struct cloud_devices *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (!strcmp(all->list[i].name, name))
            return &all->list[i];
    fail_msg("no device '%s'", name);
    return NULL;
}

static void devices_are_listed_with_the_serial_of_their_primary(void **state)
{
    struct account *a = *state;
    AUTO(cloud_devices) struct cloud_devices all = {0};
    struct err e = {0};
    if (cloud_list_devices(a->cloud, &all, &e))
        fail_msg("%s", e.message);
    assert_int_equal(all.count, 3);
    assert_non_null(named(&all, "Pump 7 west")->last_seen);
    assert_null(named(&all, "Press line 2")->last_seen);
    AUTO_FREE char *serial = NULL;
    assert_return_code(cloud_device_serial(a->cloud, named(&all, "Pump 7 west")->uuid, &serial, &e), 0);
    assert_int_equal(strlen(serial), 64);
    char *none = serial;
    assert_return_code(cloud_device_serial(a->cloud, named(&all, "Press line 2")->uuid, &none, &e), 0);
    assert_null(none);
}

static void devices_can_be_asked_for_by_hardware_and_by_fleet(void **state)
{
    struct account *a = *state;
    AUTO(cloud_devices) struct cloud_devices pumps = {0};
    AUTO(cloud_devices) struct cloud_devices hall = {0};
    AUTO(cloud_devices) struct cloud_devices none = {0};
    AUTO(cloud_fleets) struct cloud_fleets fleets = {0};
    char *ids[] = {"pump-controller-mcu", "a&limit=0"};
    struct err e = {0};
    if (cloud_list_devices_with(a->cloud, &(struct cloud_names){.names = ids, .count = 2}, &pumps, &e) ||
        cloud_list_devices_with(a->cloud, &(struct cloud_names){.names = ids + 1, .count = 1}, &none, &e) ||
        cloud_list_fleets(a->cloud, &fleets, &e) || fleets.count != 1 ||
        cloud_list_fleet_devices(a->cloud, fleets.list[0].id, &hall, &e))
        fail_msg("%s", e.message);
    assert_int_equal(pumps.count, 2);
    assert_int_equal(none.count, 0);
    assert_string_equal(fleets.list[0].name, "hall-3");
    assert_int_equal(hall.count, 2);
    assert_non_null(named(&hall, "Pump 7 east"));
}

static void components_say_what_each_ecu_runs(void **state)
{
    struct account *a = *state;
    AUTO(cloud_devices) struct cloud_devices all = {0};
    AUTO(cloud_components) struct cloud_components parts = {0};
    struct err e = {0};
    if (cloud_list_devices(a->cloud, &all, &e) ||
        cloud_list_components(a->cloud, named(&all, "Pump 7 west")->uuid, &parts, &e))
        fail_msg("%s", e.message);
    assert_int_equal(parts.count, 2);
    assert_true(parts.list[0].is_primary && !parts.list[1].is_primary);
    assert_string_equal(parts.list[1].hardware_id, "pump-controller-mcu");
    assert_true(parts.list[0].has_sha256 && parts.list[1].has_sha256);
    assert_memory_not_equal(parts.list[0].sha256, parts.list[1].sha256, HASH_SIZE);
}

static void notes_come_back_as_they_were_put(void **state)
{
    struct account *a = *state;
    AUTO(cloud_devices) struct cloud_devices all = {0};
    AUTO(cloud_notes) struct cloud_notes before = {0};
    AUTO(cloud_notes) struct cloud_notes after = {0};
    struct err e = {0};
    assert_return_code(cloud_list_devices(a->cloud, &all, &e), 0);
    const char *uuid = named(&all, "Pump 7 east")->uuid;
    assert_return_code(cloud_get_notes(a->cloud, uuid, &before, &e), 0);
    assert_string_equal(before.text, "Spare part in cabinet B.\n");
    free(before.text);
    before.text = mem_strdup("a \"quote\", a \\, a tab\t, J\xc3\xb6rg,\r\n| a table |\x7f");
    if (cloud_put_notes(a->cloud, uuid, &before, &e) || cloud_get_notes(a->cloud, uuid, &after, &e))
        fail_msg("%s", e.message);
    assert_string_equal(after.text, before.text);
    assert_int_equal(after.bare, before.bare);
}

static void a_device_that_is_not_there_is_an_error(void **state)
{
    struct account *a = *state;
    AUTO(cloud_notes) struct cloud_notes notes = {0};
    char *serial = NULL;
    struct err e = {0};
    assert_int_equal(cloud_get_notes(a->cloud, "00000000-0000-0000-0000-000000000000", &notes, &e), -1);
    assert_int_equal(e.http_status, 404);
    assert_int_equal(cloud_device_serial(a->cloud, "00000000-0000-0000-0000-000000000000", &serial, &e), -1);
    assert_null(serial);
}

static void a_device_is_made_once_and_told_about(void **state)
{
    struct account *a = *state;
    AUTO(cloud_device) struct cloud_device made = {0};
    AUTO(device_credentials) struct device_credentials credentials = {0};
    struct buf zip = {0}, none = {0};
    struct err e = {0};
    size_t open = 99;
    if (cloud_create_device(a->cloud, "a \"serial\"", "J\xc3\xb6rg's pump", &zip, &e) ||
        device_credentials_read(zip.data, zip.len, &credentials, &e) ||
        cloud_get_device(a->cloud, credentials.uuid, &made, &e) ||
        cloud_count_assignments(a->cloud, credentials.uuid, &open, &e))
        fail_msg("%s", e.message);
    assert_string_equal(made.uuid, credentials.uuid);
    assert_string_equal(made.id, "a \"serial\"");
    assert_string_equal(made.name, "J\xc3\xb6rg's pump");
    assert_null(made.last_seen);
    assert_int_equal(open, 0);
    assert_int_equal(cloud_create_device(a->cloud, "a \"serial\"", NULL, &none, &e), -1);
    assert_int_equal(e.http_status, 409);
    buf_wipe(&zip);
    buf_free(&none);
}

static void open_assignments_are_counted(void **state)
{
    struct account *a = *state;
    AUTO(cloud_devices) struct cloud_devices all = {0};
    struct err e = {0};
    size_t open = 0;
    assert_return_code(cloud_list_devices(a->cloud, &all, &e), 0);
    const char *uuid = named(&all, "Pump 7 east")->uuid;
    rehearsal_tell("device set %s --assignment '[{\"correlationId\": \"urn:x\", \"targets\": {}, "
                   "\"inFlight\": true}, {}]'",
                   uuid);
    assert_return_code(cloud_count_assignments(a->cloud, uuid, &open, &e), 0);
    assert_int_equal(open, 2);
    rehearsal_tell("device set %s --assignment '{}'", uuid);
    assert_int_equal(cloud_count_assignments(a->cloud, uuid, &open, &e), -1);
    assert_int_equal(e.id, ERR_BAD_ANSWER);
    rehearsal_tell("device set %s --assignment '[]'", uuid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(devices_are_listed_with_the_serial_of_their_primary),
        TEST(devices_can_be_asked_for_by_hardware_and_by_fleet),
        TEST(components_say_what_each_ecu_runs),
        TEST(notes_come_back_as_they_were_put),
        TEST(a_device_that_is_not_there_is_an_error),
        TEST(a_device_is_made_once_and_told_about),
        TEST(open_assignments_are_counted),
    };
    return cmocka_run_group_tests(tests, account_start, account_stop);
}
