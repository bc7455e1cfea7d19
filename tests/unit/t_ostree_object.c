/* SPDX-License-Identifier: Apache-2.0 */
#include "ostree_fixture.h"

#include "fetch/ostree_file.h"

static char folder[] = "/tmp/airlock-ostree-XXXXXX";
static char *paths; /* of all objects, each on a line */

static int make_repository(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    free(ostree_fixture_make(folder));
    AUTO_FREE char *command = mem_format("cd %s/repo && find objects -type f", folder);
    paths = rehearsal_run(command);
    return 0;
}

static int remove_repository(void **state)
{
    (void)state;
    AUTO_FREE char *command = mem_format("rm -r %s", folder);
    free(paths);
    free(rehearsal_run(command));
    return 0;
}

static void read_object(const char *path, struct buf *ret)
{
    struct err e;
    AUTO_FREE char *full = mem_format("%s/repo/%s", folder, path);
    if (fs_read_file(full, 8u << 20, ret, &e))
        fail_msg("%s", e.message);
}

static int visit_any(void *count, const struct ostree_name *name, struct err *e)
{
    (void)name, (void)e;
    ++*(int *)count;
    return 0;
}

static int check_file(const struct buf *bytes, const struct ostree_name *name, size_t piece, struct err *e)
{
    struct ostree_file *f = ostree_file_new();
    int rc = 0;
    for (int round = 0; round < 2; round++) { /* a verifier serves any number of files */
        ostree_file_begin(f);
        rc = 0;
        for (size_t at = 0; at < bytes->len && rc == 0; at += piece)
            rc =
                ostree_file_update(f, bytes->data + at, bytes->len - at < piece ? bytes->len - at : piece, e);
        rc = rc ? rc : ostree_file_end(f, name->checksum, e);
    }
    ostree_file_delete(f);
    return rc;
}

static int check_object(const struct buf *bytes, const struct ostree_name *name, size_t piece, int *ret_named,
                        struct err *e)
{
    const struct ostree_visitor visitor = {visit_any, ret_named};
    return name->kind == OSTREE_FILE ? check_file(bytes, name, piece, e)
                                     : ostree_metadata_read(name, bytes->data, bytes->len, &visitor, e);
}

/* Calls each() for every object but the large files. */
static void each_object(void (*each)(const struct ostree_name *name, const struct buf *bytes), size_t limit)
{
    AUTO_FREE char *list = mem_strdup(paths);
    int seen = 0;
    for (char *rest = list, *path; (path = strsep(&rest, "\n")) && *path;) {
        struct ostree_name name;
        char again[OSTREE_PATH_SIZE];
        AUTO(buf) struct buf bytes = {0};
        assert_true(ostree_path_parse(path, &name));
        ostree_path(&name, again);
        assert_string_equal(again, path);
        read_object(path, &bytes);
        if (bytes.len > limit)
            continue;
        each(&name, &bytes);
        seen++;
    }
    assert_true(seen > 50);
}

static void expect_good(const struct ostree_name *name, const struct buf *bytes)
{
    static const size_t pieces[] = {1 << 20, 4096, 7, 1};
    struct err e;
    int named = 0;
    for (size_t i = 0; i < COUNT_OF(pieces); i++)
        if (check_object(bytes, name, pieces[i], &named, &e))
            fail_msg("%s", e.message);
    bool names_others = name->kind == OSTREE_COMMIT || name->kind == OSTREE_DIRTREE;
    assert_true(names_others || named == 0);
}

static void what_ostree_wrote_is_what_its_name_says(void **state)
{
    (void)state;
    each_object(expect_good, SIZE_MAX);
}

/* Every byte counts, also those that the name does not cover, but the last of a file, of which deflate leaves
 * some bits unused; and nothing may be missing or follow. */
static void expect_every_byte_to_count(const struct ostree_name *name, const struct buf *bytes)
{
    struct err e;
    int named = 0;
    AUTO(buf) struct buf changed = {0};
    buf_add(&changed, bytes->data, bytes->len);
    size_t unused = name->kind == OSTREE_FILE ? 1 : 0;
    for (size_t i = 0; i + unused < bytes->len; i++) {
        changed.data[i] ^= 0x10;
        if (check_object(&changed, name, 64, &named, &e) == 0)
            fail_msg("byte %zu of %zu does not count", i, bytes->len);
        assert_int_equal(e.id, ERR_WRONG_HASH);
        changed.data[i] ^= 0x10;
    }
    buf_add(&changed, "", 1);
    assert_int_equal(check_object(&changed, name, 64, &named, &e), -1);
    changed.len = bytes->len - 1;
    assert_int_equal(check_object(&changed, name, 64, &named, &e), -1);
    assert_int_equal(e.id, ERR_WRONG_HASH);
    assert_int_equal(named, 0);
}

static void a_changed_byte_anywhere_is_found(void **state)
{
    (void)state;
    each_object(expect_every_byte_to_count, 4096);
}

static void inflating_stops_at_the_declared_length(void **state)
{
    (void)state;
    AUTO_FREE char *command = mem_format(
        "python3 -c 'import sys, zlib; c = zlib.compressobj(9, zlib.DEFLATED, -15);"
        "h = (4).to_bytes(8, \"big\") + bytes(8) + (0o100644).to_bytes(4, \"big\") + bytes(5) + bytes([25]);"
        "sys.stdout.buffer.write(len(h).to_bytes(4, \"big\") + bytes(4) + h);"
        "sys.stdout.buffer.write(b\"\".join(c.compress(bytes(1 << 20)) for i in range(64)) + c.flush())' "
        ">%s/bomb",
        folder);
    free(rehearsal_run(command));
    AUTO(buf) struct buf bytes = {0};
    struct ostree_name name = {.kind = OSTREE_FILE};
    struct err e;
    read_object("../bomb", &bytes);
    assert_int_equal(check_file(&bytes, &name, 1 << 20, &e), -1);
    assert_non_null(strstr(e.message, "more than it declares"));
}

#define DIGITS "b012345678901234567890123456789012345678901234567890123456789"

static void a_path_that_is_no_objects_is_none(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "objects/ab/" DIGITS "1.file", "objects/ab/" DIGITS ".filez",   "objects/AB/" DIGITS "1.filez",
        "objects/ab/" DIGITS "1",      "objects/ab/" DIGITS "1.filezz", "Objects/ab/" DIGITS "1.filez",
        "objects/ab/" DIGITS "12",     "objects/ab/" DIGITS "1/.filez", ""};
    struct ostree_name name;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(ostree_path_parse(wrong[i], &name));
    assert_true(ostree_path_parse("objects/ab/" DIGITS "1.filez", &name));
}

/* A made-up object of that kind, with the name that its bytes have. */
static enum err_id read_made_up(enum ostree_kind kind, const char *bytes, size_t n)
{
    struct ostree_name name = {.kind = kind};
    int named = 0;
    const struct ostree_visitor visitor = {visit_any, &named};
    struct err e = {0};
    hash_of(bytes, n, name.checksum);
    return ostree_metadata_read(&name, bytes, n, &visitor, &e) ? e.id : ERR_NONE;
}
#define MADE_UP(kind, text) read_made_up(kind, text, sizeof(text) - 1)

static void objects_that_ostree_would_not_read_are_refused(void **state)
{
    (void)state;
    static const char no_folder[] = "\0\0\0\0\0\0\0\0\0\0\x81\xa4";
    static const char folder_meta[] = "\0\0\0\0\0\0\0\0\0\0\x41\xed";
    assert_int_equal(MADE_UP(OSTREE_DIRMETA, folder_meta), ERR_NONE);
    assert_int_equal(MADE_UP(OSTREE_DIRMETA, no_folder), ERR_BAD_OSTREE);
    assert_int_equal(MADE_UP(OSTREE_DIRMETA, "\0\0"), ERR_BAD_OSTREE);
    assert_int_equal(MADE_UP(OSTREE_DIRTREE, ""), ERR_BAD_OSTREE);
    assert_int_equal(MADE_UP(OSTREE_DIRTREE, "\0"), ERR_NONE); /* an empty folder */
    assert_int_equal(MADE_UP(OSTREE_DIRTREE, "\xff"), ERR_BAD_OSTREE);
    assert_int_equal(MADE_UP(OSTREE_COMMIT, ""), ERR_BAD_OSTREE);
    assert_int_equal(MADE_UP(OSTREE_COMMIT, "abc"), ERR_BAD_OSTREE);
}

/* A dirtree with one file of that name. */
static enum err_id read_tree_with(const char *file)
{
    char bytes[128];
    size_t len = strlen(file) + 1, n = 0;
    memcpy(bytes, file, len);
    memset(bytes + len, 'c', HASH_SIZE);
    n = len + HASH_SIZE;
    bytes[n] = (char)len;
    bytes[n + 1] = (char)(n + 1);
    bytes[n + 2] = (char)(n + 2);
    return read_made_up(OSTREE_DIRTREE, bytes, n + 3);
}

static void names_in_a_folder_stay_in_it(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", ".", "..", "a/b", "/", "\xff"};
    assert_int_equal(read_tree_with("file"), ERR_NONE);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(read_tree_with(wrong[i]), ERR_BAD_OSTREE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ostree_wrote_is_what_its_name_says),
        cmocka_unit_test(a_changed_byte_anywhere_is_found),
        cmocka_unit_test(inflating_stops_at_the_declared_length),
        cmocka_unit_test(a_path_that_is_no_objects_is_none),
        cmocka_unit_test(objects_that_ostree_would_not_read_are_refused),
        cmocka_unit_test(names_in_a_folder_stay_in_it),
    };
    return cmocka_run_group_tests(tests, make_repository, remove_repository);
}
