/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/strays.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "uptane/snapshot.h"

static bool has_row(const struct check *c, const char *path)
{
    for (size_t i = 0; i < c->v->role_count; i++)
        if (!strcmp(c->v->roles[i].path, path))
            return true;
    return false;
}

/* The paths that had a problem before strays were looked for, sorted. */
struct blamed {
    const char **paths;
    size_t count;
};

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct blamed find_blamed(const struct verdict *v)
{
    struct blamed found = {mem_zeroed(v->problem_count, sizeof(char *)), v->problem_count};
    for (size_t i = 0; i < v->problem_count; i++)
        found.paths[i] = v->problems[i].role;
    qsort(found.paths, found.count, sizeof(char *), compare_paths);
    return found;
}

static bool is_blamed(const struct blamed *blamed, const char *path)
{
    return bsearch(&path, blamed->paths, blamed->count, sizeof(char *), compare_paths);
}

/* Roots of any version, and the timestamp, which offline updates do not use. */
static bool is_fixed(const char *file)
{
    size_t len = strlen(file), suffix = strlen(".root.json");
    return !strcmp(file, "root.json") || !strcmp(file, "timestamp.json") ||
           (len > suffix && !strcmp(file + len - suffix, ".root.json"));
}

#define MISSING_SHOWN 100 /* a snapshot has room for hundreds of thousands */

static void report_missing(struct check *c, const char *snapshot_path, const struct role *snapshot,
                           const struct blamed *blamed)
{
    size_t missing = 0;
    for (size_t i = 0, n = snapshot_count(snapshot); i < n; i++) {
        struct snapshot_entry entry;
        snapshot_at(snapshot, i, &entry);
        AUTO_FREE char *name = mem_strndup(entry.file, entry.name_len);
        AUTO_FREE char *path = mem_format("%s/%s.json", verdict_folder(REPO_IMAGE), name);
        if (!strcmp(name, "root") || !strcmp(name, "timestamp") || check_file(c, REPO_IMAGE, name) ||
            is_blamed(blamed, path))
            continue;
        if (++missing <= MISSING_SHOWN)
            check_problem(c, REPO_IMAGE, snapshot_path, ERR_MISSING_ROLE, false, false,
                          "it lists '%s.json', which is not there", name);
    }
    if (missing > MISSING_SHOWN)
        check_problem(c, REPO_IMAGE, snapshot_path, ERR_MISSING_ROLE, false, false,
                      "it lists %zu more files that are not there", missing - MISSING_SHOWN);
}

static void report_unread(struct check *c, enum verdict_repo repo, const struct role *snapshot,
                          const struct blamed *blamed)
{
    AUTO_FREE char *prefix = mem_format("%s/", verdict_folder(repo));
    for (size_t i = 0; i < c->in->file_count; i++) {
        const char *path = c->files[i]->path, *file = path + strlen(prefix);
        struct snapshot_entry entry;
        if (strncmp(path, prefix, strlen(prefix)) != 0 || is_fixed(file) || has_row(c, path) ||
            is_blamed(blamed, path))
            continue;
        bool listed = snapshot_find(snapshot, file, &entry);
        if (listed && repo == REPO_IMAGE)
            check_problem(c, repo, path, ERR_BAD_DELEGATION, false, false,
                          "no delegation leads to it, so it was not verified");
        else if (!listed)
            check_problem(c, repo, path, ERR_NOT_IN_SNAPSHOT, false, false,
                          "nothing refers to it, so it was not verified");
    }
}

void strays_report(struct check *c, enum verdict_repo repo, const struct role *snapshot)
{
    AUTO_FREE char *path = mem_format("%s/%s.json", verdict_folder(repo), role_type_name(snapshot->type));
    struct blamed blamed = find_blamed(c->v);
    if (repo == REPO_IMAGE)
        report_missing(c, path, snapshot, &blamed);
    report_unread(c, repo, snapshot, &blamed);
    free(blamed.paths);
}
