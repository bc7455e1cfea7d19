/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/repository.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cloud/cloud_internal.h"

#define LOCKBOX_NAME_MAX 253u /* the server's limit */

struct set {
    struct cloud *cloud;
    struct role_request *requests;
    size_t count, next;
    char **urls;
    size_t total, limit;
    struct arrival *arrivals;
};

/* The sink of one request. */
struct arrival {
    struct set *set;
    struct role_request *request;
    size_t limit;
};

static bool next_role(void *ctx, struct http_transfer *ret);
static int role_done(void *ctx, struct http_transfer *t, const struct err *error, struct err *fail);
static int take_bytes(void *ctx, const void *bytes, size_t n, struct err *e);
static int drop_bytes(void *ctx, struct err *e);
static const struct door *door_of(const struct cloud *c, enum repository repository);
static char *role_url(const struct cloud *c, const struct role_request *r);
static bool is_top_level(const char *file);
static bool is_root(const char *file);

void role_request_free(struct role_request *r)
{
    free(r->file);
    buf_free(&r->ret_bytes);
}

int repository_check_lockbox_name(const char *name, struct err *e)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t len = strlen(name);
    bool is_role = strcmp(name, "root") == 0 || strcmp(name, "offline-snapshot") == 0;
    if (len > 0 && len <= LOCKBOX_NAME_MAX && strspn(name, allowed) == len && !is_role)
        return 0;
    return err_set(e, ERR_NO_SUCH_LOCKBOX,
                   "no lockbox has such a name: at most %u letters, digits, '-' and '_'", LOCKBOX_NAME_MAX);
}

static int no_address(enum repository repository, struct err *e)
{
    err_set(e, ERR_BAD_CONFIG, "the profile has no address of the %s",
            repository == REPOSITORY_DIRECTOR ? "director" : "image repository");
    return err_hint(e, "airlock login --credentials credentials.zip");
}

int repository_fetch(struct cloud *c, struct role_request *requests, size_t n, size_t limit, struct err *e)
{
    struct set set = {
        .cloud = c,
        .requests = requests,
        .count = n,
        .urls = mem_zeroed(n, sizeof *set.urls),
        .limit = limit,
        .arrivals = mem_zeroed(n, sizeof *set.arrivals),
    };
    struct http_queue queue = {&set, next_role, role_done};
    int failed = 0;
    for (size_t i = 0; i < n && !failed; i++) {
        if (!door_of(c, requests[i].repository)->base)
            failed = no_address(requests[i].repository, e);
        else
            set.urls[i] = role_url(c, &requests[i]);
    }
    if (!failed)
        failed = http_run(c->http, &queue, e);
    for (size_t i = 0; i < n; i++)
        free(set.urls[i]);
    free(set.urls);
    free(set.arrivals);
    return failed;
}

/* ---- the queue ---- */

static bool next_role(void *ctx, struct http_transfer *ret)
{
    struct set *set = ctx;
    if (set->next == set->count)
        return false;
    size_t i = set->next++;
    struct role_request *request = &set->requests[i];
    bool may_be_large = request->repository == REPOSITORY_IMAGE && !is_root(request->file);
    set->arrivals[i] =
        (struct arrival){set, request, may_be_large ? REPOSITORY_TARGETS_MAX : REPOSITORY_ROLE_MAX};
    *ret = (struct http_transfer){
        .url = set->urls[i],
        .auth = door_auth(door_of(set->cloud, request->repository)),
        .sink = {&set->arrivals[i], 0, HTTP_LENGTH_UNKNOWN, take_bytes, drop_bytes},
        .small = true,
        .user = request,
    };
    return true;
}

static int role_done(void *ctx, struct http_transfer *t, const struct err *error, struct err *fail)
{
    (void)ctx;
    struct role_request *request = t->user;
    request->ret_is_missing = error && error->id == ERR_NO_SUCH_FILE;
    if (!error || request->ret_is_missing)
        return 0;
    *fail = *error;
    return -1;
}

static int take_bytes(void *ctx, const void *bytes, size_t n, struct err *e)
{
    struct arrival *a = ctx;
    if (n > a->limit - a->request->ret_bytes.len)
        return err_set(e, ERR_TOO_LARGE, "a role larger than %zu bytes", a->limit);
    if (n > a->set->limit - a->set->total)
        return err_set(e, ERR_TOO_LARGE, "the roles are larger than %zu bytes together", a->set->limit);
    buf_add(&a->request->ret_bytes, bytes, n);
    a->set->total += n;
    return 0;
}

static int drop_bytes(void *ctx, struct err *e)
{
    (void)e;
    struct arrival *a = ctx;
    a->set->total -= a->request->ret_bytes.len;
    buf_clear(&a->request->ret_bytes);
    return 0;
}

/* ---- URLs ---- */

static const struct door *door_of(const struct cloud *c, enum repository repository)
{
    return repository == REPOSITORY_DIRECTOR ? &c->director : &c->repo;
}

static char *role_url(const struct cloud *c, const struct role_request *r)
{
    AUTO(buf) struct buf url = {0};
    buf_add_text(&url, door_of(c, r->repository)->base);
    if (r->repository == REPOSITORY_DIRECTOR)
        buf_add_text(&url, r->is_lockbox ? "/api/v1/admin/repo/offline-updates/" : "/api/v1/admin/repo/");
    else
        buf_add_text(&url, is_top_level(r->file) ? "/api/v1/user_repo/" : "/api/v1/user_repo/delegations/");
    http_escape(&url, r->file, strlen(r->file), false);
    return buf_steal_text(&url);
}

static bool is_top_level(const char *file)
{
    return is_root(file) || strcmp(file, "timestamp.json") == 0 || strcmp(file, "snapshot.json") == 0 ||
           strcmp(file, "targets.json") == 0;
}

/* "root.json", "12.root.json" */
static bool is_root(const char *file)
{
    size_t digits = strspn(file, "0123456789");
    if (digits == 0)
        return strcmp(file, "root.json") == 0;
    return strcmp(file + digits, ".root.json") == 0;
}
