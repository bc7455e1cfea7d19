/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/out.h"

static int compare_files(const void *a, const void *b)
{
    return strcmp((*(const struct verdict_file *const *)a)->path,
                  (*(const struct verdict_file *const *)b)->path);
}

void check_start(struct check *c, const struct verdict_input *in, const struct device_view *view,
                 struct verdict *v)
{
    *c = (struct check){.in = in, .v = v, .view = view};
    c->files = mem_zeroed(in->file_count, sizeof(struct verdict_file *));
    for (size_t i = 0; i < in->file_count; i++)
        c->files[i] = &in->files[i];
    qsort(c->files, in->file_count, sizeof(struct verdict_file *), compare_files);
}

void check_free(struct check *c)
{
    free(c->files);
    *c = (struct check){0};
}

bool check_has_folder(const struct check *c, enum verdict_repo repo)
{
    const char *folder = verdict_folder(repo);
    size_t len = strlen(folder);
    for (size_t i = 0; i < c->in->file_count; i++)
        if (!strncmp(c->files[i]->path, folder, len) && c->files[i]->path[len] == '/')
            return true;
    return false;
}

const struct verdict_file *check_file(const struct check *c, enum verdict_repo repo, const char *name)
{
    AUTO_FREE char *path = mem_format("%s/%s.json", verdict_folder(repo), name);
    struct verdict_file wanted = {.path = path};
    const struct verdict_file *key = &wanted;
    const struct verdict_file **found =
        bsearch(&key, c->files, c->in->file_count, sizeof(struct verdict_file *), compare_files);
    return found ? *found : NULL;
}

static char *escaped(const char *text)
{
    struct buf to = {0};
    out_escape(&to, text, strlen(text));
    return buf_steal_text(&to);
}

static void add_problem(struct check *c, enum verdict_repo repo, const char *path, const struct flaw *flaw)
{
    struct verdict *v = c->v;
    const char *hint = err_hint_text(&flaw->why);
    AUTO_FREE char *message = mem_format("%s%s%s", path, *path ? ": " : "", flaw->why.message);
    v->problems = mem_resize(v->problems, v->problem_count + 1, sizeof *v->problems);
    v->problems[v->problem_count++] = (struct verdict_problem){
        .id = flaw->why.id,
        .role = mem_strdup(path),
        .message = escaped(message),
        .hint = escaped(hint ? hint : ""),
        .device_refuses = flaw->device_refuses,
        .breaks_validity = flaw->breaks_validity,
    };
    c->refused[repo] |= flaw->device_refuses;
}

void check_report(struct check *c, enum verdict_repo repo, const char *path, const struct flaws *flaws)
{
    for (size_t i = 0; i < flaws->count; i++)
        add_problem(c, repo, path, &flaws->list[i]);
}

void check_problem(struct check *c, enum verdict_repo repo, const char *path, enum err_id id,
                   bool device_refuses, bool breaks_validity, const char *format, ...)
{
    struct flaw flaw = {.why.id = id, .device_refuses = device_refuses, .breaks_validity = breaks_validity};
    va_list args;
    va_start(args, format);
    vsnprintf(flaw.why.message, sizeof flaw.why.message, format, args);
    va_end(args);
    add_problem(c, repo, path, &flaw);
}

void check_hint(struct check *c, const char *hint)
{
    struct verdict_problem *last = &c->v->problems[c->v->problem_count - 1];
    free(last->hint);
    last->hint = mem_strdup(hint);
}

void check_assume(struct check *c, const char *format, ...)
{
    AUTO_FREE char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    c->v->assumed = mem_resize(c->v->assumed, c->v->assumed_count + 1, sizeof *c->v->assumed);
    c->v->assumed[c->v->assumed_count++] = escaped(text);
}

/* Does fetching alone renew it: a root of the director, or its offline snapshot? */
static bool is_renewed_by_fetching(const char *path)
{
    return !strncmp(path, "director/", strlen("director/")) &&
           (strstr(path, ".root.json") || !strcmp(path, "director/offline-snapshot.json"));
}

/* Of several that end together the one that is harder to renew is told. */
void check_until(struct check *c, const char *path, int64_t expires)
{
    bool tie = expires == c->v->valid_until && c->v->valid_until_role &&
               is_renewed_by_fetching(c->v->valid_until_role) && !is_renewed_by_fetching(path);
    if (expires >= c->v->valid_until && !tie)
        return;
    c->v->valid_until = expires;
    free(c->v->valid_until_role);
    c->v->valid_until_role = mem_strdup(path);
}

void check_count(struct check *c, const char *path)
{
    for (size_t i = 0; i < c->v->role_count; i++) {
        struct verdict_role *row = &c->v->roles[i];
        if (!strcmp(row->path, path)) {
            row->device_reads = true;
            check_until(c, path, row->expires);
        }
    }
}

void check_add_role(struct check *c, enum verdict_repo repo, const struct verdict_file *file,
                    const char *name, const struct role *role, bool good, bool counts)
{
    struct verdict *v = c->v;
    v->roles = mem_resize(v->roles, v->role_count + 1, sizeof *v->roles);
    struct verdict_role *row = &v->roles[v->role_count++];
    *row = (struct verdict_role){
        .path = mem_strdup(file->path),
        .repo = repo,
        .name = mem_strdup(name),
        .version = role ? role->version : 0,
        .expires = role ? role->expires : 0,
        .good = good,
        .device_reads = counts,
    };
    hash_of(file->bytes, file->len, row->sha256);
    if (counts)
        check_until(c, file->path, role->expires);
}

const char *check_renewal(enum verdict_repo repo, enum role_type type)
{
    if (type == ROLE_LOCKBOX)
        return "define the lockbox again in the cloud, then fetch it";
    if (repo == REPO_DIRECTOR)
        return "fetch the lockbox again: the cloud renews this role as it serves it";
    return "the image repository must be renewed in the cloud, then fetch the lockbox again";
}

bool check_date(const struct check *c, const struct role *role, enum verdict_repo repo, enum role_type type,
                struct flaws *flaws)
{
    bool only_there = c->true_now < role->expires;
    return role_check_date(
        role, c->in->now,
        only_there ? "set the device's clock: it is not that late" : check_renewal(repo, type), flaws);
}

/* A file that nobody reads at all is told by role_parse(). */
static void check_size(const struct verdict_file *file, size_t limit, struct flaws *flaws)
{
    if (file->len > limit && file->len <= json_role_limits.bytes)
        flaws_add(flaws, ERR_DEVICE_LIMIT, true, false, "%zu bytes; the device reads at most %zu", file->len,
                  limit);
}

static size_t size_limit(const struct check *c, enum role_type type)
{
    if (type == ROLE_TARGETS)
        return DEVICE_TARGETS_MAX;
    return type == ROLE_OFFLINE_SNAPSHOT && c->in->device ? c->in->device->offline_snapshot_max
                                                          : DEVICE_ROLE_MAX;
}

struct role *check_role(struct check *c, enum verdict_repo repo, const char *name, enum role_type type,
                        const struct root *root, struct flaws *flaws)
{
    const struct verdict_file *file = check_file(c, repo, name);
    struct role *role;
    struct grant grant;
    struct err e;
    if (!file) {
        flaws_add(flaws, ERR_MISSING_ROLE, true, true, "the file is not there");
        return NULL;
    }
    check_size(file, size_limit(c, type), flaws);
    if (role_parse(file->bytes, file->len, type, &role, &e)) {
        flaws_add_err(flaws, &e);
    } else if (!root_grant(root, type, &grant)) {
        flaws_add(flaws, ERR_THRESHOLD_NOT_MET, true, true,
                  "the root, version %lld, does not say who signs it", (long long)root->role->version);
        role_delete(role);
    } else if (!role_verify(role, &root->ring, &grant, flaws)) {
        check_add_role(c, repo, file, name, role, false, false);
        role_delete(role);
        return NULL;
    } else {
        check_date(c, role, repo, type, flaws);
        return role;
    }
    check_add_role(c, repo, file, name, NULL, false, false);
    return NULL;
}

/* The chain while it is walked. */
struct walk {
    struct check *c;
    enum verdict_repo repo;
    const char *path; /* of the last root */
    struct root *last;
};

static const struct verdict_file *root_file(const struct walk *w, int64_t version)
{
    AUTO_FREE char *name = mem_format("%lld.root", (long long)version);
    return check_file(w->c, w->repo, name);
}

/* The lowest and the highest N of the files N.root.json; false when there is none. */
static bool root_range(const struct walk *w, int64_t *ret_low, int64_t *ret_high)
{
    AUTO_FREE char *prefix = mem_format("%s/", verdict_folder(w->repo));
    bool any = false;
    for (size_t i = 0; i < w->c->in->file_count; i++) {
        const char *path = w->c->files[i]->path;
        int32_t n;
        int end = 0;
        if (strncmp(path, prefix, strlen(prefix)) != 0)
            continue;
        path += strlen(prefix);
        if (path[0] < '1' || path[0] > '9' || sscanf(path, "%9d.root.json%n", &n, &end) != 1 || end == 0 ||
            path[end] != '\0')
            continue;
        if (!any || n < *ret_low)
            *ret_low = n;
        if (!any || n > *ret_high)
            *ret_high = n;
        any = true;
    }
    return any;
}

/* The trusted root under the name of its file, where that is among the files. */
static const char *name_trusted(const struct walk *w, const uint8_t *bytes, size_t len)
{
    const char *folder = verdict_folder(w->repo);
    for (size_t i = 0; i < w->c->in->file_count; i++) {
        const struct verdict_file *file = w->c->files[i];
        if (file->len == len && !strncmp(file->path, folder, strlen(folder)) &&
            strstr(file->path, ".root.json") && !memcmp(file->bytes, bytes, len))
            return file->path;
    }
    return w->repo == REPO_DIRECTOR ? "director/root.json" : "image-repo/root.json";
}

/* The trusted root of the input, or the lowest one of the folder. */
static int walk_start(struct walk *w)
{
    const uint8_t *bytes;
    size_t len;
    int64_t low, high;
    bool trusted = device_view_trust(w->c->in, w->repo, &bytes, &len);
    w->path = name_trusted(w, bytes, trusted ? len : SIZE_MAX);
    if (!trusted) {
        if (!root_range(w, &low, &high)) {
            check_problem(w->c, w->repo, w->path, ERR_MISSING_ROLE, true, true, "there is no root");
            return -1;
        }
        const struct verdict_file *first = root_file(w, low);
        check_assume(w->c, "the device trusts %s of this lockbox: no root was given to start from",
                     first->path);
        w->path = first->path;
        bytes = first->bytes;
        len = first->len;
    }
    AUTO(flaws) struct flaws flaws = {0};
    struct err e;
    if (root_parse(bytes, len, &w->last, &e)) {
        flaws_add_err(&flaws, &e);
        check_report(w->c, w->repo, w->path, &flaws);
        return -1;
    }
    bool good = root_signs_itself(w->last, &flaws);
    check_report(w->c, w->repo, w->path, &flaws);
    return good ? 0 : -1;
}

/* A file of the trusted version must be the trusted root. The device does not look at it. */
static void compare_with_trusted(struct walk *w)
{
    const struct verdict_file *file = root_file(w, w->last->role->version);
    struct root *same;
    struct err e;
    if (!file)
        return;
    w->c->v->newest_root[w->repo] = (int)(file - w->c->in->files);
    bool parsed = root_parse(file->bytes, file->len, &same, &e) == 0;
    bool good = parsed && root_equals(same, w->last);
    if (!good)
        check_problem(w->c, w->repo, file->path, ERR_ROOT_CHANGED, false, true,
                      "version %lld differs from the trusted root of this version",
                      (long long)w->last->role->version);
    check_add_role(w->c, w->repo, file, "root", w->last->role, good, false);
    w->path = file->path;
    if (parsed)
        root_delete(same);
}

static int walk_on(struct walk *w, const struct verdict_file *file)
{
    AUTO(flaws) struct flaws flaws = {0};
    struct root *next = NULL;
    struct err e;
    bool good = false;
    check_size(file, DEVICE_ROLE_MAX, &flaws);
    if (root_parse(file->bytes, file->len, &next, &e))
        flaws_add_err(&flaws, &e);
    else
        good = root_follows(next, w->last, &flaws);
    check_report(w->c, w->repo, file->path, &flaws);
    check_add_role(w->c, w->repo, file, "root", next ? next->role : NULL, good, false);
    if (!good) {
        root_delete(next);
        return -1;
    }
    root_delete(w->last);
    w->last = next;
    w->path = file->path;
    w->c->v->newest_root[w->repo] = (int)(file - w->c->in->files);
    return 0;
}

/* Only the last root's date counts. */
static void walk_end(struct walk *w)
{
    struct check *c = w->c;
    int64_t low, high, last = w->last->role->version;
    AUTO(flaws) struct flaws flaws = {0};
    if (root_range(w, &low, &high) && high > last)
        flaws_add(
            &flaws, ERR_ROOT_GAP, false, true,
            "version %lld is the last that the device reaches: %lld.root.json is missing, %lld.root.json "
            "is there",
            (long long)last, (long long)last + 1, (long long)high);
    bool expired = check_date(c, w->last->role, w->repo, ROLE_ROOT, &flaws);
    check_report(c, w->repo, w->path, &flaws);
    check_until(c, w->path, w->last->role->expires);
    check_count(c, w->path);
    struct verdict_role *row = c->v->role_count ? &c->v->roles[c->v->role_count - 1] : NULL;
    if (row && !strcmp(row->path, w->path))
        row->good &= !expired;
}

struct root *check_roots(struct check *c, enum verdict_repo repo)
{
    struct walk w = {.c = c, .repo = repo};
    int rc = walk_start(&w);
    if (rc == 0)
        compare_with_trusted(&w);
    const struct verdict_file *next;
    while (rc == 0 && (next = root_file(&w, w.last->role->version + 1)))
        rc = walk_on(&w, next);
    if (rc) {
        root_delete(w.last);
        return NULL;
    }
    walk_end(&w);
    c->root_version[repo] = w.last->role->version;
    return w.last;
}
