/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/name.h"

static void names_of_real_packages_pass(void **state)
{
    static const char *const good[] = {
        "firmware-1.0",
        "bootloader/imx-boot",
        "a",
        ".hidden",
        "...x",
        "6/qemuarm64/torizon/torizon-core-docker/testing-a4a3a4a67aa274d7276b1824759debe64178530149daeea",
        "docker-compose.yml-1.0",
        "App (final), v2=b+c@d_e.tar.gz",
        "name with blanks",
        "x..y",
        "libc6_2.36-9~deb12u1.deb",
        "a~b",
        "firmware-1.0~2",
        "firmware-~2.bin",
        "x~1.json",
        "x~y1",
        "CONSOLE",
        "com",
        "COM",
        "COM10",
        "nul1",
        "xCON",
        "LPTx",
        "ostrich",
        "a/ostree",
    };
    struct err e;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (name_check_text(good[i], &e) || name_check_target(good[i], &e))
            fail_msg("%s", e.message);
}

struct row {
    const char *name, *fault; /* words of the message */
};

static void assert_refused(int (*check)(const char *, struct err *), const struct row *rows, size_t n)
{
    struct err e;
    for (size_t i = 0; i < n; i++) {
        if (check(rows[i].name, &e) == 0)
            fail_msg("'%s' passed", rows[i].name);
        assert_int_equal(e.id, ERR_UNSAFE_NAME);
        if (!strstr(e.message, rows[i].fault))
            fail_msg("'%s': %s, but says: %s", rows[i].name, rows[i].fault, e.message);
    }
}

/* Out of the folder, or to another place in it. */
static const struct row paths[] = {
    {"", "empty"},
    {"/etc/passwd", "absolute"},
    {"/", "absolute"},
    {"..", "climbs"},
    {"../x", "climbs"},
    {"a/../b", "climbs"},
    {"a/..", "climbs"},
    {".", "climbs"},
    {"./a", "climbs"},
    {"a/.", "climbs"},
    {"a//b", "empty part"},
    {"a/", "empty part"},
    {"a\\..\\b", "FAT"},
    {"C:x", "FAT"},
    {"file:///x", "FAT"},
    {".. /x", "ends in"},
    {"a/ ../x", "begins"},
    {"x/.\xcc\x87", "ASCII"},
    {"\xef\xbc\x8e.", "ASCII"},
};

/* What FAT, or Windows before it, takes for something else or cannot hold. */
static const struct row fat[] = {
    {"a*", "FAT"},
    {"a?", "FAT"},
    {"a\"b", "FAT"},
    {"a<b", "FAT"},
    {"a>b", "FAT"},
    {"a|b", "FAT"},
    {"a:stream", "FAT"},
    {"x.", "ends in"},
    {"x ", "ends in"},
    {"x./y", "ends in"},
    {"x /y", "ends in"},
    {"x...", "ends in"},
    {"CON", "reserved"},
    {"con.txt", "reserved"},
    {"nul", "reserved"},
    {"a/AUX", "reserved"},
    {"PRN.x.y", "reserved"},
    {"com1", "reserved"},
    {"LPT9.a", "reserved"},
    {"COM0", "reserved"},
    {"NUL .txt", "reserved"},
    {"aux  .c", "reserved"},
    {"a/com1/b", "reserved"},
    {"CONIN$", "shell"},
    {"CLOCK$", "shell"},
    {"COM\xc2\xb9", "ASCII"},
    {"lpt\xc2\xb2.x", "ASCII"},
};

/* "firmware-1.0.bin" is FIRMWA~1.BIN, too. */
static const struct row aliases[] = {
    {"FIRMWA~1.BIN", "alias"}, {"firmwa~1", "alias"}, {"FO1234~1.T", "alias"}, {"a~1", "alias"},
    {"a/b~22.c/d", "alias"},   {"a~123456", "alias"}, {"MY~1.", "ends in"},    {"~1", "begins"},
    {"ab~~9.txt", "alias"},    {"a ~1.txt", "alias"},
};

/* What a shell, an option parser or a terminal obeys. */
static const struct row shells[] = {
    {"-rf", "begins"},       {"a/--checkpoint-action=exec=x", "begins"},
    {"~", "begins"},         {"~root/x", "begins"},
    {"a/~+", "begins"},      {" x", "begins"},
    {"a$b", "shell"},        {"a`b`", "shell"},
    {"a;b", "shell"},        {"a&b", "shell"},
    {"it's", "shell"},       {"a!b", "shell"},
    {"#a", "shell"},         {"100%", "shell"},
    {"a{b,c}", "shell"},     {"a[b]", "shell"},
    {"a^b", "shell"},        {"a|b", "FAT"},
    {"a\nb", "control"},     {"a\tb", "control"},
    {"a\rb", "control"},     {"a\x7f", "control"},
    {"a\x1b[2J", "control"}, {"\x01", "control"},
};

/* Letters that two file systems fold, normalise or display differently, and bytes that are no letters. */
static const struct row beyond[] = {
    {"gr\xc3\xb6\xc3\x9f"
     "e",
     "ASCII"},
    {"gro\xcc\x88\xc3\x9f"
     "e",
     "ASCII"},
    {"\xe2\x84\xaa"
     "elvin",
     "ASCII"},
    {"a\xc2\x85"
     "b",
     "ASCII"},
    {"a\xe2\x80\xa8"
     "b",
     "ASCII"},
    {"a\xe2\x80\xae"
     "txt.exe",
     "ASCII"},
    {"a\xe2\x80\x8b", "ASCII"},
    {"\xef\xbb\xbf"
     "a",
     "ASCII"},
    {"a\xc2\xa0", "ASCII"},
    {"\xf0\x9f\x94\x92", "ASCII"},
    {"\xff", "ASCII"},
    {"\xc0\xaf", "ASCII"},
    {"\xed\xa0\x80", "ASCII"},
};

static void names_that_could_turn_against_somebody_are_refused(void **state)
{
    struct err e;
    (void)state;
    assert_refused(name_check_text, paths, COUNT_OF(paths));
    assert_refused(name_check_text, fat, COUNT_OF(fat));
    assert_refused(name_check_text, aliases, COUNT_OF(aliases));
    assert_refused(name_check_text, shells, COUNT_OF(shells));
    assert_refused(name_check_text, beyond, COUNT_OF(beyond));
    assert_int_equal(name_check("a\0b", 3, &e), -1);
}

#define HEX64 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"

static void targets_do_not_stand_where_the_device_keeps_other_things(void **state)
{
    static const struct row taken[] = {
        {"ostree", "OSTree"},
        {"ostree/config", "OSTree"},
        {"OSTree/objects/00/x.filez", "OSTree"},
        {HEX64 ".images", "OSTree"},
        {HEX64 ".images/x.tar", "OSTree"},
        {HEX64 ".IMAGES/x", "OSTree"},
        {"../x", "climbs"},
        {"", "empty"},
    };
    static const char *const free[] = {"ostree-1.0",   "x/ostree", "my" HEX64 ".images",
                                       HEX64 ".image", HEX64,      "g123" HEX64 ".images",
                                       "metadata/x",   "images/x"};
    char name[NAME_PATH_MAX];
    struct err e;
    (void)state;
    assert_refused(name_check_target, taken, COUNT_OF(taken));
    for (size_t i = 0; i < COUNT_OF(free); i++)
        assert_int_equal(name_check_target(free[i], &e), 0);
    memset(name, 'x', sizeof name);
    for (size_t i = 200; i < sizeof name; i += 200)
        name[i] = '/';
    name[NAME_PATH_MAX - 7] = '\0';
    assert_int_equal(name_check_target(name, &e), 0);
    name[NAME_PATH_MAX - 7] = 'x';
    name[NAME_PATH_MAX - 6] = '\0';
    assert_int_equal(name_check_text(name, &e), 0);
    assert_refused(name_check_target, &(struct row){name, "1017"}, 1);
}

static void roles_are_single_files_and_no_roots(void **state)
{
    static const struct row bad[] = {
        {"a/b", "holds"}, {"1.root", "a root"}, {"42.ROOT", "a root"}, {"../x", "climbs"},
        {"", "empty"},    {"-x", "begins"},     {"nul", "reserved"},
    };
    static const char *const good[] = {"pump-7", "Line_3", "root.1", "1.roots", "x.root", "tdx-containers"};
    char name[NAME_PART_MAX + 1];
    struct err e;
    (void)state;
    assert_refused(name_check_role, bad, COUNT_OF(bad));
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_int_equal(name_check_role(good[i], &e), 0);
    memset(name, 'x', sizeof name);
    name[250] = '\0';
    assert_int_equal(name_check_role(name, &e), 0);
    name[250] = 'x';
    name[251] = '\0';
    assert_refused(name_check_role, &(struct row){name, "250"}, 1);
}

static void lengths_are_capped(void **state)
{
    char name[NAME_PATH_MAX + 2];
    struct err e;
    (void)state;
    memset(name, 'x', sizeof name);
    assert_int_equal(name_check(name, NAME_PART_MAX, &e), 0);
    assert_int_equal(name_check(name, NAME_PART_MAX + 1, &e), -1);
    for (size_t i = 200; i < sizeof name; i += 200)
        name[i] = '/';
    assert_int_equal(name_check(name, NAME_PATH_MAX, &e), 0);
    assert_int_equal(name_check(name, NAME_PATH_MAX + 1, &e), -1);
}

static void hostile_names_are_escaped_in_the_message(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(name_check_text("a\x1b[2Jb", &e), -1);
    assert_null(strchr(e.message, '\x1b'));
    assert_non_null(strstr(e.message, "a\\x1b[2Jb"));
}

static void twins_cannot_stand_beside_each_other(void **state)
{
    static const char *const apart[] = {"a", "b", "a.b", "a-b/c", "ab", "a-b/d"};
    static const char *const cases[] = {"Readme", "b", "README"};
    static const char *const folder[] = {"a/b", "a.b", "a"};
    static const char *const deep[] = {"x/Y/z", "X/y/Z/w"};
    static const char *const same[] = {"a", "a"};
    struct err e;
    (void)state;
    assert_int_equal(name_check_twins(apart, COUNT_OF(apart), &e), 0);
    assert_int_equal(name_check_twins(apart, 0, &e), 0);
    assert_int_equal(name_check_twins(cases, COUNT_OF(cases), &e), -1);
    assert_int_equal(e.id, ERR_UNSAFE_NAME);
    assert_int_equal(name_check_twins(folder, COUNT_OF(folder), &e), -1);
    assert_int_equal(name_check_twins(deep, COUNT_OF(deep), &e), -1);
    assert_int_equal(name_check_twins(same, COUNT_OF(same), &e), -1);
}

/* ---- any name that passes stays where it is put ---- */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static void make_name(uint32_t *seed, char *ret, size_t room)
{
    static const char *const pieces[] = {
        "a",  "B",          "..",  ".",     "/",      "//", "-",
        "~",  "~1",         " ",   "con",   "NUL",    "\\", "\xc3\xb6",
        "\n", "$x",         "(b)", "=@,+_", "ostree", "9",  ".tar.gz",
        "*",  "xxxxxxxxxx", "/a",  "/b",    "a/",     ".x", "com",
        "1",  ";",          "'",   "Z",     "0",      "-1", "name with blanks",
    };
    ret[0] = '\0';
    for (size_t n = 1 + next_random(seed) % 6; n > 0; n--) {
        const char *piece = pieces[next_random(seed) % COUNT_OF(pieces)];
        if (strlen(ret) + strlen(piece) < room)
            strcat(ret, piece);
    }
}

/* Makes the file by the plainest path join, as a device or a script would. */
static void assert_stays(int dirfd, const char *folder, const char *name)
{
    AUTO_FREE char *joined = mem_format("%s/%s", folder, name);
    AUTO_FREE char *parent = mem_strdup(name);
    AUTO_FD int inside = -1;
    struct err e;
    char *slash = strrchr(parent, '/');
    if (slash) {
        *slash = '\0';
        assert_int_equal(fs_open_dir_at(dirfd, parent, true, &inside, &e), 0);
    }
    AUTO_FD int fd = open(joined, O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (fd < 0)
        fail_msg("'%s' cannot be made", joined);
    AUTO_FREE char *found = realpath(joined, NULL);
    assert_string_equal(found, joined);
}

static void any_name_that_passes_stays_inside_its_folder(void **state)
{
    char folder[] = "/tmp/airlock-name-XXXXXX", name[100];
    uint32_t seed = 7;
    unsigned passed = 0;
    struct err e;
    (void)state;
    AUTO_FD int tmp = -1;
    assert_int_equal(fs_open_dir("/tmp", &tmp, &e), 0);
    assert_non_null(mkdtemp(folder));
    AUTO_FD int dirfd = -1;
    assert_int_equal(fs_open_dir(folder, &dirfd, &e), 0);
    for (unsigned i = 0; i < 20000; i++) {
        make_name(&seed, name, sizeof name);
        if (name_check_target(name, &e))
            continue;
        passed++;
        assert_stays(dirfd, folder, name);
        AUTO_FREE char *first = mem_strndup(name, strcspn(name, "/"));
        assert_int_equal(fs_remove_at(dirfd, first, &e), 0);
        assert_int_equal(rmdir(folder), 0); /* nothing else appeared in it */
        assert_int_equal(mkdir(folder, 0700), 0);
        close(steal_fd(&dirfd));
        assert_int_equal(fs_open_dir(folder, &dirfd, &e), 0);
    }
    assert_in_range(passed, 500, 19000); /* the pieces make both kinds */
    assert_int_equal(fs_remove_at(tmp, folder + strlen("/tmp/"), &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_real_packages_pass),
        cmocka_unit_test(names_that_could_turn_against_somebody_are_refused),
        cmocka_unit_test(targets_do_not_stand_where_the_device_keeps_other_things),
        cmocka_unit_test(roles_are_single_files_and_no_roots),
        cmocka_unit_test(lengths_are_capped),
        cmocka_unit_test(hostile_names_are_escaped_in_the_message),
        cmocka_unit_test(twins_cannot_stand_beside_each_other),
        cmocka_unit_test(any_name_that_passes_stays_inside_its_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
