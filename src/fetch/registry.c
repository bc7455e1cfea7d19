/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/registry.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "fetch/repository.h"
#include "net/url.h"

#define HUB_HOST "registry-1.docker.io" /* where Docker Hub answers */

struct registries {
    const struct registry_options *options;
    struct registry **registries;
    size_t registry_count, registry_room;
    struct repository **repositories;
    size_t repository_count, repository_room;
};

/* What an override, or the name of an image, says about where to ask. */
struct place {
    const char *scheme; /* NULL: not said */
    char *host;
    char *path; /* before the image's own; "" for none */
};

static int check_override(const char *text, struct err *e);
static void find_place(const struct registry_options *o, const char *registry, struct place *ret);
static int find_registry(struct registries *r, const struct place *place, struct registry **ret,
                         struct err *e);

int registries_open(const struct registry_options *options, struct registries **ret, struct err *e)
{
    for (size_t i = 0; i < options->override_count; i++)
        if (check_override(options->overrides[i], e))
            return -1;
    *ret = mem_zeroed(1, sizeof **ret);
    (*ret)->options = options;
    return 0;
}

void registries_close(struct registries *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->repository_count; i++)
        repository_delete(r->repositories[i]);
    for (size_t i = 0; i < r->registry_count; i++) {
        struct registry *one = r->registries[i];
        if (one->owns_http)
            http_close(one->http);
        registry_login_free(&one->login);
        free(one->host);
        free(one->base);
        free(one);
    }
    free(r->repositories);
    free(r->registries);
    free(r);
}

static struct repository *known_repository(const struct registries *r, const struct registry *registry,
                                           const char *path)
{
    for (size_t i = 0; i < r->repository_count; i++)
        if (r->repositories[i]->registry == registry && !strcmp(r->repositories[i]->path, path))
            return r->repositories[i];
    return NULL;
}

int registries_find(struct registries *r, const struct image_name *name, struct repository **ret,
                    struct err *e)
{
    struct place place = {0};
    struct registry *registry = NULL;
    find_place(r->options, name->registry, &place);
    int rc = find_registry(r, &place, &registry, e);
    AUTO_FREE char *path = mem_format("%s%s%s", place.path, *place.path ? "/" : "", name->path);
    free(place.host);
    free(place.path);
    if (rc)
        return err_context(e, "registry '%s'", name->registry);
    *ret = known_repository(r, registry, path);
    if (*ret)
        return 0;
    mem_grow(&r->repositories, r->repository_count, &r->repository_room, sizeof(struct repository *));
    *ret = r->repositories[r->repository_count++] = mem_zeroed(1, sizeof **ret);
    **ret = (struct repository){.registry = registry, .options = r->options, .path = steal_ptr(path)};
    return 0;
}

/* ---- overrides ---- */

static const char *const schemes[] = {"https://", "http://"};

/* Behind the scheme, where there is one. */
static const char *skip_scheme(const char *text, const char **ret_scheme)
{
    *ret_scheme = NULL;
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (!strncmp(text, schemes[i], strlen(schemes[i]))) {
            *ret_scheme = schemes[i];
            return text + strlen(schemes[i]);
        }
    return text;
}

static int check_override(const char *text, struct err *e)
{
    const char *equals = strchr(text, '='), *scheme;
    if (!equals || !image_registry_is_good(text, (size_t)(equals - text)))
        return err_set(e, ERR_USAGE, "--registry-override '%s' is not like docker.io=mirror.example", text);
    const char *host = skip_scheme(equals + 1, &scheme), *path = strchr(host, '/');
    size_t host_len = path ? (size_t)(path - host) : strlen(host);
    AUTO_FREE char *sample = mem_format("x.y%s", path ? path : "/a");
    struct image_name parsed = {0};
    if (!image_registry_is_good(host, host_len) || image_name_parse(sample, strlen(sample), &parsed, e))
        return err_set(e, ERR_USAGE, "--registry-override '%s': '%s' is no registry", text, equals + 1);
    image_name_free(&parsed);
    return 0;
}

/* The last override of a registry counts. */
static void find_place(const struct registry_options *o, const char *registry, struct place *ret)
{
    *ret = (struct place){.host = mem_strdup(registry), .path = mem_strdup("")};
    for (size_t i = 0; i < o->override_count; i++) {
        const char *equals = strchr(o->overrides[i], '=');
        AUTO_FREE char *from = mem_strndup(o->overrides[i], (size_t)(equals - o->overrides[i]));
        if (!registry_is_same(from, registry))
            continue;
        free(ret->host);
        free(ret->path);
        const char *host = skip_scheme(equals + 1, &ret->scheme), *path = strchr(host, '/');
        ret->host = mem_strndup(host, path ? (size_t)(path - host) : strlen(host));
        ret->path = mem_strdup(path ? path + 1 : "");
    }
}

/* ---- registries ---- */

/* A registry on this machine may speak either. Nothing secret is in the question. */
static bool speaks_http(const char *host)
{
    AUTO(buf) struct buf body = {0};
    AUTO(http_reply) struct http_reply reply = {0};
    const struct http_options once = {.attempts = 1, .connect_timeout_ms = 5000, .stall_timeout_ms = 5000};
    AUTO_FREE char *url = mem_format("http://%s/v2/", host);
    const struct http_request request = {.url = url};
    struct http *http;
    struct err ignored;
    if (http_open(&once, &http, &ignored))
        return false;
    bool answered = http_send(http, &request, &body, &reply, &ignored) == 0;
    http_close(http);
    return answered && (reply.status == 200 || reply.status == 401);
}

static char *make_base(const struct place *place)
{
    const char *host = registry_is_same(place->host, IMAGE_DOCKER_HUB) ? HUB_HOST : place->host;
    const char *scheme = place->scheme;
    if (!scheme) {
        AUTO_FREE char *plain = mem_format("http://%s", host);
        scheme = url_is_loopback(plain) && speaks_http(host) ? "http://" : "https://";
    }
    return mem_format("%s%s", scheme, host);
}

/* The CA that was put down for this registry, where Docker and its kin look for it. */
static char *find_ca(const struct registry_options *o, const char *host)
{
    const char *const folders[] = {o->docker_folder, "/etc/containers", "/etc/docker"};
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        AUTO_FREE char *path = folders[i] ? mem_format("%s/certs.d/%s/ca.crt", folders[i], host) : NULL;
        if (path && access(path, R_OK) == 0)
            return steal_ptr(path);
    }
    return NULL;
}

static int find_registry(struct registries *r, const struct place *place, struct registry **ret,
                         struct err *e)
{
    for (size_t i = 0; i < r->registry_count; i++)
        if (!strcmp(r->registries[i]->host, place->host)) {
            *ret = r->registries[i];
            return 0;
        }
    AUTO_FREE char *ca = find_ca(r->options, place->host);
    const struct http_options own = {.ca_file = ca, .ca_adds = true};
    struct http *http = r->options->http;
    if (ca && http_open(&own, &http, e))
        return -1;
    mem_grow(&r->registries, r->registry_count, &r->registry_room, sizeof(struct registry *));
    *ret = r->registries[r->registry_count++] = mem_zeroed(1, sizeof **ret);
    **ret = (struct registry){
        .host = mem_strdup(place->host), .base = make_base(place), .http = http, .owns_http = ca != NULL};
    return 0;
}
