/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/container.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "fetch/container_plan.h"
#include "fetch/file.h"
#include "fetch/image_archive.h"

static int fetch_configs(const struct container_request *r, const struct container_plan *plan, struct err *e);
static int make_app(const struct container_request *r, const struct container_plan *plan,
                    const uint8_t compose[HASH_SIZE], struct record_app *ret, struct err *e);
static int fetch_layers(const struct container_request *r, const struct container_plan *plan, struct err *e);
static int measure_all(const struct container_request *r, struct record_app *app, struct err *e);

int container_fetch(const struct container_request *r, const uint8_t compose[HASH_SIZE],
                    struct record_app *ret, struct err *e)
{
    AUTO(container_plan) struct container_plan plan = {0};
    AUTO(record_app) struct record_app app = {0};
    if (container_plan_make(r, compose, &plan, e) || fetch_configs(r, &plan, e) ||
        make_app(r, &plan, compose, &app, e) || fetch_layers(r, &plan, e) || measure_all(r, &app, e))
        return -1;
    *ret = app;
    app = (struct record_app){0};
    return 0;
}

/* ---- blobs ---- */

/* A blob that is missing, and whom to ask for it. */
struct wanted {
    struct repository *repository;
    const struct planned_image *image;
    const struct image_blob *blob;
};

struct wanted_list {
    struct wanted *items;
    size_t count, room;
};

/* Shared layers are in many images and wanted once. */
static void want(struct wanted_list *list, const struct store *s, const struct planned_image *image,
                 const struct image_blob *blob)
{
    if (store_has(s, blob->sha256, blob->size))
        return;
    for (size_t i = 0; i < list->count; i++)
        if (!memcmp(list->items[i].blob->sha256, blob->sha256, HASH_SIZE) &&
            list->items[i].blob->size == blob->size)
            return;
    mem_grow(&list->items, list->count, &list->room, sizeof *list->items);
    list->items[list->count++] = (struct wanted){image->repository, image, blob};
}

static int fetch_from(struct http *http, const struct container_request *r, const struct wanted_list *list,
                      struct err *e)
{
    AUTO_FREE struct fetch_file *files = mem_zeroed(list->count, sizeof *files);
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct wanted *w = &list->items[i];
        if (repository_http(w->repository) != http)
            continue;
        files[count] = (struct fetch_file){.name = w->image->service->image,
                                           .url = repository_blob(w->repository, w->blob->sha256),
                                           .auth = repository_auth(w->repository),
                                           .size = w->blob->size};
        memcpy(files[count++].sha256, w->blob->sha256, HASH_SIZE);
    }
    int rc = fetch_files(http, r->store, files, count, r->progress, e);
    for (size_t i = 0; i < count; i++)
        free((void *)files[i].url);
    return rc;
}

/* Manifests may have come from the store, and the registry may not have been asked for anything yet: then it
 * is not known how it wants to be logged in to. */
static int meet_registries(const struct wanted_list *list, struct err *e)
{
    for (size_t i = 0; i < list->count; i++) {
        AUTO(buf) struct buf again = {0};
        const struct wanted *w = &list->items[i];
        if (!repository_was_asked(w->repository) &&
            repository_manifest(w->repository, w->image->digest, &again, e))
            return err_context(e, "image '%s'", w->image->service->image);
    }
    return 0;
}

static int fetch_wanted(const struct container_request *r, const struct wanted_list *list, struct err *e)
{
    if (meet_registries(list, e))
        return -1;
    for (size_t i = 0; i < list->count; i++) {
        struct http *http = repository_http(list->items[i].repository);
        bool done = false;
        for (size_t k = 0; k < i; k++)
            done = done || repository_http(list->items[k].repository) == http;
        if (done || fetch_from(http, r, list, e) == 0)
            continue;
        if (e->id == ERR_LOGIN_REFUSED)
            err_hint(e, "give a login with --login %s", repository_registry(list->items[i].repository));
        return -1;
    }
    return 0;
}

static int fetch_configs(const struct container_request *r, const struct container_plan *plan, struct err *e)
{
    struct wanted_list list = {0};
    for (size_t i = 0; i < plan->image_count; i++)
        want(&list, r->store, &plan->images[i], &plan->images[i].manifest.config);
    int rc = fetch_wanted(r, &list, e);
    free(list.items);
    return rc;
}

static int fetch_layers(const struct container_request *r, const struct container_plan *plan, struct err *e)
{
    struct wanted_list list = {0};
    for (size_t i = 0; i < plan->image_count; i++)
        for (size_t k = 0; k < plan->images[i].manifest.layer_count; k++)
            want(&list, r->store, &plan->images[i], &plan->images[i].manifest.layers[k]);
    int rc = fetch_wanted(r, &list, e);
    free(list.items);
    return rc;
}

/* ---- what becomes the record ---- */

/* Layers of the manifest and diff ids of the config belong together, one to one. */
static int fill_layers(const struct container_request *r, const struct image_manifest *m,
                       struct record_image *image, struct err *e)
{
    AUTO(buf) struct buf config = {0};
    uint8_t(*ids)[HASH_SIZE] = NULL;
    size_t count = 0;
    if (store_get(r->store, m->config.sha256, IMAGE_JSON_MAX, &config, e) ||
        image_config_diff_ids(config.data, config.len, &ids, &count, e))
        return -1;
    image->layers = mem_zeroed(count, sizeof *image->layers);
    image->layer_count = count == m->layer_count ? count : 0;
    for (size_t i = 0; i < image->layer_count; i++) {
        struct record_layer *l = &image->layers[i];
        l->blob.size = m->layers[i].size;
        memcpy(l->blob.sha256, m->layers[i].sha256, HASH_SIZE);
        memcpy(l->diff_id, ids[i], HASH_SIZE);
    }
    free(ids);
    if (count != m->layer_count)
        return err_set(e, ERR_BAD_IMAGE, "its config names %zu layers, its manifest %zu", count,
                       m->layer_count);
    return 0;
}

static int fill_image(const struct container_request *r, const struct planned_image *planned,
                      struct record_image *image, struct err *e)
{
    char hex[HASH_HEX_SIZE];
    hash_hex(planned->digest, hex);
    memcpy(image->manifest, planned->digest, HASH_SIZE);
    image->tag = mem_format("%s:digest_sha256_%s", planned->service->image, hex);
    image->config.size = planned->manifest.config.size;
    memcpy(image->config.sha256, planned->manifest.config.sha256, HASH_SIZE);
    if (fill_layers(r, &planned->manifest, image, e))
        return err_context(e, "image '%s'", planned->service->image);
    return 0;
}

static int make_app(const struct container_request *r, const struct container_plan *plan,
                    const uint8_t compose[HASH_SIZE], struct record_app *app, struct err *e)
{
    memcpy(app->compose, compose, HASH_SIZE);
    app->manifests = mem_zeroed(plan->manifest_count, sizeof *app->manifests);
    app->manifest_count = plan->manifest_count;
    if (plan->manifest_count)
        memcpy(app->manifests, plan->manifests, plan->manifest_count * sizeof *app->manifests);
    app->platforms = mem_zeroed(plan->platform_count, sizeof *app->platforms);
    for (; app->platform_count < plan->platform_count; app->platform_count++)
        app->platforms[app->platform_count] = mem_strdup(plan->platforms[app->platform_count]);
    app->images = mem_zeroed(plan->image_count, sizeof *app->images);
    for (size_t i = 0; i < plan->image_count; i++) {
        app->image_count++;
        if (fill_image(r, &plan->images[i], &app->images[i], e))
            return -1;
    }
    return 0;
}

/* ---- measuring ---- */

static bool is_same_layer(const struct record_layer *a, const struct record_layer *b)
{
    return !memcmp(a->blob.sha256, b->blob.sha256, HASH_SIZE) && !memcmp(a->diff_id, b->diff_id, HASH_SIZE);
}

static bool is_same_image(const struct record_image *a, const struct record_image *b)
{
    if (strcmp(a->tag, b->tag) != 0 || a->layer_count != b->layer_count ||
        memcmp(a->manifest, b->manifest, HASH_SIZE) != 0 ||
        memcmp(a->config.sha256, b->config.sha256, HASH_SIZE) != 0)
        return false;
    for (size_t i = 0; i < a->layer_count; i++)
        if (!is_same_layer(&a->layers[i], &b->layers[i]))
            return false;
    return true;
}

/* What is remembered was measured out of the same bytes. */
static bool remember(const struct record *earlier, struct record_image *image)
{
    for (size_t i = 0; earlier && i < earlier->app_count; i++)
        for (size_t k = 0; k < earlier->apps[i].image_count; k++) {
            const struct record_image *known = &earlier->apps[i].images[k];
            if (!is_same_image(known, image))
                continue;
            for (size_t n = 0; n < image->layer_count; n++)
                image->layers[n].size = known->layers[n].size;
            image->tarball = known->tarball;
            return true;
        }
    return false;
}

struct measuring {
    const struct container_request *request;
    struct record_image **images;
    struct err *errors;
};

static void measure_one(void *ctx, size_t i)
{
    struct measuring *m = ctx;
    if (image_archive_measure(m->request->store, m->images[i], m->request->progress, &m->errors[i]))
        err_context(&m->errors[i], "image '%s'", m->images[i]->tag);
}

/* Was it the image, or did the disk change what is in the store? What it changed is removed. */
static int blame_store(const struct container_request *r, struct record_app *app, struct err *e)
{
    const struct record fetched = {.apps = app, .app_count = 1};
    struct err ignored;
    size_t bad = 0;
    if (record_drop_damaged(r->store, &fetched, &bad, &ignored) || bad == 0)
        return -1;
    return err_hint(e, "the store's copy was damaged, and is removed now: run the same command again");
}

static int measure_all(const struct container_request *r, struct record_app *app, struct err *e)
{
    AUTO_FREE struct record_image **images = mem_zeroed(app->image_count, sizeof *images);
    AUTO_FREE struct err *errors = mem_zeroed(app->image_count, sizeof *errors);
    struct measuring m = {.request = r, .images = images, .errors = errors};
    size_t count = 0;
    for (size_t i = 0; i < app->image_count; i++)
        if (!remember(r->earlier, &app->images[i]))
            images[count++] = &app->images[i];
    progress_begin(r->progress, "unpack", 0);
    parallel_for(count, 0, measure_one, &m);
    progress_end(r->progress);
    for (size_t i = 0; i < count; i++)
        if (errors[i].id != ERR_NONE) {
            *e = errors[i];
            return blame_store(r, app, e);
        }
    return 0;
}
