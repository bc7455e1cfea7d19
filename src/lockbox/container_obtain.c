/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/container_obtain.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fetch/container.h"

bool container_is_app(const struct verdict_target *t)
{
    for (size_t i = 0; i < t->hardware_id_count; i++)
        if (!strcmp(t->hardware_ids[i], "docker-compose"))
            return !t->is_ostree;
    return false;
}

static bool is_known(const struct record *r, const struct verdict_target *t)
{
    for (size_t i = 0; i < r->app_count; i++)
        if (!memcmp(r->apps[i].compose, t->sha256, HASH_SIZE))
            return true;
    return false;
}

static int fetch_apps(const struct container_request *request, const struct verdict *v, struct record *r,
                      struct err *e)
{
    r->apps = mem_zeroed(v->target_count, sizeof *r->apps);
    for (size_t i = 0; i < v->target_count; i++) {
        const struct verdict_target *t = &v->targets[i];
        if (!container_is_app(t) || is_known(r, t)) /* the same file under two names has one set of images */
            continue;
        if (container_fetch(request, t->sha256, &r->apps[r->app_count], e))
            return err_context(e, "'%s'", t->name);
        r->app_count++;
    }
    return 0;
}

static int read_logins(const struct container_options *o, struct registry_login *logins, struct err *e)
{
    for (size_t i = 0; i < o->login_count; i++) {
        const struct container_login *from = &o->logins[i];
        if (from->file && registry_login_read(from->registry, from->file, &logins[i], e))
            return -1;
        if (!from->file)
            logins[i] = (struct registry_login){.registry = mem_strdup(from->registry),
                                                .user = mem_strdup(from->user),
                                                .secret = mem_strdup(from->secret)};
    }
    return 0;
}

static int obtain_apps(struct cloud *cloud, const struct store *s, const struct verdict *v,
                       const struct container_job *job, const struct registry_login *logins, struct record *r,
                       struct err *e)
{
    const struct container_options *o = job->options;
    const struct registry_options options = {
        .http = cloud_http(cloud),
        .logins = logins,
        .login_count = o->login_count,
        .overrides = o->overrides,
        .override_count = o->override_count,
        .docker_folder = o->docker_folder,
    };
    struct container_request request = {
        .store = s,
        .platforms = o->platforms,
        .platform_count = o->platform_count,
        .earlier = job->earlier,
        .progress = job->progress,
    };
    if (registries_open(&options, &request.registries, e))
        return -1;
    int rc = fetch_apps(&request, v, r, e);
    registries_close(request.registries);
    return rc;
}

int container_obtain(struct cloud *cloud, const struct store *s, const struct verdict *v,
                     const struct container_job *job, struct record *r, struct err *e)
{
    struct registry_login *logins = mem_zeroed(job->options->login_count, sizeof *logins);
    int rc = read_logins(job->options, logins, e) || obtain_apps(cloud, s, v, job, logins, r, e) ? -1 : 0;
    for (size_t i = 0; i < job->options->login_count; i++)
        registry_login_free(&logins[i]);
    free(logins);
    return rc;
}
