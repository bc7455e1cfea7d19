/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/obtain.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cloud/metadata.h"
#include "fetch/file.h"
#include "lockbox/history.h"
#include "lockbox/ostree_members.h"
#include "store/root_mark.h"
#include "uptane/refusal.h"

static int take_roles(struct cloud_metadata *m, struct roles *ret, struct err *e)
{
    for (size_t i = 0; i < m->count; i++)
        if (roles_add(ret, m->files[i].path, &m->files[i].bytes, e))
            return -1;
    return 0;
}

/* ---- roles ---- */

static int judge_from(const struct pins *pins, const struct roles *roles, const char *name, int64_t now,
                      struct verdict *ret, struct err *e)
{
    const struct judge judge = {.trust = judge_trust(pins), .now = now};
    return judge_roles(&judge, roles, name, ret, e) || refusal_check(ret, e) ? -1 : 0;
}

/* As a device sees it that was provisioned with these roots. They do not take the place of what is pinned: an
 * option must not be a way around an alarm. */
static int judge_from_given(const struct pins *given, const struct obtain_request *r,
                            const struct roles *roles, struct err *e)
{
    AUTO(verdict) struct verdict v = {0};
    return given ? judge_from(given, roles, r->name, r->now, &v, e) : 0;
}

static void describe_contact(const struct history *h, struct obtain_contact *ret)
{
    for (size_t repo = 0; repo < COUNT_OF(h->pinned_now); repo++) {
        const struct buf *pin = &h->pins.first[repo];
        struct root_mark mark;
        struct err ignored;
        if (!h->pinned_now[repo] || root_mark_read(pin->data, pin->len, &mark, &ignored))
            continue;
        ret->pinned[repo] = true;
        ret->origin[repo] = h->memory.repos[repo].origin;
        memcpy(ret->fingerprint[repo], mark.fingerprint, HASH_SIZE);
    }
}

/* The history stays locked from before the roles are asked for until they are remembered; packages, which
 * take long, come after. */
static int obtain_roles(struct cloud *cloud, const struct store *s, const struct obtain_request *r,
                        struct roles *roles, struct verdict *v, struct err *e)
{
    AUTO(cloud_metadata) struct cloud_metadata metadata = {0};
    AUTO(history) struct history h = HISTORY_CLOSED;
    if (history_open(s, r->profile, &h, e) || cloud_fetch_metadata(cloud, r->name, &metadata, e) ||
        take_roles(&metadata, roles, e) || history_check_roots(&h, r->trust, roles, e) ||
        judge_from(&h.pins, roles, r->name, r->now, v, e) || judge_from_given(r->trust, r, roles, e) ||
        history_advance(&h, s, r->now, roles, v, e))
        return -1;
    describe_contact(&h, r->contact);
    return 0;
}

/* ---- packages ---- */

static int fetch_targets(struct cloud *cloud, const struct store *s, const struct verdict *v,
                         struct progress *progress, struct err *e)
{
    size_t n = 0;
    struct cloud_source *sources = mem_zeroed(v->target_count, sizeof *sources);
    AUTO_FREE struct fetch_file *files = mem_zeroed(v->target_count, sizeof *files);
    for (size_t i = 0; i < v->target_count; i++) {
        const struct verdict_target *t = &v->targets[i];
        if (t->is_ostree) /* ostree_members_fetch() */
            continue;
        cloud_target_source(cloud, t->name, t->uri, &sources[n]);
        files[n] = (struct fetch_file){
            .name = t->name, .url = sources[n].url, .auth = sources[n].auth, .size = t->length};
        memcpy(files[n++].sha256, t->sha256, HASH_SIZE);
    }
    int rc = n == 0 ? 0 : fetch_files(cloud_http(cloud), s, files, n, progress, e);
    for (size_t i = 0; i < n; i++)
        cloud_source_free(&sources[i]);
    free(sources);
    return rc;
}

/* The roles are kept here, all else is in the store already. */
static int make_record(const struct store *s, const struct roles *roles, const struct verdict *v,
                       struct fetched_commits *images, int64_t now, struct record *r, struct err *e)
{
    *r = (struct record){
        .lockbox = mem_strdup(v->lockbox),
        .version = v->lockbox_version,
        .fetched_at = now,
        .roles = mem_zeroed(roles->count, sizeof *r->roles),
        .targets = mem_zeroed(v->target_count, sizeof *r->targets),
    };
    for (; r->role_count < roles->count; r->role_count++) {
        const struct verdict_file *f = &roles->files[r->role_count];
        struct record_file *to = &r->roles[r->role_count];
        *to = (struct record_file){.path = mem_strdup(f->path), .size = f->len};
        if (store_put(s, f->bytes, f->len, to->sha256, e))
            return -1;
    }
    ostree_members_record(images, r);
    for (size_t i = 0; i < v->target_count; i++) {
        const struct verdict_target *t = &v->targets[i];
        struct record_file *to = &r->targets[r->target_count];
        if (t->is_ostree)
            continue;
        r->target_count++;
        *to = (struct record_file){.path = mem_strdup(t->name), .size = t->length};
        memcpy(to->sha256, t->sha256, HASH_SIZE);
    }
    return 0;
}

/* Containers last: which images they are stands in targets. */
static int keep_record(struct cloud *cloud, const struct store *s, const struct obtain_request *r,
                       const struct verdict *v, struct record *record, struct err *e)
{
    AUTO(record) struct record earlier = {0};
    struct err ignored;
    bool known = record_load(s, r->profile, r->name, &earlier, &ignored) == 0;
    const struct container_job job = {
        .options = &r->containers, .earlier = known ? &earlier : NULL, .progress = r->progress};
    if (container_obtain(cloud, s, v, &job, record, e))
        return -1;
    return record_save(s, r->profile, record, e);
}

static bool is_said_before(const struct record *r, size_t app, const char *platform)
{
    for (size_t i = 0; i < app; i++)
        for (size_t k = 0; k < r->apps[i].platform_count; k++)
            if (!strcmp(r->apps[i].platforms[k], platform))
                return true;
    return false;
}

static void describe_images(const struct record *r, struct obtained *o)
{
    AUTO(buf) struct buf platforms = {0};
    for (size_t i = 0; i < r->app_count; i++) {
        const struct record_app *app = &r->apps[i];
        o->images += app->image_count;
        for (size_t k = 0; k < app->image_count; k++)
            o->image_bytes += app->images[k].tarball.size;
        for (size_t k = 0; k < app->platform_count; k++)
            if (!is_said_before(r, i, app->platforms[k]))
                buf_addf(&platforms, "%s%s", platforms.len ? ", " : "", app->platforms[k]);
    }
    o->platforms = platforms.len ? buf_steal_text(&platforms) : NULL;
}

int obtain_lockbox(struct cloud *cloud, const struct store *s, const struct obtain_request *r,
                   struct obtained *ret, struct err *e)
{
    AUTO(roles) struct roles roles = {0};
    AUTO(verdict) struct verdict v = {0};
    AUTO(fetched_commits) struct fetched_commits images = {0};
    AUTO(record) struct record record = {0};
    if (obtain_roles(cloud, s, r, &roles, &v, e) || fetch_targets(cloud, s, &v, r->progress, e) ||
        ostree_members_fetch(cloud, s, &v, r->progress, &images, e) ||
        make_record(s, &roles, &v, &images, r->now, &record, e) || keep_record(cloud, s, r, &v, &record, e))
        return -1;
    *ret = (struct obtained){
        .lockbox = mem_strdup(v.lockbox),
        .version = v.lockbox_version,
        .bytes = images.bytes,
        .targets = v.target_count,
        .valid_until = v.valid_until,
        .valid_until_role = mem_strdup(v.valid_until_role),
    };
    for (size_t i = 0; i < v.target_count; i++)
        ret->bytes += v.targets[i].length;
    describe_images(&record, ret);
    return 0;
}

void obtained_free(struct obtained *o)
{
    free(o->lockbox);
    free(o->valid_until_role);
    free(o->platforms);
    *o = (struct obtained){0};
}
