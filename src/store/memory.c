/* SPDX-License-Identifier: Apache-2.0 */
#include "store/memory.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"

#define SCHEMA 1
#define FILE_NAME "memory.json"
/* A snapshot is read up to 1 MiB, at least 22 bytes for each file, and some 100 bytes of each are kept here.
 */
#define BYTES_MAX (16u << 20)
#define NODES_MAX 1000000u
#define DEPTH_MAX 8

static const char *const keys[] = {[PIN_DIRECTOR] = "director", [PIN_IMAGE] = "repo"};
static const char *const origins[] = {
    [ORIGIN_UNKNOWN] = "unknown",
    [ORIGIN_CREDENTIALS] = "credentials",
    [ORIGIN_CLOUD] = "cloud",
    [ORIGIN_FOLDER] = "folder",
};

/* ---- reading ---- */

static bool read_hash(struct json_value v, uint8_t ret[HASH_SIZE])
{
    size_t len;
    const char *text = json_string(v, &len);
    return text && hex_decode(text, len, ret, HASH_SIZE);
}

static bool read_version(struct json_value from, int64_t *ret)
{
    struct json_value v;
    return json_get(from, "version", &v) && json_integer(v, 1, INT32_MAX, ret);
}

static bool read_origin(struct json_value from, struct memory_repo *r)
{
    struct json_value v;
    size_t i = 0;
    if (!json_get_typed(from, "origin", JSON_STRING, &v))
        return false;
    while (i < COUNT_OF(origins) && !json_string_equals(v, origins[i]))
        i++;
    r->origin = (enum pin_origin)i;
    if (i == COUNT_OF(origins) || !json_get(from, "pinned_at", &v))
        return i < COUNT_OF(origins);
    AUTO_FREE char *time = json_string_copy(v);
    return time && clock_parse(time, &r->pinned_at);
}

static bool read_signers(struct json_value from, struct memory_repo *r)
{
    struct json_value list;
    if (!json_get_typed(from, "signers", JSON_ARRAY, &list))
        return false;
    r->signers = mem_zeroed(json_count(list), sizeof *r->signers);
    for (; r->signer_count < json_count(list); r->signer_count++)
        if (!read_hash(json_at(list, r->signer_count), r->signers[r->signer_count]))
            return false;
    return true;
}

static bool read_entries(struct json_value from, struct memory_repo *r)
{
    struct json_value list, hash;
    if (!json_get_typed(from, "listed", JSON_OBJECT, &list))
        return false;
    r->entries = mem_zeroed(json_count(list), sizeof *r->entries);
    while (r->count < json_count(list)) {
        struct json_value v = json_at(list, r->count);
        struct memory_entry *entry = &r->entries[r->count];
        size_t len;
        const char *file = json_key_at(list, r->count, &len);
        entry->has_sha256 = json_get(v, "sha256", &hash);
        if (!read_version(v, &entry->version) || (entry->has_sha256 && !read_hash(hash, entry->sha256)))
            return false;
        entry->file = mem_strndup(file, len);
        r->count++;
    }
    return true;
}

static bool read_repo(struct json_value root, const char *key, struct memory_repo *r)
{
    struct json_value own, snapshot, hash;
    if (!json_get(root, key, &own))
        return true;
    if (!read_origin(own, r))
        return false;
    if (!json_get(own, "snapshot", &snapshot))
        return true;
    return read_version(snapshot, &r->version) && json_get(snapshot, "sha256", &hash) &&
           read_hash(hash, r->content) && read_signers(snapshot, r) && read_entries(snapshot, r);
}

static bool read_memory(struct json_value root, struct memory *m)
{
    struct json_value schema;
    int64_t number;
    if (!json_get(root, "schema", &schema) || !json_integer(schema, SCHEMA, SCHEMA, &number))
        return false;
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (!read_repo(root, keys[i], &m->repos[i]))
            return false;
    return true;
}

int memory_load(const struct store *s, const char *profile, struct memory *ret, struct err *e)
{
    AUTO_FD int fd = -1;
    AUTO(buf) struct buf text = {0};
    AUTO(json) struct json doc = {0};
    const struct json_limits limits = {.bytes = BYTES_MAX, .depth = DEPTH_MAX, .nodes = NODES_MAX};
    AUTO(memory) struct memory m = {0};
    *ret = m;
    if (pins_open_folder(s, profile, false, &fd, e) || fs_read_at(fd, FILE_NAME, BYTES_MAX, &text, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    if (json_parse(&doc, text.data, text.len, &limits, e) || !read_memory(json_root(&doc), &m)) {
        err_set(e, ERR_BAD_CONFIG, "trust/%s/" FILE_NAME " in the state folder cannot be read", profile);
        return err_hint(e,
                        "bring it back from a backup. Without the file airlock works, but forgets what the "
                        "cloud has served");
    }
    *ret = m;
    m = (struct memory){0};
    return 0;
}

/* ---- writing ---- */

static void add_hash(cJSON *to, const char *key, const uint8_t hash[HASH_SIZE])
{
    char hex[HASH_HEX_SIZE];
    hash_hex(hash, hex);
    cJSON_AddStringToObject(to, key, hex);
}

static void add_snapshot(cJSON *to, const struct memory_repo *r)
{
    cJSON *snapshot = cJSON_AddObjectToObject(to, "snapshot");
    cJSON_AddNumberToObject(snapshot, "version", (double)r->version);
    add_hash(snapshot, "sha256", r->content);
    cJSON *signers = cJSON_AddArrayToObject(snapshot, "signers");
    for (size_t i = 0; i < r->signer_count; i++) {
        char hex[HASH_HEX_SIZE];
        hash_hex(r->signers[i], hex);
        cJSON_AddItemToArray(signers, cJSON_CreateString(hex));
    }
    cJSON *listed = cJSON_AddObjectToObject(snapshot, "listed");
    for (size_t i = 0; i < r->count; i++) {
        cJSON *entry = cJSON_AddObjectToObject(listed, r->entries[i].file);
        cJSON_AddNumberToObject(entry, "version", (double)r->entries[i].version);
        if (r->entries[i].has_sha256)
            add_hash(entry, "sha256", r->entries[i].sha256);
    }
}

static void add_repo(cJSON *root, const char *key, const struct memory_repo *r)
{
    char time[CLOCK_TEXT_SIZE];
    cJSON *own = cJSON_AddObjectToObject(root, key);
    cJSON_AddStringToObject(own, "origin", origins[r->origin]);
    clock_format(r->pinned_at, time);
    if (r->pinned_at)
        cJSON_AddStringToObject(own, "pinned_at", time);
    if (r->version)
        add_snapshot(own, r);
}

int memory_save(const struct store *s, const char *profile, const struct memory *m, struct err *e)
{
    AUTO_FD int fd = -1;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "schema", SCHEMA);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        add_repo(root, keys[i], &m->repos[i]);
    AUTO_FREE char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    if (pins_open_folder(s, profile, true, &fd, e) ||
        fs_replace_at(fd, FILE_NAME, text, strlen(text), 0600, e))
        return err_context(e, "cannot remember what the cloud served");
    return 0;
}

void memory_forget_snapshot(struct memory_repo *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->entries[i].file);
    free(r->entries);
    free(r->signers);
    *r = (struct memory_repo){.origin = r->origin, .pinned_at = r->pinned_at};
}

void memory_free(struct memory *m)
{
    for (size_t i = 0; i < COUNT_OF(m->repos); i++)
        memory_forget_snapshot(&m->repos[i]);
    *m = (struct memory){0};
}
