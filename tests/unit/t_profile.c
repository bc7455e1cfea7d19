/* SPDX-License-Identifier: Apache-2.0 */
#include "store/profile.h"
#include "store_fixture.h"

#include <sys/wait.h>
#include <unistd.h>

static void save(const struct store_fixture *f, const char *name, const char *url, const char *secret)
{
    struct err e;
    const struct profile p = {.name = (char *)(uintptr_t)name,
                              .repo_url = (char *)(uintptr_t)url,
                              .client_id = "client",
                              .client_secret = (char *)(uintptr_t)secret};
    assert_return_code(profile_save(&f->store, &p, &e), 0);
}

static int load_error(const struct store_fixture *f, const char *name)
{
    AUTO(profile) struct profile p = {0};
    struct err e = {0};
    assert_int_equal(profile_load(&f->store, name, &p, &e), -1);
    return (int)e.id;
}

static void a_profile_comes_back_with_its_secret_from_the_other_file(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(profile) struct profile p = {0};
    struct err e;
    struct stat st;
    save(f, "default", "https://localhost/repo", "hush");
    assert_return_code(profile_load(&f->store, "default", &p, &e), 0);
    assert_string_equal(p.repo_url, "https://localhost/repo");
    assert_string_equal(p.client_secret, "hush");
    assert_null(p.api_client_id);
    assert_file(f, "config/config", "[default]\nrepo-url = https://localhost/repo\n");
    assert_return_code(fstatat(f->fd, "config/secrets", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void saving_one_profile_keeps_the_others_and_what_a_person_wrote(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(profile) struct profile p = {0};
    struct err e;
    put_file(f, "config/config",
             "# by hand\n[first]\nrepo-url = https://one\n[second]\nrepo-url = https://x\n");
    save(f, "second", "https://two", "hush");
    assert_file(f, "config/config",
                "# by hand\n[first]\nrepo-url = https://one\n[second]\nrepo-url = https://two\n");
    assert_return_code(profile_load(&f->store, "first", &p, &e), 0);
    assert_string_equal(p.repo_url, "https://one");
    assert_null(p.client_secret);
}

static void an_unknown_profile_and_an_impossible_name_are_refused(void **state)
{
    static const char *const names[] = {"", "../x", "a b", "[x]", "a\nb"};
    assert_int_equal(load_error(*state, "default"), ERR_NO_PROFILE);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(load_error(*state, names[i]), ERR_BAD_CONFIG);
}

static void secrets_that_others_can_read_are_not_used(void **state)
{
    const struct store_fixture *f = *state;
    save(f, "default", "https://localhost", "hush");
    assert_return_code(fchmodat(f->fd, "config/secrets", 0640, 0), 0);
    assert_int_equal(load_error(f, "default"), ERR_BAD_CONFIG);
}

static void a_line_that_is_no_setting_is_named(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(profile) struct profile p = {0};
    struct err e;
    put_file(f, "config/config", "[default]\nrepo-url = x\nwhat is this\n");
    assert_int_equal(profile_load(&f->store, "default", &p, &e), -1);
    assert_int_equal(e.id, ERR_BAD_CONFIG);
    assert_non_null(strstr(e.message, "line 3 of 'config'"));
}

static void a_value_that_could_not_be_read_back_is_not_stored(void **state)
{
    static const char *const values[] = {"a\nclient-secret = forged", "a;b", "a\rb"};
    const struct store_fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct err e;
        const struct profile p = {.name = "default", .repo_url = (char *)(uintptr_t)values[i]};
        assert_int_equal(profile_save(&f->store, &p, &e), -1);
        assert_int_equal(e.id, ERR_BAD_CONFIG);
        assert_non_null(strstr(e.message, "repo-url"));
    }
    assert_false(there_is(f, "config/config"));
}

#define WRITERS 4

/* Another process that logs in: it has the configuration folder open on its own. */
static void log_in_often(const struct store_fixture *f, const char *name)
{
    struct err e;
    struct store_fixture mine = *f;
    if (fs_open_dir_at(f->fd, "config", false, &mine.store.config_fd, &e))
        _exit(1);
    const struct profile p = {
        .name = (char *)(uintptr_t)name, .client_id = "client", .client_secret = "hush"};
    for (int i = 0; i < 20; i++)
        if (profile_save(&mine.store, &p, &e))
            _exit(1);
    _exit(0);
}

static void logins_at_the_same_moment_lose_nothing(void **state)
{
    static const char *const profile_names[WRITERS] = {"a", "b", "c", "d"};
    const struct store_fixture *f = *state;
    pid_t children[WRITERS];
    for (size_t i = 0; i < WRITERS; i++) {
        children[i] = fork();
        assert_return_code(children[i], 0);
        if (children[i] == 0)
            log_in_often(f, profile_names[i]);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        AUTO(profile) struct profile p = {0};
        struct err e;
        assert_return_code(profile_load(&f->store, profile_names[i], &p, &e), 0);
        assert_string_equal(p.client_secret, "hush");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(a_profile_comes_back_with_its_secret_from_the_other_file),
        store_test(saving_one_profile_keeps_the_others_and_what_a_person_wrote),
        store_test(an_unknown_profile_and_an_impossible_name_are_refused),
        store_test(secrets_that_others_can_read_are_not_used),
        store_test(a_line_that_is_no_setting_is_named),
        store_test(a_value_that_could_not_be_read_back_is_not_stored),
        store_test(logins_at_the_same_moment_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
