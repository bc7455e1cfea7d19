/* SPDX-License-Identifier: Apache-2.0
 *
 * Bundles whose signer packed a repository that is not whole: only the objects' content tells.
 */
#include "bundle_fixture.h"
#include "ostree_fixture.h"

#include "lockbox/ostree_check.h"

static char folder[] = "/tmp/airlock-ostree-XXXXXX";
static char *commit, *paths;
static struct fixture fixture;

static int make_repository(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    commit = ostree_fixture_make(folder);
    AUTO_FREE char *command = mem_format("cd %s/repo && (echo config; find objects -type f) | sort", folder);
    paths = rehearsal_run(command);
    return 0;
}

static int remove_repository(void **state)
{
    (void)state;
    AUTO_FREE char *command = mem_format("rm -r %s", folder);
    free(commit);
    free(paths);
    free(rehearsal_run(command));
    return 0;
}

static int open_fixture(void **state)
{
    (void)state;
    fixture_open(&fixture);
    fixture_add(&fixture, "metadata/director/1.root.json", "{}", 2);
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

/* What is done to the objects whose path ends so, to so many of them. */
struct spoil {
    const char *end;
    int how_many;
    void (*change)(struct buf *bytes); /* NULL: left out */
};

static void change_last_byte(struct buf *bytes)
{
    bytes->data[bytes->len - 2] ^= 1;
}

static void change_first_byte(struct buf *bytes)
{
    bytes->data[0] ^= 1;
}

static void make_bare(struct buf *bytes)
{
    buf_clear(bytes);
    buf_add_text(bytes, "[core]\nrepo_version=1\nmode=bare\n");
}

/* Packs the repository, spoiled, with hashes that fit what is packed. Returns the last spoiled path. */
static char *pack(struct spoil spoil)
{
    AUTO_FREE char *list = mem_strdup(paths);
    char *spoiled = NULL;
    for (char *rest = list, *path; (path = strsep(&rest, "\n")) && *path;) {
        AUTO(buf) struct buf bytes = {0};
        AUTO_FREE char *full = mem_format("%s/repo/%s", folder, path);
        AUTO_FREE char *member = mem_format("images/ostree/%s", path);
        struct err e;
        size_t len = strlen(path), end = strlen(spoil.end);
        assert_return_code(fs_read_file(full, 8u << 20, &bytes, &e), 0);
        if (len >= end && strcmp(path + len - end, spoil.end) == 0 && spoil.how_many-- > 0) {
            free(spoiled);
            spoiled = mem_strdup(path);
            if (!spoil.change)
                continue;
            spoil.change(&bytes);
        }
        fixture_add(&fixture, member, bytes.data, bytes.len);
    }
    fixture_write(&fixture, &(struct bundle_options){.keep_cache = true});
    return spoiled;
}

static void check(struct verdict *ret)
{
    struct err e;
    struct bundle *b = fixture_open_bundle(&fixture);
    *ret = (struct verdict){.valid = true, .target_count = 1, .targets = mem_zeroed(1, sizeof *ret->targets)};
    ret->targets[0] = (struct verdict_target){.name = mem_strdup("os"), .is_ostree = true, .wanted = true};
    memcpy(ret->targets[0].sha256, ostree_fixture_name(commit).checksum, HASH_SIZE);
    struct ostree_watch *watch = NULL;
    struct bundle_sink sink;
    AUTO_FREE struct bundle_member_info *members = bundle_list_members(b);
    if (ostree_watch_start(members, ret, &watch, &sink, &e) || bundle_watch(b, 0, &sink, NULL, &e))
        fail_msg("%s", e.message);
    ostree_watch_end(watch, &(struct needs){0}, ret);
    bundle_close(b);
}

static void expect_one_problem(struct spoil spoil, enum err_id id)
{
    AUTO(verdict) struct verdict v = {0};
    AUTO_FREE char *path = pack(spoil);
    check(&v);
    assert_int_equal(v.problem_count, 1);
    assert_int_equal(v.problems[0].id, id);
    assert_non_null(strstr(v.problems[0].message, path));
    assert_true(v.problems[0].device_refuses);
    assert_int_equal(v.outcome, VERDICT_REFUSE);
}

static void a_whole_repository_is_right(void **state)
{
    (void)state;
    AUTO(verdict) struct verdict v = {0};
    free(pack((struct spoil){.end = "nothing"}));
    check(&v);
    assert_int_equal(v.problem_count, 0);
    assert_true(v.valid);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    expect_one_problem((struct spoil){".filez", 1, NULL}, ERR_MISSING_TARGET);
}

static void a_missing_folder_is_named(void **state)
{
    (void)state;
    expect_one_problem((struct spoil){".dirmeta", 1, NULL}, ERR_MISSING_TARGET);
}

static void a_missing_commit_is_named(void **state)
{
    (void)state;
    expect_one_problem((struct spoil){".commit", 1, NULL}, ERR_MISSING_TARGET);
}

static void a_file_with_other_content_is_named(void **state)
{
    (void)state;
    expect_one_problem((struct spoil){".filez", 1, change_last_byte}, ERR_WRONG_HASH);
}

static void a_folder_with_other_content_is_named(void **state)
{
    (void)state;
    expect_one_problem((struct spoil){".dirtree", 1, change_first_byte}, ERR_WRONG_HASH);
}

static void a_commit_with_other_content_is_named(void **state)
{
    (void)state;
    expect_one_problem((struct spoil){".commit", 1, change_first_byte}, ERR_WRONG_HASH);
}

static void a_repository_of_another_mode_is_none(void **state)
{
    (void)state;
    expect_one_problem((struct spoil){"config", 1, make_bare}, ERR_MISSING_TARGET);
}

static void of_many_missing_objects_some_are_named_and_the_others_counted(void **state)
{
    (void)state;
    AUTO(verdict) struct verdict v = {0};
    free(pack((struct spoil){".filez", 20, NULL}));
    check(&v);
    assert_int_equal(v.problem_count, 6);
    assert_non_null(strstr(v.problems[5].message, "15 more"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_repository_is_right),
        TEST(a_missing_file_is_named),
        TEST(a_missing_folder_is_named),
        TEST(a_missing_commit_is_named),
        TEST(a_file_with_other_content_is_named),
        TEST(a_folder_with_other_content_is_named),
        TEST(a_commit_with_other_content_is_named),
        TEST(a_repository_of_another_mode_is_none),
        TEST(of_many_missing_objects_some_are_named_and_the_others_counted),
    };
    return cmocka_run_group_tests(tests, make_repository, remove_repository);
}
