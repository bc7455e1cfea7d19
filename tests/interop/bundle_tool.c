/* SPDX-License-Identifier: Apache-2.0
 *
 * Bundles and other exports from the shell, without cloud or store, for the tests of interoperability and of
 * faults, and for measuring:
 *
 *     bundle_tool write SOURCE FOLDER NAME [single] [share] [volume=BYTES] [no-read-back-from-medium]
 *     bundle_tool check FOLDER NAME
 *     bundle_tool extract FOLDER NAME TO
 *     bundle_tool plain SOURCE FOLDER NAME
 *     bundle_tool capacity FOLDER
 *     bundle_tool names
 *
 * `names` reads paths in pairs, each ended by NUL, and says in a line for each pair whether a bundle can hold
 * both. SOURCE holds metadata/ and images/. The signing key is the same in every run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/name.h"
#include "bundle-format/bundle.h"
#include "tests/one_place.h"
#include "usb-tools/capacity.h"
#include "usb-tools/export_plain.h"
#include "usb-tools/forecast.h"

struct collection {
    int dirfd;
    struct member *members;
    size_t count, room;
    const char *folder; /* being walked */
};

static int hash_content(int dirfd, const char *path, struct content *ret, struct err *e)
{
    static uint8_t piece[1 << 18];
    struct content_file file = {.dirfd = dirfd, .path = path};
    AUTO_HASH struct hash *h = hash_new();
    void *stream;
    ssize_t n;
    if (content_from_file.open(&file, &stream, e))
        return -1;
    while ((n = content_from_file.read(stream, piece, sizeof piece, e)) > 0) {
        hash_update(h, piece, (size_t)n);
        ret->size += (uint64_t)n;
    }
    content_from_file.close(stream);
    hash_final(h, ret->sha256);
    return n < 0 ? -1 : 0;
}

static int add_file(struct collection *c, char *path, struct err *e)
{
    struct content *content = mem_zeroed(1, sizeof *content);
    struct content_file *file = mem_zeroed(1, sizeof *file);
    mem_grow(&c->members, c->count, &c->room, sizeof *c->members);
    struct member *m = &c->members[c->count++];
    *file = (struct content_file){.dirfd = c->dirfd, .path = path};
    *content = (struct content){.source = &content_from_file, .ctx = file};
    *m = (struct member){.path = path, .contents = content, .content_count = 1};
    if (hash_content(c->dirfd, path, content, e))
        return -1;
    m->size = content->size;
    memcpy(m->sha256, content->sha256, HASH_SIZE);
    return 0;
}

static int visit(void *ctx, const char *name, struct err *e)
{
    struct collection *c = ctx;
    const char *folder = c->folder;
    AUTO_FREE char *path = mem_format("%s/%s", folder, name);
    AUTO_FD int inside = -1;
    if (fs_open_dir_at(c->dirfd, path, false, &inside, e))
        return add_file(c, steal_ptr(path), e);
    c->folder = path;
    int rc = fs_each(inside, visit, c, e);
    c->folder = folder;
    return rc;
}

static int compare_members(const void *a, const void *b)
{
    const struct member *left = a, *right = b;
    if (left->path[0] != right->path[0]) /* metadata/ before images/ */
        return left->path[0] == 'm' ? -1 : 1;
    return strcmp(left->path, right->path);
}

static void free_collection(struct collection *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->members[i].contents[0].ctx);
        free((void *)(uintptr_t)c->members[i].contents);
        free((void *)(uintptr_t)c->members[i].path);
    }
    free(c->members);
}

/* With "share" the manifest says so, whether or not another bundle in the folder lends something. */
static int write_members(const struct collection *c, int to, const char *name,
                         const struct bundle_options *options, bool share, struct err *e)
{
    static const char manifest[] = "{\"features\":[]}\n";
    static const char sharing[] = "{\"features\":[\"shared-content\"]}\n";
    static const uint8_t seed[32] = {1};
    struct medium medium = medium_posix(&to);
    struct bundle_loans *loans = NULL;
    struct sign_key key;
    struct bundle_summary summary;
    sign_key_from_seed(seed, &key);
    if (share && bundle_loans_find(&medium, name, c->members, c->count, NULL, &loans, e))
        return -1;
    struct bundle_plan plan = {.manifest_json = share ? sharing : manifest,
                               .manifest_len = strlen(share ? sharing : manifest),
                               .members = c->members,
                               .member_count = c->count,
                               .signer = &key,
                               .comment = "",
                               .loans = loans};
    int rc = write_one(&plan, options, &medium, name, NULL, &summary, e);
    bundle_loans_free(loans);
    return rc;
}

static int collect(int source, struct collection *c, struct err *e)
{
    c->dirfd = source;
    c->folder = ".";
    int rc = fs_each(source, visit, c, e);
    for (size_t i = 0; i < c->count; i++) /* "./images/…" */
        memmove((char *)(uintptr_t)c->members[i].path, c->members[i].path + 2,
                strlen(c->members[i].path) - 1);
    if (c->count)
        qsort(c->members, c->count, sizeof *c->members, compare_members);
    return rc;
}

static int write_bundle(int argc, char **argv, struct err *e)
{
    struct collection c = {0};
    struct bundle_options options = {0};
    bool share = false;
    AUTO_FD int source = -1;
    AUTO_FD int to = -1;
    for (int i = 5; i < argc; i++) {
        options.single |= !strcmp(argv[i], "single");
        share |= !strcmp(argv[i], "share");
        options.keep_cache |= !strcmp(argv[i], "no-read-back-from-medium");
        if (!strncmp(argv[i], "volume=", 7))
            options.volume_bytes = strtoull(argv[i] + 7, NULL, 10);
    }
    if (fs_open_dir(argv[2], &source, e) || fs_open_dir(argv[3], &to, e))
        return -1;
    int rc = collect(source, &c, e);
    if (rc == 0)
        rc = write_members(&c, to, argv[4], &options, share, e);
    free_collection(&c);
    return rc;
}

static int write_plain(char **argv, struct err *e)
{
    struct collection c = {0};
    AUTO_FD int source = -1;
    AUTO_FD int to = -1;
    if (fs_open_dir(argv[2], &source, e) || fs_open_dir(argv[3], &to, e))
        return -1;
    int rc = collect(source, &c, e);
    if (rc == 0)
        rc = export_one(to, argv[4], c.members, c.count, NULL, e);
    free_collection(&c);
    return rc;
}

/* What is said before the first byte of a plain export: file system, cluster, at least and at most so many
 * bytes. */
static int forecast_plain(char **argv, struct err *e)
{
    struct collection c = {0};
    struct forecast f = {0};
    AUTO_FD int source = -1;
    AUTO_FD int to = -1;
    if (fs_open_dir(argv[2], &source, e) || fs_open_dir(argv[3], &to, e))
        return -1;
    int rc = collect(source, &c, e) || forecast_medium(to, &f, e) ||
             forecast_files(&f, c.members, c.count, e) || forecast_check(&f, 0, e);
    if (rc == 0)
        printf("%s %llu %llu %llu\n", f.file_system, (unsigned long long)f.cluster_bytes,
               (unsigned long long)f.least, (unsigned long long)f.most);
    forecast_free(&f);
    free_collection(&c);
    return rc ? -1 : 0;
}

static int test_capacity(char **argv, struct err *e)
{
    static const uint8_t seed[CAPACITY_SEED_SIZE] = {1};
    AUTO_FD int folder = -1;
    uint64_t bytes;
    if (fs_open_dir(argv[2], &folder, e))
        return -1;
    const struct medium medium = medium_posix(&folder);
    if (capacity_test(&medium, 0, seed, NULL, &bytes, e))
        return -1;
    printf("%llu\n", (unsigned long long)bytes);
    return 0;
}

static int check_bundle(char **argv, struct err *e)
{
    AUTO_FD int folder = -1;
    struct bundle *b;
    if (fs_open_dir(argv[2], &folder, e) || bundle_open(folder, argv[3], &b, e))
        return -1;
    int rc = bundle_check(b, 0, NULL, e);
    bundle_close(b);
    return rc;
}

static int extract_bundle(char **argv, struct err *e)
{
    AUTO_FD int folder = -1;
    AUTO_FD int to = -1;
    struct bundle *b;
    if (fs_open_dir(argv[2], &folder, e) || fs_make_dir(argv[4], false, &to, e) ||
        bundle_open(folder, argv[3], &b, e))
        return -1;
    int rc = bundle_extract(b, to, 0, NULL, e);
    bundle_close(b);
    return rc;
}

static bool may_stand_together(const char *const pair[2])
{
    struct err e;
    return name_check_text(pair[0], &e) == 0 && name_check_text(pair[1], &e) == 0 &&
           name_check_twins(pair, 2, &e) == 0;
}

static int check_names(void)
{
    char *pair[2] = {0};
    size_t room[2] = {0};
    while (getdelim(&pair[0], &room[0], '\0', stdin) > 0 && getdelim(&pair[1], &room[1], '\0', stdin) > 0)
        puts(may_stand_together((const char *const *)pair) ? "good" : "refused");
    free(pair[0]);
    free(pair[1]);
    return 0;
}

int main(int argc, char **argv)
{
    struct err e = {0};
    int rc;
    if (argc >= 5 && !strcmp(argv[1], "write"))
        rc = write_bundle(argc, argv, &e);
    else if (argc == 4 && !strcmp(argv[1], "check"))
        rc = check_bundle(argv, &e);
    else if (argc == 5 && !strcmp(argv[1], "extract"))
        rc = extract_bundle(argv, &e);
    else if (argc == 5 && !strcmp(argv[1], "plain"))
        rc = write_plain(argv, &e);
    else if (argc == 4 && !strcmp(argv[1], "forecast"))
        rc = forecast_plain(argv, &e);
    else if (argc == 3 && !strcmp(argv[1], "capacity"))
        rc = test_capacity(argv, &e);
    else if (argc == 2 && !strcmp(argv[1], "names"))
        rc = check_names();
    else
        rc = err_set(&e, ERR_USAGE, "bundle_tool write|check|extract|plain|forecast|capacity|names …");
    if (rc)
        fprintf(stderr, "%s: %s\n", err_name(e.id), e.message);
    return rc ? (int)err_exit_code(e.id) : 0;
}
