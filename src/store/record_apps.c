/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_apps.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/mem.h"

/* ---- printing ---- */

static void add_hash(cJSON *to, const char *key, const uint8_t sha256[HASH_SIZE])
{
    char hex[HASH_HEX_SIZE];
    hash_hex(sha256, hex);
    cJSON_AddStringToObject(to, key, hex);
}

static cJSON *print_object(const struct record_object *o)
{
    cJSON *to = cJSON_CreateObject();
    add_hash(to, "sha256", o->sha256);
    cJSON_AddNumberToObject(to, "size", (double)o->size);
    return to;
}

static cJSON *print_image(const struct record_image *image)
{
    cJSON *to = cJSON_CreateObject();
    add_hash(to, "manifest", image->manifest);
    cJSON_AddStringToObject(to, "tag", image->tag);
    cJSON_AddItemToObject(to, "config", print_object(&image->config));
    cJSON_AddItemToObject(to, "tarball", print_object(&image->tarball));
    cJSON *layers = cJSON_AddArrayToObject(to, "layers");
    for (size_t i = 0; i < image->layer_count; i++) {
        cJSON *layer = print_object(&image->layers[i].blob);
        add_hash(layer, "diff_id", image->layers[i].diff_id);
        cJSON_AddNumberToObject(layer, "unpacked", (double)image->layers[i].size);
        cJSON_AddItemToArray(layers, layer);
    }
    return to;
}

static cJSON *print_app(const struct record_app *app)
{
    cJSON *to = cJSON_CreateObject();
    add_hash(to, "compose", app->compose);
    cJSON *platforms = cJSON_AddArrayToObject(to, "platforms");
    for (size_t i = 0; i < app->platform_count; i++)
        cJSON_AddItemToArray(platforms, cJSON_CreateString(app->platforms[i]));
    cJSON *manifests = cJSON_AddArrayToObject(to, "manifests");
    for (size_t i = 0; i < app->manifest_count; i++)
        cJSON_AddItemToArray(manifests, print_object(&app->manifests[i]));
    cJSON *images = cJSON_AddArrayToObject(to, "images");
    for (size_t i = 0; i < app->image_count; i++)
        cJSON_AddItemToArray(images, print_image(&app->images[i]));
    return to;
}

void record_apps_print(cJSON *root, const struct record *r)
{
    cJSON *apps = cJSON_AddArrayToObject(root, "apps");
    for (size_t i = 0; i < r->app_count; i++)
        cJSON_AddItemToArray(apps, print_app(&r->apps[i]));
}

/* ---- reading ---- */

static bool read_hash(struct json_value v, const char *key, uint8_t ret[HASH_SIZE])
{
    struct json_value hash;
    size_t len;
    if (!json_get_typed(v, key, JSON_STRING, &hash))
        return false;
    const char *hex = json_string(hash, &len);
    return hex_decode(hex, len, ret, HASH_SIZE);
}

static bool read_size(struct json_value v, const char *key, uint64_t *ret)
{
    struct json_value size;
    int64_t bytes;
    if (!json_get(v, key, &size) || !json_integer(size, 0, INT64_MAX, &bytes))
        return false;
    *ret = (uint64_t)bytes;
    return true;
}

static bool read_object(struct json_value v, struct record_object *ret)
{
    return read_hash(v, "sha256", ret->sha256) && read_size(v, "size", &ret->size);
}

static bool read_layer(struct json_value v, struct record_layer *ret)
{
    return read_object(v, &ret->blob) && read_hash(v, "diff_id", ret->diff_id) &&
           read_size(v, "unpacked", &ret->size);
}

static bool read_image(struct json_value v, struct record_image *ret)
{
    struct json_value tag, config, tarball, layers;
    if (!read_hash(v, "manifest", ret->manifest) || !json_get_typed(v, "tag", JSON_STRING, &tag) ||
        !json_get(v, "config", &config) || !read_object(config, &ret->config) ||
        !json_get(v, "tarball", &tarball) || !read_object(tarball, &ret->tarball) ||
        !json_get_typed(v, "layers", JSON_ARRAY, &layers))
        return false;
    ret->tag = json_string_copy(tag);
    ret->layers = mem_zeroed(json_count(layers), sizeof *ret->layers);
    for (; ret->layer_count < json_count(layers); ret->layer_count++)
        if (!read_layer(json_at(layers, ret->layer_count), &ret->layers[ret->layer_count]))
            return false;
    return true;
}

static bool read_platforms(struct json_value list, struct record_app *app)
{
    app->platforms = mem_zeroed(json_count(list), sizeof *app->platforms);
    for (; app->platform_count < json_count(list); app->platform_count++) {
        char *text = json_string_copy(json_at(list, app->platform_count));
        if (!text)
            return false;
        app->platforms[app->platform_count] = text;
    }
    return true;
}

static bool read_app(struct json_value v, struct record_app *app)
{
    struct json_value platforms, manifests, images;
    if (!read_hash(v, "compose", app->compose) || !json_get_typed(v, "platforms", JSON_ARRAY, &platforms) ||
        !json_get_typed(v, "manifests", JSON_ARRAY, &manifests) ||
        !json_get_typed(v, "images", JSON_ARRAY, &images) || !read_platforms(platforms, app))
        return false;
    app->manifests = mem_zeroed(json_count(manifests), sizeof *app->manifests);
    for (; app->manifest_count < json_count(manifests); app->manifest_count++)
        if (!read_object(json_at(manifests, app->manifest_count), &app->manifests[app->manifest_count]))
            return false;
    app->images = mem_zeroed(json_count(images), sizeof *app->images);
    for (size_t i = 0; i < json_count(images); i++) {
        app->image_count++; /* what is half read is freed too */
        if (!read_image(json_at(images, i), &app->images[i]))
            return false;
    }
    return true;
}

bool record_apps_read(struct json_value root, struct record *r)
{
    struct json_value apps;
    if (!json_get(root, "apps", &apps))
        return true; /* written before there were any */
    if (json_type(apps) != JSON_ARRAY)
        return false;
    r->apps = mem_zeroed(json_count(apps), sizeof *r->apps);
    for (size_t i = 0; i < json_count(apps); i++) {
        r->app_count++;
        if (!read_app(json_at(apps, i), &r->apps[i]))
            return false;
    }
    return true;
}

/* ---- the rest ---- */

int record_apps_each(const struct record *r,
                     int (*each)(void *ctx, const uint8_t sha256[HASH_SIZE], struct err *e), void *ctx,
                     struct err *e)
{
    for (size_t i = 0; i < r->app_count; i++) {
        const struct record_app *app = &r->apps[i];
        for (size_t k = 0; k < app->manifest_count; k++)
            if (each(ctx, app->manifests[k].sha256, e))
                return -1;
        for (size_t k = 0; k < app->image_count; k++) {
            const struct record_image *image = &app->images[k];
            if (each(ctx, image->config.sha256, e))
                return -1;
            for (size_t n = 0; n < image->layer_count; n++)
                if (each(ctx, image->layers[n].blob.sha256, e))
                    return -1;
        }
    }
    return 0;
}

void record_app_free(struct record_app *a)
{
    for (size_t i = 0; i < a->image_count; i++) {
        free(a->images[i].tag);
        free(a->images[i].layers);
    }
    for (size_t i = 0; i < a->platform_count; i++)
        free(a->platforms[i]);
    free(a->images);
    free(a->platforms);
    free(a->manifests);
    *a = (struct record_app){0};
}
