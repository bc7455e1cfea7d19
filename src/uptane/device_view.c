/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/device_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/canonical.h"

static const struct {
    enum verdict_repo repo;
    const char *path;
} stored[] = {
    [STORED_OFFLINE_SNAPSHOT] = {REPO_DIRECTOR, "director/offline-snapshot.json"},
    [STORED_IMAGE_SNAPSHOT] = {REPO_IMAGE, "image-repo/snapshot.json"},
    [STORED_IMAGE_TARGETS] = {REPO_IMAGE, "image-repo/targets.json"},
};

const char *device_view_path(enum device_stored which)
{
    return stored[which].path;
}

bool device_view_trust(const struct verdict_input *in, enum verdict_repo repo, const uint8_t **ret_bytes,
                       size_t *ret_len)
{
    const struct device_roles *own = in->device ? &in->device->roots[repo] : NULL;
    if (own && own->count) {
        *ret_bytes = own->list[own->count - 1].bytes;
        *ret_len = own->list[own->count - 1].len;
        return true;
    }
    *ret_bytes = repo == REPO_DIRECTOR ? in->trust.director_root : in->trust.image_root;
    *ret_len = repo == REPO_DIRECTOR ? in->trust.director_root_len : in->trust.image_root_len;
    return *ret_bytes != NULL;
}

static struct verdict_file *find(const struct device_view *view, const char *path)
{
    for (size_t i = 0; i < view->file_count; i++)
        if (!strcmp(view->files[i].path, path))
            return &view->files[i];
    return NULL;
}

static bool is_numbered_root(const char *path)
{
    const char *name = strchr(path, '/');
    size_t digits = name ? strspn(name + 1, "0123456789") : 0;
    return digits && !strcmp(name + 1 + digits, ".root.json");
}

/* The client reads no root of this size, and takes that for the end of the chain. */
static void drop_large_roots(struct device_view *view)
{
    size_t kept = 0;
    for (size_t i = 0; i < view->file_count; i++)
        if (view->files[i].len <= DEVICE_ROLE_MAX || !is_numbered_root(view->files[i].path))
            view->files[kept++] = view->files[i];
    view->differs |= kept != view->file_count;
    view->file_count = kept;
}

/* Does the directory bring the root after the device's newest? Then it forgets what it has stored. Where the
 * roots of the device are not known, nothing tells that it does. */
static bool brings_root(const struct verdict_input *in, const struct device_view *view,
                        enum verdict_repo repo)
{
    const struct device_roles *own = &in->device->roots[repo];
    if (own->count == 0)
        return false;
    AUTO_FREE char *path = mem_format("%s/%lld.root.json", verdict_folder(repo),
                                      (long long)own->list[own->count - 1].version + 1);
    return find(view, path);
}

/* The version of a role on the stick; 0 where it cannot be read. */
static int64_t peek_version(const struct verdict_file *file, uint8_t ret_sha256[HASH_SIZE])
{
    AUTO(json) struct json doc = {0};
    struct json_value body, version;
    struct err unused;
    int64_t n;
    if (json_parse(&doc, file->bytes, file->len, &json_role_limits, &unused) ||
        !json_get(json_root(&doc), "signed", &body) || !json_get(body, "version", &version) ||
        !json_integer(version, 1, INT32_MAX, &n))
        return 0;
    canonical_hash(json_root(&doc), ret_sha256);
    return n;
}

static void overlay(struct device_view *view, enum device_stored which, const struct device_role *own)
{
    struct verdict_file *file = find(view, stored[which].path);
    uint8_t sha256[HASH_SIZE];
    int64_t version = file ? peek_version(file, sha256) : 0;
    if (version == 0 || own->version < version)
        return;
    uint8_t own_sha256[HASH_SIZE];
    bool known = own->has_sha256;
    memcpy(own_sha256, own->sha256, HASH_SIZE);
    if (own->bytes) {
        const struct verdict_file own_file = {.bytes = own->bytes, .len = own->len};
        known = peek_version(&own_file, own_sha256) != 0;
    }
    if (own->version == version && (!known || !memcmp(own_sha256, sha256, HASH_SIZE))) {
        view->takes_for_same[which] = !known;
        return;
    }
    view->differs = true;
    view->keeps[which] = true;
    view->blocks[which] = !own->bytes;
    if (own->bytes)
        *file = (struct verdict_file){.path = file->path, .bytes = own->bytes, .len = own->len};
}

/* The client reads a delegation that it has stored in the version that its snapshot lists from there. */
static void overlay_delegation(struct device_view *view, const struct device_role *own)
{
    AUTO_FREE char *path = mem_format("%s/%s.json", verdict_folder(REPO_IMAGE), own->name);
    struct verdict_file *file = find(view, path);
    uint8_t sha256[HASH_SIZE], own_sha256[HASH_SIZE];
    const struct verdict_file own_file = {
        .path = file ? file->path : NULL, .bytes = own->bytes, .len = own->len};
    if (!file || !own->bytes || own->version < peek_version(file, sha256) ||
        peek_version(&own_file, own_sha256) == 0 || !memcmp(own_sha256, sha256, HASH_SIZE))
        return;
    *file = own_file;
    view->differs = true;
}

void device_view_make(const struct verdict_input *in, struct device_view *ret)
{
    struct device_view view = {
        .lies = in, .files = mem_zeroed(in->file_count, sizeof *view.files), .file_count = in->file_count};
    for (size_t i = 0; i < in->file_count; i++)
        view.files[i] = in->files[i];
    drop_large_roots(&view);
    for (enum verdict_repo repo = REPO_DIRECTOR; in->device && repo <= REPO_IMAGE; repo++)
        view.remembers[repo] = !brings_root(in, &view, repo);
    for (enum device_stored i = 0; in->device && i < STORED_COUNT; i++)
        if (in->device->stored[i].is_known && view.remembers[stored[i].repo])
            overlay(&view, i, &in->device->stored[i]);
    for (size_t i = 0; in->device && i < in->device->delegations.count; i++)
        overlay_delegation(&view, &in->device->delegations.list[i]);
    *ret = view;
}

void device_view_free(struct device_view *view)
{
    free(view->files);
    *view = (struct device_view){0};
}
