/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/obtain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cloud/metadata.h"
#include "crypto/canonical.h"
#include "fetch/file.h"

static int take_roles(struct cloud_metadata *m, struct roles *ret, struct err *e)
{
    for (size_t i = 0; i < m->count; i++)
        if (roles_add(ret, m->files[i].path, &m->files[i].bytes, e))
            return -1;
    return 0;
}

/* ---- against the history of roots ---- */

static bool read_root(const void *bytes, size_t len, int64_t *ret_version, uint8_t ret_digest[HASH_SIZE])
{
    AUTO(json) struct json doc = {0};
    struct json_value signed_part, version;
    struct err ignored;
    if (json_parse(&doc, bytes, len, &json_role_limits, &ignored) ||
        !json_get_typed(json_root(&doc), "signed", JSON_OBJECT, &signed_part) ||
        !json_get(signed_part, "version", &version) || !json_integer(version, 1, INT32_MAX, ret_version))
        return false;
    canonical_hash(signed_part, ret_digest);
    return true;
}

/* The newest root ever seen must be among those served, unchanged; or the history was rolled back or
 * rewritten. */
static int compare_with_newest(const struct roles *roles, const char *repo, const struct buf *newest,
                               struct err *e)
{
    int64_t pinned, served;
    uint8_t pinned_digest[HASH_SIZE], served_digest[HASH_SIZE];
    if (!newest->len)
        return 0;
    if (!read_root(newest->data, newest->len, &pinned, pinned_digest))
        return err_set(e, ERR_BAD_CONFIG, "the newest root of '%s' in the state folder cannot be read", repo);
    AUTO_FREE char *path = mem_format("%s/%" PRId64 ".root.json", repo, pinned);
    for (size_t i = 0; i < roles->count; i++) {
        const struct verdict_file *f = &roles->files[i];
        if (strcmp(f->path, path) != 0 || !read_root(f->bytes, f->len, &served, served_digest))
            continue;
        if (memcmp(pinned_digest, served_digest, HASH_SIZE) != 0)
            return err_set(e, ERR_ROOT_CHANGED, "%s is not the root that was seen before", path);
        return 0;
    }
    return err_set(e, ERR_ROLLBACK, "%s was seen before and is not served any more", path);
}

static void copy_root(const struct roles *roles, int index, struct buf *to)
{
    if (index < 0)
        return;
    buf_clear(to);
    buf_add(to, roles->files[index].bytes, roles->files[index].len);
}

/* The lowest root of the repository: the start of its chain where nothing was pinned. */
static int lowest_root(const struct roles *roles, enum verdict_repo repo)
{
    const char *folder = repo == REPO_DIRECTOR ? "director" : "image-repo";
    for (int version = 1; version <= (int)ROLES_COUNT_MAX; version++) {
        AUTO_FREE char *path = mem_format("%s/%d.root.json", folder, version);
        for (size_t i = 0; i < roles->count; i++)
            if (!strcmp(roles->files[i].path, path))
                return (int)i;
    }
    return -1;
}

static void advance_pins(const struct roles *roles, const struct verdict *v, struct pins *pins)
{
    for (size_t repo = 0; repo < COUNT_OF(pins->first); repo++) {
        if (!pins->first[repo].len)
            copy_root(roles, lowest_root(roles, (enum verdict_repo)repo), &pins->first[repo]);
        copy_root(roles, v->newest_root[repo], &pins->newest[repo]);
    }
}

static int judge_against_pins(const struct pins *pins, const struct roles *roles, const char *name,
                              int64_t now, struct verdict *ret, struct err *e)
{
    const struct judge judge = {.trust = judge_trust(pins), .now = now};
    if (compare_with_newest(roles, "director", &pins->newest[PIN_DIRECTOR], e) ||
        compare_with_newest(roles, "image-repo", &pins->newest[PIN_IMAGE], e) ||
        judge_roles(&judge, roles, name, ret, e))
        return -1;
    return judge_refuse(ret, e);
}

/* ---- packages ---- */

static int refuse_unsupported(const struct verdict *v, struct err *e)
{
    for (size_t i = 0; i < v->target_count; i++) {
        const struct verdict_target *t = &v->targets[i];
        bool compose = false;
        for (size_t k = 0; k < t->hardware_id_count; k++)
            compose = compose || !strcmp(t->hardware_ids[k], "docker-compose");
        if (t->is_ostree || compose)
            return err_set(e, ERR_UNSUPPORTED_TARGET,
                           "'%s' is %s, which this version of airlock does not carry yet", t->name,
                           compose ? "a container application" : "an OSTree image");
    }
    return 0;
}

static int fetch_targets(struct cloud *cloud, const struct store *s, const struct verdict *v,
                         struct progress *progress, struct err *e)
{
    size_t n = v->target_count;
    struct cloud_source *sources = mem_zeroed(n, sizeof *sources);
    AUTO_FREE struct fetch_file *files = mem_zeroed(n, sizeof *files);
    for (size_t i = 0; i < n; i++) {
        const struct verdict_target *t = &v->targets[i];
        cloud_target_source(cloud, t->name, t->uri, &sources[i]);
        files[i] = (struct fetch_file){
            .name = t->name, .url = sources[i].url, .auth = sources[i].auth, .size = t->length};
        memcpy(files[i].sha256, t->sha256, HASH_SIZE);
    }
    int rc = fetch_files(cloud_http(cloud), s, files, n, progress, e);
    for (size_t i = 0; i < n; i++)
        cloud_source_free(&sources[i]);
    free(sources);
    return rc;
}

static int keep_record(const struct store *s, const char *profile, const struct roles *roles,
                       const struct verdict *v, int64_t now, struct err *e)
{
    AUTO(record)
    struct record r = {
        .lockbox = mem_strdup(v->lockbox),
        .version = v->lockbox_version,
        .fetched_at = now,
        .roles = mem_zeroed(roles->count, sizeof *r.roles),
        .targets = mem_zeroed(v->target_count, sizeof *r.targets),
    };
    for (; r.role_count < roles->count; r.role_count++) {
        const struct verdict_file *f = &roles->files[r.role_count];
        struct record_file *to = &r.roles[r.role_count];
        *to = (struct record_file){.path = mem_strdup(f->path), .size = f->len};
        if (store_put(s, f->bytes, f->len, to->sha256, e))
            return -1;
    }
    for (; r.target_count < v->target_count; r.target_count++) {
        const struct verdict_target *t = &v->targets[r.target_count];
        struct record_file *to = &r.targets[r.target_count];
        *to = (struct record_file){.path = mem_strdup(t->name), .size = t->length};
        memcpy(to->sha256, t->sha256, HASH_SIZE);
    }
    return record_save(s, profile, &r, e);
}

/* Roots that a person gives count instead of the pinned ones; where nothing was pinned, they are from now on.
 */
static void trust_given(const struct pins *given, struct pins *pins)
{
    for (size_t repo = 0; given && repo < COUNT_OF(pins->first); repo++) {
        if (!given->first[repo].len)
            continue;
        buf_clear(&pins->first[repo]);
        buf_add(&pins->first[repo], given->first[repo].data, given->first[repo].len);
    }
}

int obtain_lockbox(struct cloud *cloud, const struct store *s, const struct obtain_request *r,
                   struct obtained *ret, struct err *e)
{
    AUTO(cloud_metadata) struct cloud_metadata metadata = {0};
    AUTO(roles) struct roles roles = {0};
    AUTO(pins) struct pins pins = {0};
    AUTO(verdict) struct verdict v = {0};
    if (pins_load(s, r->profile, &pins, e))
        return -1;
    bool first_contact = !pins.first[PIN_DIRECTOR].len || !pins.first[PIN_IMAGE].len;
    trust_given(r->trust, &pins);
    if (cloud_fetch_metadata(cloud, r->name, &metadata, e) || take_roles(&metadata, &roles, e) ||
        judge_against_pins(&pins, &roles, r->name, r->now, &v, e) || refuse_unsupported(&v, e))
        return -1;
    advance_pins(&roles, &v, &pins);
    if (pins_save(s, r->profile, &pins, e) || fetch_targets(cloud, s, &v, r->progress, e) ||
        keep_record(s, r->profile, &roles, &v, r->now, e))
        return -1;
    *ret = (struct obtained){
        .lockbox = mem_strdup(v.lockbox),
        .version = v.lockbox_version,
        .targets = v.target_count,
        .valid_until = v.valid_until,
        .valid_until_role = mem_strdup(v.valid_until_role),
        .first_contact = first_contact,
    };
    for (size_t i = 0; i < v.target_count; i++)
        ret->bytes += v.targets[i].length;
    return 0;
}

void obtained_free(struct obtained *o)
{
    free(o->lockbox);
    free(o->valid_until_role);
    *o = (struct obtained){0};
}
