/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/name.h"
#include "store/ostree_repo.h"
#include "store/record_apps.h"

#define SCHEMA 1

static int record_path(const char *profile, const char *lockbox, char **ret, struct err *e)
{
    if (name_check_text(profile, e) || name_check_text(lockbox, e))
        return -1;
    *ret = mem_format("lockboxes/%s/%s.json", profile, lockbox);
    return 0;
}

static void add_files(cJSON *root, const char *key, const struct record_file *files, size_t n)
{
    cJSON *list = cJSON_AddArrayToObject(root, key);
    for (size_t i = 0; i < n; i++) {
        char hex[HASH_HEX_SIZE];
        cJSON *file = cJSON_CreateObject();
        hash_hex(files[i].sha256, hex);
        cJSON_AddStringToObject(file, "path", files[i].path);
        cJSON_AddStringToObject(file, "sha256", hex);
        cJSON_AddNumberToObject(file, "size", (double)files[i].size);
        cJSON_AddItemToArray(list, file);
    }
}

int record_save(const struct store *s, const char *profile, const struct record *r, struct err *e)
{
    AUTO_FREE char *path = NULL;
    char fetched_at[CLOCK_TEXT_SIZE];
    if (record_path(profile, r->lockbox, &path, e))
        return -1;
    clock_format(r->fetched_at, fetched_at);
    cJSON *root = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "schema", SCHEMA);
    cJSON_AddStringToObject(root, "lockbox", r->lockbox);
    cJSON_AddNumberToObject(root, "version", (double)r->version);
    cJSON_AddStringToObject(root, "fetched_at", fetched_at);
    add_files(root, "roles", r->roles, r->role_count);
    add_files(root, "targets", r->targets, r->target_count);
    if (r->ostree_count)
        add_files(root, "ostree", r->ostree, r->ostree_count);
    record_apps_print(root, r);
    AUTO_FREE char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return fs_replace_cached_at(s->cache_fd, path, text, strlen(text), 0600, e);
}

static bool read_file(struct json_value v, struct record_file *ret)
{
    struct json_value path, hash, size;
    int64_t bytes;
    size_t len;
    if (!json_get_typed(v, "path", JSON_STRING, &path) || !json_get_typed(v, "sha256", JSON_STRING, &hash) ||
        !json_get(v, "size", &size) || !json_integer(size, 0, INT64_MAX, &bytes))
        return false;
    const char *hex = json_string(hash, &len);
    if (!hex_decode(hex, len, ret->sha256, HASH_SIZE))
        return false;
    ret->path = json_string_copy(path);
    ret->size = (uint64_t)bytes;
    return true;
}

static bool read_files(struct json_value root, const char *key, struct record_file **ret, size_t *ret_count)
{
    struct json_value list;
    if (!json_get_typed(root, key, JSON_ARRAY, &list))
        return false;
    *ret = mem_zeroed(json_count(list), sizeof **ret);
    for (; *ret_count < json_count(list); (*ret_count)++)
        if (!read_file(json_at(list, *ret_count), &(*ret)[*ret_count]))
            return false;
    return true;
}

/* Not there where the lockbox has no OSTree image. Only files of the repository are taken for some. */
static bool read_ostree(struct json_value root, struct record *r)
{
    static const char folder[] = STORE_OSTREE "objects/";
    struct json_value list;
    struct err ignored;
    if (!json_get(root, "ostree", &list))
        return true;
    if (!read_files(root, "ostree", &r->ostree, &r->ostree_count))
        return false;
    for (size_t i = 0; i < r->ostree_count; i++)
        if (strncmp(r->ostree[i].path, folder, strlen(folder)) != 0 ||
            name_check_text(r->ostree[i].path, &ignored))
            return false;
    return true;
}

static bool read_record(struct json_value root, struct record *r)
{
    struct json_value schema, lockbox, version, fetched_at;
    int64_t number;
    if (!json_get(root, "schema", &schema) || !json_integer(schema, SCHEMA, SCHEMA, &number) ||
        !json_get_typed(root, "lockbox", JSON_STRING, &lockbox) || !json_get(root, "version", &version) ||
        !json_integer(version, 1, INT32_MAX, &r->version) ||
        !json_get_typed(root, "fetched_at", JSON_STRING, &fetched_at))
        return false;
    r->lockbox = json_string_copy(lockbox);
    AUTO_FREE char *time = json_string_copy(fetched_at);
    return clock_parse(time, &r->fetched_at) && read_files(root, "roles", &r->roles, &r->role_count) &&
           read_files(root, "targets", &r->targets, &r->target_count) && read_ostree(root, r) &&
           record_apps_read(root, r);
}

int record_load(const struct store *s, const char *profile, const char *lockbox, struct record *ret,
                struct err *e)
{
    AUTO_FREE char *path = NULL;
    AUTO(buf) struct buf text = {0};
    AUTO(json) struct json doc = {0};
    const struct json_limits limits = {.bytes = RECORD_BYTES_MAX, .depth = 8, .nodes = RECORD_NODES_MAX};
    if (record_path(profile, lockbox, &path, e))
        return -1;
    bool has_store = s->cache_fd >= 0; /* store_look() makes none */
    if (!has_store || fs_read_at(s->cache_fd, path, RECORD_BYTES_MAX, &text, e)) {
        if (has_store && e->id != ERR_NO_SUCH_PATH)
            return -1;
        err_set(e, ERR_NOT_FETCHED, "it is not in the store");
        return err_hint(e, "fetch it first: airlock fetch %s", lockbox);
    }
    struct record r = {0};
    if (json_parse(&doc, text.data, text.len, &limits, e) || !read_record(json_root(&doc), &r)) {
        record_free(&r);
        err_set(e, ERR_NOT_FETCHED, "its record in the store cannot be read");
        return err_hint(e, "fetch it again: airlock fetch %s", lockbox);
    }
    *ret = r;
    return 0;
}

struct damage {
    const struct store *store;
    size_t count;
};

static int drop_if_damaged(struct damage *damage, const char *path, const uint8_t sha256[HASH_SIZE],
                           struct err *e)
{
    int cache_fd = damage->store->cache_fd;
    uint8_t digest[HASH_SIZE];
    AUTO_FD int fd = -1;
    if (fs_open_at(cache_fd, path, O_RDONLY, 0, &fd, e) == 0 && hash_file(fd, NULL, NULL, digest, e) == 0 &&
        !memcmp(digest, sha256, HASH_SIZE))
        return 0;
    damage->count++;
    return fs_remove_at(cache_fd, path, e);
}

static int drop_damaged_object(void *damage, const uint8_t sha256[HASH_SIZE], struct err *e)
{
    char path[STORE_PATH_SIZE];
    store_object_path(sha256, path);
    return drop_if_damaged(damage, path, sha256, e);
}

int record_drop_damaged(const struct store *s, const struct record *r, size_t *ret_bad, struct err *e)
{
    struct damage damage = {.store = s};
    for (size_t i = 0; i < r->role_count; i++)
        if (drop_damaged_object(&damage, r->roles[i].sha256, e))
            return -1;
    for (size_t i = 0; i < r->target_count; i++)
        if (drop_damaged_object(&damage, r->targets[i].sha256, e))
            return -1;
    for (size_t i = 0; i < r->ostree_count; i++)
        if (drop_if_damaged(&damage, r->ostree[i].path, r->ostree[i].sha256, e))
            return -1;
    if (record_apps_each(r, drop_damaged_object, &damage, e))
        return -1;
    *ret_bad = damage.count;
    return 0;
}

struct record_names {
    int (*each)(void *ctx, const char *lockbox, struct err *e);
    void *ctx;
};

static int pass_name(void *ctx, const char *file, struct err *e)
{
    const struct record_names *names = ctx;
    size_t len = strlen(file), end = strlen(".json");
    if (file[0] == '.' || len <= end || strcmp(file + len - end, ".json") != 0)
        return 0;
    AUTO_FREE char *lockbox = mem_strndup(file, len - end);
    return names->each(names->ctx, lockbox, e);
}

int record_each(const struct store *s, const char *profile,
                int (*each)(void *ctx, const char *lockbox, struct err *e), void *ctx, struct err *e)
{
    struct record_names names = {each, ctx};
    AUTO_FD int fd = -1;
    if (name_check_text(profile, e))
        return -1;
    AUTO_FREE char *folder = mem_format("lockboxes/%s", profile);
    if (s->cache_fd < 0 || fs_open_dir_at(s->cache_fd, folder, false, &fd, e))
        return s->cache_fd < 0 || e->sys == ENOENT ? 0 : -1;
    return fs_each(fd, pass_name, &names, e);
}

static void free_files(struct record_file *files, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(files[i].path);
    free(files);
}

void record_free(struct record *r)
{
    free(r->lockbox);
    free_files(r->roles, r->role_count);
    free_files(r->targets, r->target_count);
    free_files(r->ostree, r->ostree_count);
    for (size_t i = 0; i < r->app_count; i++)
        record_app_free(&r->apps[i]);
    free(r->apps);
    *r = (struct record){0};
}
