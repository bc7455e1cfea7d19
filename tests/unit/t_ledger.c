/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/crash_vfs.h"
#include "tests/unit/store_fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include "report/ledger.h"

#define LEDGER "state/reports/ledger.db"
#define AT 1795392000

static struct ledger *open_ledger(const struct store_fixture *f)
{
    struct ledger *l = NULL;
    struct err e = {0};
    if (ledger_open(f->store.state_fd, true, &l, &e))
        fail_msg("%s", e.message);
    return l;
}

static int64_t add(struct ledger *l, enum entry_kind kind, const char *serial, int64_t counter,
                   const char *bytes, const char *stick, bool expected_new)
{
    const struct ledger_entry entry = {
        .kind = kind, .serial = serial, .counter = counter, .bytes = bytes, .len = strlen(bytes)};
    const struct ledger_sighting seen = {stick, "update/update-logs.db", 1, "pump", AT};
    struct err e;
    int64_t id;
    bool is_new;
    assert_return_code(ledger_add(l, &entry, &seen, &id, &is_new, &e), 0);
    assert_int_equal(is_new, expected_new);
    return id;
}

struct listing {
    struct buf text;
    size_t count;
};

static int list_entry(void *ctx, const struct ledger_entry *entry, struct err *e)
{
    struct listing *list = ctx;
    (void)e;
    list->count++;
    buf_addf(&list->text, "%lld %d %s %lld %.*s|", (long long)entry->id, (int)entry->kind, entry->serial,
             (long long)entry->counter, (int)entry->len, (const char *)entry->bytes);
    return 0;
}

static int list_sighting(void *ctx, const struct ledger_sighting *seen, struct err *e)
{
    struct listing *list = ctx;
    (void)e;
    list->count++;
    buf_addf(&list->text, "%s %s %lld %s|", seen->stick, seen->path, (long long)seen->row, seen->device);
    return 0;
}

static int list_line(void *ctx, int64_t time_us, const char *service, const char *message, struct err *e)
{
    struct listing *list = ctx;
    (void)e;
    list->count++;
    buf_addf(&list->text, "%lld %s %s|", (long long)time_us, service, message);
    return 0;
}

static void assert_entries(struct ledger *l, const char *expected)
{
    struct listing list = {0};
    struct err e;
    assert_return_code(ledger_each(l, list_entry, &list, &e), 0);
    assert_string_equal(buf_text(&list.text), expected);
    buf_free(&list.text);
}

static void nothing_is_made_by_looking(void **state)
{
    struct store_fixture *f = *state;
    struct ledger *l = NULL;
    struct err e;
    assert_int_equal(ledger_open(f->store.state_fd, false, &l, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_PATH);
    assert_int_equal(ledger_open(-1, false, &l, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_PATH);
    assert_false(there_is(f, "state/reports"));
}

static void the_same_bytes_are_kept_once_with_every_place_where_they_were(void **state)
{
    AUTO_LEDGER struct ledger *l = open_ledger(*state);
    struct listing list = {0};
    struct err e;
    int64_t first = add(l, ENTRY_MANIFEST, "a", 1, "one", "RED", true);
    assert_int_equal(add(l, ENTRY_MANIFEST, "a", 1, "one", "RED", false), first);
    assert_int_equal(add(l, ENTRY_MANIFEST, "a", 1, "one", "BLUE", false), first);
    add(l, ENTRY_MANIFEST, "a", 1, "other", "RED", true);
    add(l, ENTRY_MANIFEST, "b", 1, "one", "RED", true);
    add(l, ENTRY_NOTE, "a", 1, "one", "RED", true);
    assert_entries(l, "1 0 a 1 one|2 0 a 1 other|3 0 b 1 one|4 3 a 1 one|");
    assert_return_code(ledger_each_sighting(l, first, list_sighting, &list, &e), 0);
    assert_string_equal(buf_text(&list.text),
                        "BLUE update/update-logs.db 1 pump|RED update/update-logs.db 1 pump|");
    buf_free(&list.text);
}

static void bytes_come_back_as_they_were(void **state)
{
    AUTO_LEDGER struct ledger *l = open_ledger(*state);
    static const char bytes[] = "{\"a\": \"\xc3\xa4\\u0000\"}\r\n \x1b";
    add(l, ENTRY_MANIFEST, "a", -1, bytes, "RED", true);
    AUTO_FREE char *expected = mem_format("1 0 a -1 %s|", bytes);
    assert_entries(l, expected);
}

static void a_line_is_kept_once(void **state)
{
    AUTO_LEDGER struct ledger *l = open_ledger(*state);
    struct listing list = {0};
    struct err e;
    int64_t id = add(l, ENTRY_INSTALL, "", -1, "row", "RED", true);
    for (int i = 0; i < 2; i++) {
        assert_return_code(ledger_add_line(l, id, 20, "s", "second", &e), 0);
        assert_return_code(ledger_add_line(l, id, 10, "s", "first", &e), 0);
    }
    assert_return_code(ledger_each_line(l, id, list_line, &list, &e), 0);
    assert_string_equal(buf_text(&list.text), "10 s first|20 s second|");
    buf_free(&list.text);
}

static void an_install_is_completed_by_a_manifest_in_its_place(void **state)
{
    AUTO_LEDGER struct ledger *l = open_ledger(*state);
    struct err e;
    bool completed;
    int64_t id = add(l, ENTRY_INSTALL, "", -1, "row", "RED", true);
    add(l, ENTRY_MANIFEST, "a", 1, "one", "BLUE", true);
    assert_return_code(ledger_is_completed(l, id, &completed, &e), 0);
    assert_false(completed);
    add(l, ENTRY_MANIFEST, "a", 1, "one", "RED", false);
    assert_return_code(ledger_is_completed(l, id, &completed, &e), 0);
    assert_true(completed);
}

static void what_was_not_committed_is_not_there(void **state)
{
    struct err e;
    {
        AUTO_LEDGER struct ledger *l = open_ledger(*state);
        assert_return_code(ledger_begin(l, &e), 0);
        add(l, ENTRY_MANIFEST, "a", 1, "one", "RED", true);
        ledger_roll_back(l);
        assert_return_code(ledger_begin(l, &e), 0);
        add(l, ENTRY_MANIFEST, "a", 2, "two", "RED", true);
        assert_return_code(ledger_commit(l, &e), 0);
        assert_return_code(ledger_begin(l, &e), 0);
        add(l, ENTRY_MANIFEST, "a", 3, "three", "RED", true);
    }
    AUTO_LEDGER struct ledger *again = open_ledger(*state);
    assert_entries(again, "1 0 a 2 two|");
}

static void a_persons_name_for_a_key_stays(void **state)
{
    AUTO_LEDGER struct ledger *l = open_ledger(*state);
    AUTO(ecu_keys) struct ecu_keys keys = {0};
    AUTO(ecu_key) struct ecu_key key = {0};
    AUTO_FREE char *before = NULL;
    AUTO_FREE char *after = NULL;
    struct err e;
    assert_return_code(ecu_key_make("serial", "ED25519",
                                    "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8", &key,
                                    &e),
                       0);
    assert_return_code(ledger_add_key(l, &key, "", AT, &e), 0);
    assert_return_code(ledger_device_name(l, "serial", &before, &e), 0);
    assert_null(before);
    assert_return_code(ledger_add_key(l, &key, "pump-7", AT, &e), 0);
    assert_return_code(ledger_add_key(l, &key, "", AT, &e), 0);
    assert_return_code(ledger_device_name(l, "serial", &after, &e), 0);
    assert_string_equal(after, "pump-7");
    assert_return_code(ledger_load_keys(l, &keys, &e), 0);
    assert_int_equal(keys.count, 1);
    assert_string_equal(keys.list[0].id, key.id);
}

static void run(const struct store_fixture *f, const char *text)
{
    AUTO_FREE char *path = mem_format("%s/" LEDGER, f->folder);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void refuses(const struct store_fixture *f, enum err_id expected)
{
    struct ledger *l = NULL;
    struct err e;
    assert_int_equal(ledger_open(f->store.state_fd, true, &l, &e), -1);
    assert_string_equal(err_name(e.id), err_name(expected));
}

static void join_names(void *ctx, const char *uuid, const char *name, const char *id)
{
    buf_add_text(ctx, uuid);
    buf_add_text(ctx, name);
    buf_add_text(ctx, id ? id : "-");
}

static void put_fleet(struct ledger *l, const char *id, const char *name, const char *device)
{
    struct err e;
    const struct ledger_fleet fleet = {.id = (char *)id, .name = (char *)name, .at = 7};
    assert_return_code(ledger_begin(l, &e), 0);
    assert_return_code(ledger_put_fleet(l, "p", &fleet, &e), 0);
    assert_return_code(ledger_put_fleet_device(l, "p", id, device, " is ", NULL, &e), 0);
    assert_return_code(ledger_commit(l, &e), 0);
}

static void a_fleet_is_remembered_as_it_was_last(void **state)
{
    AUTO_LEDGER struct ledger *l = open_ledger(*state);
    AUTO(ledger_fleet) struct ledger_fleet by_name = {0};
    AUTO(ledger_fleet) struct ledger_fleet by_id = {0};
    AUTO(ledger_fleet) struct ledger_fleet none = {0};
    AUTO(buf) struct buf devices = {0};
    struct err e;
    put_fleet(l, "id-1", "hall", "u1");
    put_fleet(l, "id-1", "hall 3", "u2");
    put_fleet(l, "id-2", "hall 3", "u3"); /* the first was removed in the cloud, and another is called so */
    assert_return_code(ledger_find_fleet(l, "p", "hall 3", &by_name, &e), 0);
    assert_string_equal(by_name.id, "id-2");
    assert_int_equal(by_name.at, 7);
    assert_return_code(ledger_find_fleet(l, "p", "id-2", &by_id, &e), 0);
    assert_string_equal(by_id.name, "hall 3");
    assert_return_code(ledger_find_fleet(l, "another profile", "hall 3", &none, &e), 0);
    assert_null(none.id);
    assert_return_code(ledger_each_fleet_device(l, "p", "id-2", join_names, &devices, &e), 0);
    assert_string_equal(buf_text(&devices), "u3 is -");
}

static void a_newer_ledger_is_left_alone(void **state)
{
    struct ledger *l = open_ledger(*state);
    ledger_close(&l);
    run(*state, "PRAGMA user_version=1000");
    refuses(*state, ERR_LEDGER_VERSION);
}

static void a_damaged_ledger_is_named(void **state)
{
    struct err e;
    AUTO_FD int fd = -1;
    const struct store_fixture *f = *state;
    assert_return_code(fs_open_dir_at(f->fd, "state/reports", true, &fd, &e), 0);
    put_file(f, LEDGER,
             "this is no database, but it is longer than the header of one would be, so that SQLite "
             "looks at it");
    refuses(f, ERR_BAD_LEDGER);
}

/* ---- a crash at every point ---- */

#define ENTRIES 3

/* What a run of `collect` does, one stick after the other. Says which are done. */
static int collect(const struct store_fixture *f, int said)
{
    AUTO_LEDGER struct ledger *l = NULL;
    struct err e;
    if (ledger_open(f->store.state_fd, true, &l, &e))
        return 1;
    for (int64_t i = 0; i < ENTRIES; i++) {
        const struct ledger_entry entry = {
            .kind = ENTRY_MANIFEST, .serial = "a", .counter = i, .bytes = "bytes", .len = 5};
        const struct ledger_sighting seen = {"RED", "update-logs.db", i, "pump", AT};
        int64_t id;
        bool is_new;
        if (ledger_begin(l, &e) || ledger_add(l, &entry, &seen, &id, &is_new, &e) ||
            ledger_add_line(l, id, i, "s", "line", &e) || ledger_commit(l, &e) || write(said, "x", 1) != 1)
            return 1;
    }
    return 0;
}

/* How many of them had been said to be done; *ret_finished: it came to its end. */
static size_t collect_and_crash(const struct store_fixture *f, unsigned n, bool *ret_finished)
{
    int pipes[2], status;
    char said[ENTRIES + 1];
    assert_return_code(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        crash_at(n);
        _exit(collect(f, pipes[1]));
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

static int count_one(void *ctx, const struct ledger_entry *entry, struct err *e)
{
    struct listing *list = ctx;
    struct ledger *l = *(struct ledger **)list->text.data;
    struct listing places = {0}, lines = {0};
    list->count++;
    assert_return_code(ledger_each_sighting(l, entry->id, list_sighting, &places, e), 0);
    assert_return_code(ledger_each_line(l, entry->id, list_line, &lines, e), 0);
    assert_int_equal(places.count, 1);
    assert_int_equal(lines.count, 1);
    buf_free(&places.text);
    buf_free(&lines.text);
    return 0;
}

/* Each of them whole. */
static size_t count_entries(const struct store_fixture *f)
{
    AUTO_LEDGER struct ledger *l = open_ledger(f);
    struct listing list = {.text = {.data = (uint8_t *)&l}};
    struct err e;
    assert_return_code(ledger_each(l, count_one, &list, &e), 0);
    return list.count;
}

static void a_crash_at_any_moment_loses_nothing_and_doubles_nothing(void **state)
{
    struct store_fixture *f = *state;
    bool finished = false;
    unsigned n = 1;
    for (; !finished; n++) {
        struct err e;
        AUTO_FD int null = open("/dev/null", O_WRONLY);
        size_t said = collect_and_crash(f, n, &finished);
        size_t there = count_entries(f);
        assert_in_range(there, said, said + 1);
        assert_int_equal(collect(f, null), 0); /* the same again */
        assert_int_equal(count_entries(f), ENTRIES);
        assert_return_code(fs_remove_at(f->fd, "state/reports", &e), 0);
    }
    assert_in_range(n, 20, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(nothing_is_made_by_looking),
        store_test(the_same_bytes_are_kept_once_with_every_place_where_they_were),
        store_test(bytes_come_back_as_they_were),
        store_test(a_line_is_kept_once),
        store_test(an_install_is_completed_by_a_manifest_in_its_place),
        store_test(what_was_not_committed_is_not_there),
        store_test(a_persons_name_for_a_key_stays),
        store_test(a_fleet_is_remembered_as_it_was_last),
        store_test(a_newer_ledger_is_left_alone),
        store_test(a_damaged_ledger_is_named),
        store_test(a_crash_at_any_moment_loses_nothing_and_doubles_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
