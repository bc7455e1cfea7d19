/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/metadata.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/name.h"
#include "base/out.h"
#include "cloud/repository.h"

#define SNAPSHOT "snapshot.json"
#define TIMESTAMP "timestamp.json"
#define OFFLINE_SNAPSHOT "offline-snapshot.json"

/* Roles to be fetched together. */
struct batch {
    struct role_request *requests;
    size_t count, room;
};

static int fetch_director(struct cloud *c, const char *lockbox, struct cloud_metadata *m, struct err *e);
static int fetch_lockbox_once(struct cloud *c, const char *lockbox, struct cloud_metadata *m, struct err *e);
static int fetch_director_roots(struct cloud *c, struct cloud_metadata *m, struct err *e);
static int fetch_image_repo(struct cloud *c, struct cloud_metadata *m, struct err *e);
static int fetch_image_roles_once(struct cloud *c, struct cloud_metadata *m, bool *ret_fits, struct err *e);
static int fetch_image_roots(struct cloud *c, struct cloud_metadata *m, struct err *e);
static int fetch_root_chain(struct cloud *c, enum repository repository, int64_t last,
                            struct cloud_metadata *m, struct err *e);
static int fetch_further_roots(struct cloud *c, enum repository repository, int64_t version,
                               struct cloud_metadata *m, struct err *e);
static int check_listed_name(const char *name, size_t len, struct err *e);
static bool listed_versions_fit(const struct cloud_metadata *m, struct json_value meta);
static int64_t version_of(const struct buf *role);
static int64_t listed_version(const struct buf *role, const char *file);
static bool find_meta(struct json *doc, const struct buf *role, struct json_value *ret_meta);
static void batch_add(struct batch *b, enum repository repository, char *file, bool is_lockbox);
static int batch_fetch(struct cloud *c, struct batch *b, struct cloud_metadata *m, struct err *e);
static void batch_free(struct batch *b);
static int fetch_one(struct cloud *c, enum repository repository, const char *file, struct cloud_metadata *m,
                     struct err *e);
static char *path_of(enum repository repository, const char *file);
static void forget_image_repo(struct cloud_metadata *m);

int cloud_fetch_metadata(struct cloud *c, const char *lockbox, struct cloud_metadata *ret, struct err *e)
{
    AUTO(cloud_metadata) struct cloud_metadata m = {0};
    if (repository_check_lockbox_name(lockbox, e) || fetch_director(c, lockbox, &m, e) ||
        fetch_image_repo(c, &m, e))
        return -1;
    *ret = m;
    m = (struct cloud_metadata){0};
    return 0;
}

int cloud_fetch_lockboxes(struct cloud *c, struct cloud_metadata *ret, struct err *e)
{
    AUTO(cloud_metadata) struct cloud_metadata m = {0};
    AUTO(batch) struct batch lockboxes = {0};
    AUTO(json) struct json doc = {0};
    struct json_value meta;
    if (fetch_one(c, REPOSITORY_DIRECTOR, OFFLINE_SNAPSHOT, &m, e))
        return -1;
    const struct buf *snapshot = cloud_metadata_find(&m, "director/" OFFLINE_SNAPSHOT);
    if (!snapshot || !find_meta(&doc, snapshot, &meta))
        return err_set(e, ERR_BAD_ANSWER, "the director gives no list of lockboxes");
    if (json_count(meta) > METADATA_LOCKBOXES_MAX)
        return err_set(e, ERR_TOO_LARGE, "more than %d lockboxes", METADATA_LOCKBOXES_MAX);
    for (size_t i = 0; i < json_count(meta); i++) {
        size_t len;
        const char *file = json_key_at(meta, i, &len);
        if (check_listed_name(file, len, e))
            return -1;
        AUTO_FREE char *name = mem_strndup(file, len - strlen(".json"));
        if (repository_check_lockbox_name(name, e))
            return -1;
        batch_add(&lockboxes, REPOSITORY_DIRECTOR, mem_strndup(file, len), true);
    }
    if (batch_fetch(c, &lockboxes, &m, e))
        return -1;
    *ret = m;
    m = (struct cloud_metadata){0};
    return 0;
}

void cloud_metadata_put(struct cloud_metadata *m, char *path, struct buf *bytes)
{
    size_t i = 0;
    while (i < m->count && strcmp(m->files[i].path, path) != 0)
        i++;
    if (i == m->count) {
        mem_grow(&m->files, m->count, &m->room, sizeof *m->files);
        m->files[m->count++] = (struct cloud_file){.path = path};
    } else {
        free(path);
        m->total -= m->files[i].bytes.len;
        buf_free(&m->files[i].bytes);
    }
    m->total += bytes->len;
    m->files[i].bytes = *bytes;
    *bytes = (struct buf){0};
}

const struct buf *cloud_metadata_find(const struct cloud_metadata *m, const char *path)
{
    for (size_t i = 0; i < m->count; i++) {
        if (strcmp(m->files[i].path, path) == 0)
            return &m->files[i].bytes;
    }
    return NULL;
}

void cloud_metadata_free(struct cloud_metadata *m)
{
    for (size_t i = 0; i < m->count; i++) {
        free(m->files[i].path);
        buf_free(&m->files[i].bytes);
    }
    free(m->files);
    *m = (struct cloud_metadata){0};
}

/* ---- director ---- */

static int fetch_director(struct cloud *c, const char *lockbox, struct cloud_metadata *m, struct err *e)
{
    AUTO_FREE char *file = mem_format("%s.json", lockbox);
    AUTO_FREE char *path = path_of(REPOSITORY_DIRECTOR, file);
    for (unsigned round = 0; round < METADATA_ROUNDS; round++) {
        if (fetch_lockbox_once(c, lockbox, m, e))
            return -1;
        const struct buf *snapshot = cloud_metadata_find(m, "director/" OFFLINE_SNAPSHOT);
        if (snapshot && listed_version(snapshot, file) == version_of(cloud_metadata_find(m, path)))
            break;
    }
    return fetch_director_roots(c, m, e);
}

static int fetch_lockbox_once(struct cloud *c, const char *lockbox, struct cloud_metadata *m, struct err *e)
{
    AUTO(batch) struct batch batch = {0};
    AUTO_FREE char *file = mem_format("%s.json", lockbox);
    AUTO_FREE char *path = path_of(REPOSITORY_DIRECTOR, file);
    batch_add(&batch, REPOSITORY_DIRECTOR, mem_strdup(file), true);
    if (batch_fetch(c, &batch, m, e))
        return -1;
    if (!cloud_metadata_find(m, path))
        return err_set(e, ERR_NO_SUCH_LOCKBOX, "the cloud has no such lockbox");
    return fetch_one(c, REPOSITORY_DIRECTOR, OFFLINE_SNAPSHOT, m, e);
}

/* The un-versioned root is the newest one: it is kept under both of its names. Where it cannot be read, the
 * chain is followed as far as it goes: a root that is there is never left out. */
static int fetch_director_roots(struct cloud *c, struct cloud_metadata *m, struct err *e)
{
    if (fetch_one(c, REPOSITORY_DIRECTOR, "root.json", m, e))
        return -1;
    const struct buf *newest = cloud_metadata_find(m, "director/root.json");
    int64_t last = newest ? version_of(newest) : 0;
    if (last == 0)
        return fetch_further_roots(c, REPOSITORY_DIRECTOR, last, m, e);
    struct buf copy = {0};
    buf_add(&copy, newest->data, newest->len);
    cloud_metadata_put(m, mem_format("director/%" PRId64 ".root.json", last), &copy);
    return fetch_root_chain(c, REPOSITORY_DIRECTOR, last - 1, m, e);
}

/* ---- image repository ---- */

static int fetch_image_repo(struct cloud *c, struct cloud_metadata *m, struct err *e)
{
    bool fits = false;
    for (unsigned round = 0; round < METADATA_ROUNDS && !fits; round++) {
        forget_image_repo(m);
        if (fetch_image_roles_once(c, m, &fits, e))
            return -1;
    }
    return fetch_image_roots(c, m, e);
}

static int fetch_image_roles_once(struct cloud *c, struct cloud_metadata *m, bool *ret_fits, struct err *e)
{
    AUTO(batch) struct batch roles = {0};
    AUTO(json) struct json doc = {0};
    struct json_value meta;
    *ret_fits = false;
    if (fetch_one(c, REPOSITORY_IMAGE, TIMESTAMP, m, e) || fetch_one(c, REPOSITORY_IMAGE, SNAPSHOT, m, e))
        return -1;
    const struct buf *snapshot = cloud_metadata_find(m, "image-repo/" SNAPSHOT);
    if (!snapshot || !find_meta(&doc, snapshot, &meta))
        return 0;
    if (json_count(meta) > METADATA_DELEGATIONS_MAX)
        return err_set(e, ERR_TOO_LARGE, "the image repository has more than %d roles",
                       METADATA_DELEGATIONS_MAX);
    for (size_t i = 0; i < json_count(meta); i++) {
        size_t len;
        const char *file = json_key_at(meta, i, &len);
        if (check_listed_name(file, len, e))
            return -1;
        if (len != strlen("root.json") || memcmp(file, "root.json", len) != 0)
            batch_add(&roles, REPOSITORY_IMAGE, mem_strndup(file, len), false);
    }
    if (batch_fetch(c, &roles, m, e))
        return -1;
    const struct buf *timestamp = cloud_metadata_find(m, "image-repo/" TIMESTAMP);
    snapshot = cloud_metadata_find(m, "image-repo/" SNAPSHOT);
    *ret_fits = timestamp && listed_version(timestamp, SNAPSHOT) == version_of(snapshot) &&
                listed_versions_fit(m, meta);
    return 0;
}

/* The snapshot may know the newest root; whether it does or not, the chain goes on as long as the server has
 * a next one. */
static int fetch_image_roots(struct cloud *c, struct cloud_metadata *m, struct err *e)
{
    const struct buf *snapshot = cloud_metadata_find(m, "image-repo/" SNAPSHOT);
    int64_t version = snapshot ? listed_version(snapshot, "root.json") : 0;
    if (fetch_root_chain(c, REPOSITORY_IMAGE, version, m, e))
        return -1;
    return fetch_further_roots(c, REPOSITORY_IMAGE, version, m, e);
}

/* Roots 1 to last. */
static int fetch_root_chain(struct cloud *c, enum repository repository, int64_t last,
                            struct cloud_metadata *m, struct err *e)
{
    AUTO(batch) struct batch roots = {0};
    if (last > METADATA_ROOTS_MAX)
        return err_set(e, ERR_TOO_LARGE, "a chain of %" PRId64 " roots", last);
    for (int64_t version = 1; version <= last; version++)
        batch_add(&roots, repository, mem_format("%" PRId64 ".root.json", version), false);
    return batch_fetch(c, &roots, m, e);
}

/* The roots after `version`, as long as there is a next one. */
static int fetch_further_roots(struct cloud *c, enum repository repository, int64_t version,
                               struct cloud_metadata *m, struct err *e)
{
    for (bool is_there = true; is_there;) {
        if (++version > METADATA_ROOTS_MAX)
            return err_set(e, ERR_TOO_LARGE, "a chain of more than %d roots", METADATA_ROOTS_MAX);
        AUTO_FREE char *file = mem_format("%" PRId64 ".root.json", version);
        AUTO_FREE char *path = path_of(repository, file);
        if (fetch_one(c, repository, file, m, e))
            return -1;
        is_there = cloud_metadata_find(m, path) != NULL;
    }
    return 0;
}

/* ---- what roles say of each other: hints for asking, never trusted ---- */

/* A file name out of a snapshot becomes part of a URL and of a path: a plain "<role>.json", and none that
 * stands for a role of another kind. */
static int check_listed_name(const char *name, size_t len, struct err *e)
{
    static const char end[] = ".json";
    static const char root_end[] = ".root.json";
    bool has_end = len > strlen(end) && memcmp(name + len - strlen(end), end, strlen(end)) == 0;
    bool is_numbered_root = len > strlen(root_end) && strspn(name, "0123456789") == len - strlen(root_end) &&
                            memcmp(name + len - strlen(root_end), root_end, strlen(root_end)) == 0;
    bool is_other = (len == strlen(SNAPSHOT) && memcmp(name, SNAPSHOT, len) == 0) ||
                    (len == strlen(TIMESTAMP) && memcmp(name, TIMESTAMP, len) == 0) || is_numbered_root;
    if (has_end && !is_other && !memchr(name, '/', len))
        return name_check(name, len, e);
    AUTO(buf) struct buf shown = {0};
    out_escape(&shown, name, len);
    return err_set(e, ERR_UNSAFE_NAME, "the cloud lists a role under the name '%s'", buf_text(&shown));
}

static bool listed_versions_fit(const struct cloud_metadata *m, struct json_value meta)
{
    for (size_t i = 0; i < json_count(meta); i++) {
        size_t len;
        int64_t listed;
        struct json_value version;
        const char *key = json_key_at(meta, i, &len);
        AUTO_FREE char *file = mem_strndup(key, len);
        AUTO_FREE char *path = path_of(REPOSITORY_IMAGE, file);
        const struct buf *role = cloud_metadata_find(m, path);
        if (strcmp(file, "root.json") == 0)
            continue;
        if (!role || !json_get(json_at(meta, i), "version", &version) ||
            !json_integer(version, 1, INT32_MAX, &listed) || listed != version_of(role))
            return false;
    }
    return true;
}

/* 0 where there is none that can be read. */
static int64_t version_of(const struct buf *role)
{
    AUTO(json) struct json doc = {0};
    struct json_value signed_part, version;
    struct err ignored;
    int64_t number = 0;
    if (json_parse(&doc, role->data, role->len, &json_role_limits, &ignored) == 0 &&
        json_get(json_root(&doc), "signed", &signed_part) && json_get(signed_part, "version", &version))
        json_integer(version, 1, INT32_MAX, &number);
    return number;
}

static int64_t listed_version(const struct buf *role, const char *file)
{
    AUTO(json) struct json doc = {0};
    struct json_value meta, entry, version;
    int64_t number = 0;
    if (find_meta(&doc, role, &meta) && json_get(meta, file, &entry) && json_get(entry, "version", &version))
        json_integer(version, 1, INT32_MAX, &number);
    return number;
}

static bool find_meta(struct json *doc, const struct buf *role, struct json_value *ret_meta)
{
    struct json_value signed_part;
    struct err ignored;
    return json_parse(doc, role->data, role->len, &json_role_limits, &ignored) == 0 &&
           json_get(json_root(doc), "signed", &signed_part) &&
           json_get_typed(signed_part, "meta", JSON_OBJECT, ret_meta);
}

/* ---- batches ---- */

static void batch_add(struct batch *b, enum repository repository, char *file, bool is_lockbox)
{
    mem_grow(&b->requests, b->count, &b->room, sizeof *b->requests);
    b->requests[b->count++] =
        (struct role_request){.repository = repository, .file = file, .is_lockbox = is_lockbox};
}

static int batch_fetch(struct cloud *c, struct batch *b, struct cloud_metadata *m, struct err *e)
{
    if (repository_fetch(c, b->requests, b->count, METADATA_BYTES_MAX - m->total, e))
        return -1;
    for (size_t i = 0; i < b->count; i++) {
        struct role_request *r = &b->requests[i];
        if (!r->ret_is_missing)
            cloud_metadata_put(m, path_of(r->repository, r->file), &r->ret_bytes);
    }
    return 0;
}

static void batch_free(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        role_request_free(&b->requests[i]);
    free(b->requests);
}

static int fetch_one(struct cloud *c, enum repository repository, const char *file, struct cloud_metadata *m,
                     struct err *e)
{
    AUTO(batch) struct batch batch = {0};
    batch_add(&batch, repository, mem_strdup(file), false);
    return batch_fetch(c, &batch, m, e);
}

/* ---- the collection ---- */

static char *path_of(enum repository repository, const char *file)
{
    return mem_format("%s/%s", repository == REPOSITORY_DIRECTOR ? "director" : "image-repo", file);
}

static void forget_image_repo(struct cloud_metadata *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (strncmp(m->files[i].path, "image-repo/", strlen("image-repo/")) != 0) {
            m->files[kept++] = m->files[i];
            continue;
        }
        m->total -= m->files[i].bytes.len;
        free(m->files[i].path);
        buf_free(&m->files[i].bytes);
    }
    m->count = kept;
}
