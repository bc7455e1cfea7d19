/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/container_members.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *keep_path(struct container_members *m, char *path)
{
    m->paths[m->path_count++] = path;
    return path;
}

static char *manifest_path(const struct record_app *app, const uint8_t digest[HASH_SIZE])
{
    char compose_hex[HASH_HEX_SIZE], digest_hex[HASH_HEX_SIZE];
    hash_hex(app->compose, compose_hex);
    hash_hex(digest, digest_hex);
    return mem_format("metadata/docker/%s.manifests/%s.json", compose_hex, digest_hex);
}

static char *image_path(const struct record_app *app, const uint8_t digest[HASH_SIZE])
{
    char compose_hex[HASH_HEX_SIZE], digest_hex[HASH_HEX_SIZE];
    hash_hex(app->compose, compose_hex);
    hash_hex(digest, digest_hex);
    return mem_format("images/%s.images/%s.tar", compose_hex, digest_hex);
}

static void add_manifest(struct container_members *m, const struct store *s, const struct record_app *app,
                         const struct record_object *o)
{
    char object[STORE_PATH_SIZE];
    size_t i = m->file_count++;
    struct content *c = &m->contents[i];
    struct member *member = &m->members[m->count++];
    store_object_path(o->sha256, object);
    m->files[i] = (struct content_file){.dirfd = s->cache_fd, .path = keep_path(m, mem_strdup(object))};
    *c = (struct content){.size = o->size, .source = &content_from_file, .ctx = &m->files[i]};
    *member = (struct member){.path = keep_path(m, manifest_path(app, o->sha256)),
                              .size = o->size,
                              .contents = c,
                              .content_count = 1};
    memcpy(c->sha256, o->sha256, HASH_SIZE);
    memcpy(member->sha256, o->sha256, HASH_SIZE);
}

static void add_image(struct container_members *m, const struct store *s, const struct record_app *app,
                      const struct record_image *image)
{
    struct image_archive *archive = &m->archives[m->archive_count++];
    struct member *member = &m->members[m->count++];
    image_archive_make(s, image, archive);
    *member = (struct member){.path = keep_path(m, image_path(app, image->manifest)),
                              .size = image->tarball.size,
                              .contents = archive->contents,
                              .content_count = archive->count};
    memcpy(member->sha256, image->tarball.sha256, HASH_SIZE);
}

void container_members_make(const struct store *s, const struct record *r, struct container_members *ret)
{
    size_t manifests = 0, images = 0;
    for (size_t i = 0; i < r->app_count; i++) {
        manifests += r->apps[i].manifest_count;
        images += r->apps[i].image_count;
    }
    *ret = (struct container_members){
        .members = mem_zeroed(manifests + images, sizeof *ret->members),
        .archives = mem_zeroed(images, sizeof *ret->archives),
        .contents = mem_zeroed(manifests, sizeof *ret->contents),
        .files = mem_zeroed(manifests, sizeof *ret->files),
        .paths = mem_zeroed(2 * manifests + images, sizeof *ret->paths),
    };
    for (size_t i = 0; i < r->app_count; i++) {
        const struct record_app *app = &r->apps[i];
        for (size_t k = 0; k < app->manifest_count; k++)
            add_manifest(ret, s, app, &app->manifests[k]);
        for (size_t k = 0; k < app->image_count; k++)
            add_image(ret, s, app, &app->images[k]);
    }
}

void container_members_free(struct container_members *m)
{
    for (size_t i = 0; i < m->archive_count; i++)
        image_archive_free(&m->archives[i]);
    for (size_t i = 0; i < m->path_count; i++)
        free(m->paths[i]);
    free(m->archives);
    free(m->paths);
    free(m->files);
    free(m->contents);
    free(m->members);
    *m = (struct container_members){0};
}
