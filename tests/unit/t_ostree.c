/* SPDX-License-Identifier: Apache-2.0
 *
 * A commit of a real repository, out of the rehearsal cloud's OSTree servers into the store.
 */
#include "cloud_account.h"
#include "ostree_fixture.h"
#include "store_fixture.h"

#include "fetch/ostree.h"

struct bench {
    struct account *account;
    char folder[32], store_folder[64];
    char *commit; /* hexadecimal */
    struct store store;
};

static int start(void **state)
{
    struct bench *b = mem_zeroed(1, sizeof *b);
    void *account;
    if (account_start(&account))
        return -1;
    b->account = account;
    strcpy(b->folder, "/tmp/airlock-ostree-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    b->commit = ostree_fixture_make(b->folder);
    snprintf(b->store_folder, sizeof b->store_folder, "%s/store", b->folder);
    AUTO_FREE char *empty = mem_format("ostree --repo=%s/empty init --mode=archive", b->folder);
    free(rehearsal_run(empty));
    *state = b;
    return 0;
}

static int stop(void **state)
{
    struct bench *b = *state;
    void *account = b->account;
    AUTO_FREE char *command = mem_format("rm -r %s", b->folder);
    free(rehearsal_run(command));
    free(b->commit);
    free(b);
    return account_stop(&account);
}

/* The account has the image, the feed nothing. */
static int begin(void **state)
{
    struct bench *b = *state;
    struct err e;
    void *account = b->account;
    const struct store_paths paths = {b->store_folder, b->store_folder, b->store_folder};
    rehearsal_tell("ostree %s/repo", b->folder);
    rehearsal_tell("ostree %s/empty --feed", b->folder);
    return account_begin(&account) || store_open(&paths, &b->store, &e);
}

static int end(void **state)
{
    struct bench *b = *state;
    void *account = b->account;
    AUTO_FREE char *command = mem_format("rm -rf %s", b->store_folder);
    store_close(&b->store);
    free(rehearsal_run(command));
    return account_end(&account);
}

static int fetch_from(struct bench *b, struct cloud *cloud, const char *uri, struct fetched_commits *ret,
                      struct err *e)
{
    struct fetch_commit commit = {.name = "os", .uri = uri};
    memcpy(commit.commit, ostree_fixture_name(b->commit).checksum, HASH_SIZE);
    return fetch_ostree(cloud, &b->store, &commit, 1, NULL, ret, e);
}

static int fetch(struct bench *b, struct fetched_commits *ret, struct err *e)
{
    return fetch_from(b, b->account->cloud, NULL, ret, e);
}

static void fetch_well(struct bench *b, size_t *ret_count)
{
    struct fetched_commits fetched;
    struct err e;
    if (fetch(b, &fetched, &e))
        fail_msg("%s", e.message);
    *ret_count = fetched.count;
    fetched_commits_free(&fetched);
}

/* The store's repository: accepted by `ostree fsck`, and every object the very bytes that were served. */
static void expect_mirror(const struct bench *b)
{
    AUTO_FREE char *command = mem_format("ostree --repo=%1$s/ostree fsck >/dev/null && "
                                         "diff -r %1$s/ostree/objects %2$s/repo/objects",
                                         b->store_folder, b->folder);
    free(rehearsal_run(command));
}

static int count_files(const struct bench *b, const char *where)
{
    AUTO_FREE char *command = mem_format("find %s/%s -type f | wc -l", b->store_folder, where);
    AUTO_FREE char *count = rehearsal_run(command);
    return atoi(count);
}

static void a_commit_comes_with_all_its_objects_as_they_are_served(void **state)
{
    struct bench *b = *state;
    size_t count;
    fetch_well(b, &count);
    expect_mirror(b);
    assert_int_equal(count_files(b, "ostree/objects"), (int)count);
    assert_int_equal(count_files(b, "ostree/tmp"), 1); /* .keep */
}

static void what_is_there_is_checked_and_not_fetched_again(void **state)
{
    struct bench *b = *state;
    size_t first, second;
    fetch_well(b, &first);
    rehearsal_begin();
    cloud_close(b->account->cloud);
    b->account->cloud = account_open(b->account, b->account->credentials.client_secret);
    fetch_well(b, &second);
    assert_int_equal(first, second);
    rehearsal_expect("treehub", 0);
}

static void a_damaged_object_of_the_store_is_fetched_again(void **state)
{
    struct bench *b = *state;
    size_t count;
    static const char *const kinds[] = {"filez", "dirtree", "dirmeta", "commit"};
    fetch_well(b, &count);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        AUTO_FREE char *command =
            mem_format("cd %s/ostree; truncate -s -1 $(find objects -name '*.%s' | head -n 1)",
                       b->store_folder, kinds[i]);
        free(rehearsal_run(command));
    }
    fetch_well(b, &count);
    expect_mirror(b);
}

static void the_feed_is_asked_without_the_login_for_what_the_account_lacks(void **state)
{
    struct bench *b = *state;
    size_t count;
    rehearsal_tell("ostree %s/empty", b->folder);
    rehearsal_tell("ostree %s/repo --feed", b->folder);
    fetch_well(b, &count);
    expect_mirror(b);
    rehearsal_expect("\"origin\": *\"ostree\".*\"authorization\": *true.*\"status\": *404", 1);
    rehearsal_expect("\"origin\": *\"feed\".*\"authorization\": *true", 0);
    assert_true(rehearsal_count("\"method\": *\"HEAD\".*\"origin\": *\"feed\".*\"status\": *200") == 1);
}

static void an_images_own_address_is_asked_without_the_login(void **state)
{
    struct bench *b = *state;
    struct fetched_commits fetched;
    struct err e;
    AUTO_FREE char *uri = mem_format("%s/", b->account->credentials.endpoints.feed);
    rehearsal_tell("ostree %s/empty", b->folder);
    rehearsal_tell("ostree %s/repo --feed", b->folder);
    if (fetch_from(b, b->account->cloud, uri, &fetched, &e))
        fail_msg("%s", e.message);
    fetched_commits_free(&fetched);
    expect_mirror(b);
    rehearsal_expect("\"origin\": *\"feed\".*\"authorization\": *true", 0);
    rehearsal_expect("\"method\": *\"HEAD\".*\"origin\": *\"feed\"", 1);
}

static void a_server_that_takes_no_head_is_asked_with_get(void **state)
{
    struct bench *b = *state;
    size_t count;
    rehearsal_tell("fault add '^HEAD ' status code=403");
    fetch_well(b, &count);
    expect_mirror(b);
}

static void a_repository_that_is_not_the_accounts_may_fail(void **state)
{
    struct bench *b = *state;
    struct fetched_commits fetched;
    struct err e;
    AUTO_FREE char *closed = mem_format("%s/../closed", b->account->credentials.endpoints.ostree);
    rehearsal_tell("ostree %s/empty", b->folder);
    rehearsal_tell("ostree %s/repo --feed", b->folder);
    rehearsal_tell("fault add 'closed' status code=403");
    if (fetch_from(b, b->account->cloud, closed, &fetched, &e))
        fail_msg("%s", e.message);
    fetched_commits_free(&fetched);
    expect_mirror(b);
}

static void an_account_that_may_not_read_its_repository_is_told_so(void **state)
{
    struct bench *b = *state;
    struct fetched_commits fetched;
    struct err e;
    rehearsal_tell("ostree %s/repo --feed", b->folder);
    rehearsal_tell("fault add ' ostree/' status code=403");
    assert_int_equal(fetch(b, &fetched, &e), -1);
    assert_int_equal(e.id, ERR_NOT_ALLOWED);
    rehearsal_expect("\"origin\": *\"feed\"", 0);
}

static void a_commit_that_nobody_has_is_named(void **state)
{
    struct bench *b = *state;
    struct fetched_commits fetched;
    struct err e;
    rehearsal_tell("ostree %s/empty", b->folder);
    assert_int_equal(fetch(b, &fetched, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_COMMIT);
    assert_non_null(strstr(e.message, b->commit));
    assert_non_null(strstr(e.message, b->account->credentials.endpoints.feed));
}

static void a_folder_of_this_machine_serves_as_well(void **state)
{
    struct bench *b = *state;
    struct fetched_commits fetched;
    struct cloud *cloud;
    struct err e;
    AUTO_FREE char *feed = mem_format("file://%s/repo", b->folder);
    const struct cloud_endpoints endpoints = {.feed = feed};
    const struct cloud_login login = {.endpoints = &endpoints};
    const struct http_options options = {.user_agent = rehearsal_agent};
    assert_int_equal(cloud_open(&login, &options, &cloud, &e), 0);
    if (fetch_from(b, cloud, NULL, &fetched, &e))
        fail_msg("%s", e.message);
    cloud_close(cloud);
    fetched_commits_free(&fetched);
    expect_mirror(b);
    assert_int_equal(count_files(b, "ostree/tmp"), 1);
}

static void an_object_that_arrives_wrong_is_fetched_once_more(void **state)
{
    struct bench *b = *state;
    static const char *const kinds[] = {"filez", "dirtree", "dirmeta", "commit$"};
    size_t count;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        rehearsal_tell("fault add '^GET ostree/.*%s' flip at=9 --times 1", kinds[i]);
    fetch_well(b, &count);
    expect_mirror(b);
}

/* The path of some object of that kind, to be freed. */
static char *some_object(const struct bench *b, const char *kind, const char *size)
{
    AUTO_FREE char *command =
        mem_format("cd %s/repo; find objects -name '*.%s' -size %s | sort | head -n 1 | tr -d '\\n'",
                   b->folder, kind, size);
    return rehearsal_run(command);
}

static void an_object_that_stays_wrong_is_named(void **state)
{
    struct bench *b = *state;
    struct fetched_commits fetched;
    static const struct {
        const char *kind, *size;
    } cases[] = {{"filez", "-8"}, {"filez", "+300"}, {"dirtree", "-8"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err e;
        AUTO_FREE char *path = some_object(b, cases[i].kind, cases[i].size);
        AUTO_FREE char *forget = mem_format("rm -rf %s/ostree", b->store_folder);
        free(rehearsal_run(forget));
        rehearsal_tell("fault clear");
        rehearsal_tell("fault add '%s' flip at=9", path);
        assert_int_equal(fetch(b, &fetched, &e), -1);
        assert_int_equal(e.id, ERR_WRONG_HASH);
        assert_non_null(strstr(e.message, path));
        AUTO_FREE char *gone =
            mem_format("test ! -e %s/ostree/%s && test ! -e %s/ostree/objects/%.2s/%s.commit",
                       b->store_folder, path, b->store_folder, b->commit, b->commit + 2);
        free(rehearsal_run(gone));
    }
}

static void a_missing_object_is_named(void **state)
{
    struct bench *b = *state;
    struct fetched_commits fetched;
    struct err e;
    AUTO_FREE char *path = some_object(b, "filez", "-8");
    rehearsal_tell("fault add '%s' status code=404", path);
    assert_int_equal(fetch(b, &fetched, &e), -1);
    assert_int_equal(e.id, ERR_NO_SUCH_FILE);
    assert_non_null(strstr(e.message, path));
}

static void a_large_object_goes_on_where_it_stopped(void **state)
{
    struct bench *b = *state;
    struct fetched_commits fetched;
    struct err e;
    size_t count;
    AUTO_FREE char *path = some_object(b, "filez", "+500"); /* of 512 bytes: the large ones */
    rehearsal_tell("fault add '%s' cut at=200000 --times 1", path);
    rehearsal_tell("fault add '%s' status code=404 --times 1", path);
    assert_int_equal(fetch(b, &fetched, &e), -1);
    assert_true(count_files(b, "ostree/tmp") >= 2);
    fetch_well(b, &count);
    expect_mirror(b);
    rehearsal_expect("\"range\": *\"bytes=200000-\".*\"status\": *206", 1);
}

/* Shorter than the object, as long, longer: the same name, other bytes. */
static void what_an_earlier_run_left_is_not_trusted(void **state)
{
    struct bench *b = *state;
    static const char *const sizes[] = {"-100000", "+0", "+100"};
    AUTO_FREE char *path = some_object(b, "filez", "+500");
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t count;
        AUTO_FREE char *leave =
            mem_format("cd %s && rm -rf ostree && mkdir -p ostree/tmp && "
                       "head -c $(($(stat -c %%s ../repo/%s) %s)) /dev/urandom >ostree/tmp/%.2s%s",
                       b->store_folder, path, sizes[i], path + 8, path + 11);
        free(rehearsal_run(leave));
        fetch_well(b, &count);
        expect_mirror(b);
        assert_int_equal(count_files(b, "ostree/tmp"), 1);
    }
}

static void an_endless_object_ends(void **state)
{
    struct bench *b = *state;
    struct fetched_commits fetched;
    struct err e;
    AUTO_FREE char *path = some_object(b, "dirtree", "-8");
    rehearsal_tell("fault add '%s' endless", path);
    assert_int_equal(fetch(b, &fetched, &e), -1);
    assert_int_equal(e.id, ERR_TOO_LARGE);
}

/* Whether the commit comes with something beside it, after a command made that in the source. */
static bool comes_detached(struct bench *b, const char *make)
{
    size_t without, with;
    AUTO_FREE char *forget = mem_format("rm -rf %s/ostree", b->store_folder);
    AUTO_FREE char *meta =
        mem_format("%s/repo/objects/%.2s/%s.commitmeta", b->folder, b->commit, b->commit + 2);
    AUTO_FREE char *command = mem_format("path=%s; %s", meta, make);
    fetch_well(b, &without);
    free(rehearsal_run(forget));
    free(rehearsal_run(command));
    fetch_well(b, &with);
    assert_int_equal(unlink(meta), 0);
    return with == without + 1;
}

static void detached_metadata_comes_along(void **state)
{
    struct bench *b = *state;
    AUTO_FREE char *sign =
        mem_format("OSTREE_DUMMY_SIGN_ENABLED=1 ostree --repo=%s/repo sign --sign-type=dummy %s key",
                   b->folder, b->commit);
    assert_true(comes_detached(b, sign));
}

static void what_is_no_detached_metadata_is_left_out(void **state)
{
    struct bench *b = *state;
    assert_false(comes_detached(b, "printf '<html>nothing here</html>' >$path"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_commit_comes_with_all_its_objects_as_they_are_served),
        TEST(what_is_there_is_checked_and_not_fetched_again),
        TEST(a_damaged_object_of_the_store_is_fetched_again),
        TEST(the_feed_is_asked_without_the_login_for_what_the_account_lacks),
        TEST(an_images_own_address_is_asked_without_the_login),
        TEST(a_server_that_takes_no_head_is_asked_with_get),
        TEST(a_repository_that_is_not_the_accounts_may_fail),
        TEST(an_account_that_may_not_read_its_repository_is_told_so),
        TEST(a_commit_that_nobody_has_is_named),
        TEST(a_folder_of_this_machine_serves_as_well),
        TEST(an_object_that_arrives_wrong_is_fetched_once_more),
        TEST(an_object_that_stays_wrong_is_named),
        TEST(a_missing_object_is_named),
        TEST(a_large_object_goes_on_where_it_stopped),
        TEST(what_an_earlier_run_left_is_not_trusted),
        TEST(an_endless_object_ends),
        TEST(detached_metadata_comes_along),
        TEST(what_is_no_detached_metadata_is_left_out),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
