/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

#include "base/mem.h"
#include "cloud/credentials.h"
#include "cloud/zip_entries.h"

#define LOGIN "{\"server\": \"https://kc/realm/\", \"client_id\": \"me\", \"client_secret\": \"pass\"}"
#define TREEHUB "{\"ostree\": {\"server\": \"https://treehub/api/v3/\"}, \"oauth2\": " LOGIN "}"

struct entry {
    const char *name, *content;
};

static char path[] = "/tmp/airlock-test-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return remove(path);
}

static void write_archive(const struct entry *entries, size_t n)
{
    struct archive *a = archive_write_new();
    archive_write_set_format_zip(a);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++) {
        struct archive_entry *entry = archive_entry_new();
        size_t len = strlen(entries[i].content);
        archive_entry_set_pathname(entry, entries[i].name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_size(entry, (la_int64_t)len);
        assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, entries[i].content, len), len);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

static void expect_refusal(const char *reason)
{
    struct credentials c;
    struct err e = {0};
    assert_int_equal(credentials_read(path, &c, &e), -1);
    assert_string_equal(err_name(e.id), "bad-credentials");
    if (!strstr(e.message, reason))
        fail_msg("'%s' does not say '%s'", e.message, reason);
}

static void expect_treehub_refusal(const char *treehub, const char *reason)
{
    const struct entry entries[] = {{"treehub.json", treehub}, {"tufrepo.url", "https://repo"}};
    write_archive(entries, COUNT_OF(entries));
    expect_refusal(reason);
}

static void everything_that_a_login_needs_is_read(void **state)
{
    (void)state;
    const struct entry entries[] = {
        {"treehub.json", TREEHUB},  {"tufrepo.url", " https://api/repo/\n"},
        {"root.json", "image"},     {"director.root.json", "director"},
        {"targets.sec", "private"},
    };
    AUTO(credentials) struct credentials c = {0};
    struct err e;
    write_archive(entries, COUNT_OF(entries));
    if (credentials_read(path, &c, &e))
        fail_msg("%s", e.message);
    assert_string_equal(c.client_id, "me");
    assert_string_equal(c.client_secret, "pass");
    assert_null(c.scope);
    assert_false(c.no_auth);
    assert_string_equal(buf_text(&c.image_root), "image");
    assert_string_equal(buf_text(&c.director_root), "director");

    struct cloud_endpoints none = {0};
    assert_int_equal(cloud_endpoints_settle(&c.endpoints, &none, &e), 0);
    assert_string_equal(c.endpoints.token, "https://kc/realm/token");
    assert_string_equal(c.endpoints.repo, "https://api/repo");
    assert_string_equal(c.endpoints.director, "https://api/director");
    assert_string_equal(c.endpoints.ostree, "https://treehub/api/v3");
    assert_string_equal(c.endpoints.api, CLOUD_API_DEFAULT);
    assert_string_equal(c.endpoints.api_token, CLOUD_TOKEN_DEFAULT);
}

static void a_token_address_that_is_complete_stays_as_it_is(void **state)
{
    (void)state;
    const struct entry entries[] = {
        {"treehub.json", "{\"oauth2\": {\"server\": \"https://kc/realm/token\", \"client_id\": \"me\", "
                         "\"client_secret\": \"pass\", \"scope\": \"mine\"}}"},
        {"tufrepo.url", "https://api/repo"},
    };
    AUTO(credentials) struct credentials c = {0};
    struct err e;
    write_archive(entries, COUNT_OF(entries));
    assert_int_equal(credentials_read(path, &c, &e), 0);
    assert_string_equal(c.endpoints.token, "https://kc/realm/token");
    assert_string_equal(c.scope, "mine");
    assert_null(c.endpoints.ostree);
    assert_null(c.director_root.data);
}

static void a_server_without_login_needs_no_client(void **state)
{
    (void)state;
    const struct entry entries[] = {{"treehub.json", "{\"no_auth\": true}"}, {"tufrepo.url", "http://repo"}};
    AUTO(credentials) struct credentials c = {0};
    struct err e;
    write_archive(entries, COUNT_OF(entries));
    assert_int_equal(credentials_read(path, &c, &e), 0);
    assert_true(c.no_auth);
    assert_null(c.client_id);
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    const struct entry no_treehub[] = {{"tufrepo.url", "https://repo"}};
    const struct entry no_repo[] = {{"treehub.json", TREEHUB}};
    write_archive(no_treehub, 1);
    expect_refusal("treehub.json");
    write_archive(no_repo, 1);
    expect_refusal("tufrepo.url");
    expect_treehub_refusal("{}", "oauth2");
    expect_treehub_refusal("{\"oauth2\": {\"client_id\": \"a\", \"client_secret\": \"b\"}}", "oauth2.server");
    expect_treehub_refusal("{\"oauth2\": {\"server\": \"a\", \"client_secret\": \"b\"}}", "oauth2.client_id");
    expect_treehub_refusal("{\"oauth2\": {\"server\": \"a\", \"client_id\": \"b\"}}", "oauth2.client_secret");
    expect_treehub_refusal("not JSON", "treehub.json");
}

static void a_file_that_is_no_archive_is_refused(void **state)
{
    (void)state;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("this is not a ZIP archive, whatever its name says", f);
    assert_int_equal(fclose(f), 0);
    expect_refusal("ZIP");
}

static void archives_out_of_proportion_are_refused(void **state)
{
    (void)state;
    AUTO_FREE char *large = mem_zeroed(ZIP_ENTRY_MAX + 2, 1);
    memset(large, ' ', ZIP_ENTRY_MAX + 1);
    const struct entry too_large[] = {{"treehub.json", TREEHUB}, {"root.json", large}};
    const struct entry twice[] = {{"treehub.json", TREEHUB}, {"treehub.json", TREEHUB}};
    struct entry many[ZIP_ENTRIES_MAX + 1];
    write_archive(too_large, COUNT_OF(too_large));
    expect_refusal("larger");
    write_archive(twice, COUNT_OF(twice));
    expect_refusal("twice");
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = (struct entry){"x", ""};
    write_archive(many, COUNT_OF(many));
    expect_refusal("entries");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_that_a_login_needs_is_read),
        cmocka_unit_test(a_token_address_that_is_complete_stays_as_it_is),
        cmocka_unit_test(a_server_without_login_needs_no_client),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(a_file_that_is_no_archive_is_refused),
        cmocka_unit_test(archives_out_of_proportion_are_refused),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
