/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/archive_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "fetch/image_manifest.h"
#include "fetch/image_name.h"
#include "fetch/tar_scan.h"

#define LINKS_MAX 3 /* in a row, as the client follows them */

struct entry {
    char *path;   /* without "." and ".." */
    char *target; /* of a link, likewise; NULL: a file */
    uint8_t sha256[HASH_SIZE];
    struct buf json; /* of a JSON file */
};

struct archive_check {
    struct tar_scan *tar;
    struct entry *entries;
    size_t count, room;
    size_t json_bytes;
    struct hash *hash;
    bool in_file, in_json; /* the present entry */
    bool failed;
    struct err error; /* the first */
    char *odd;
};

static int begin_entry(void *ctx, const struct tar_entry *entry, struct err *e);
static int write_entry(void *ctx, const void *bytes, size_t n, struct err *e);
static int end_entry(void *ctx, struct err *e);
static int judge(struct archive_check *c, struct archive_found *found, struct err *e);

struct archive_check *archive_check_new(void)
{
    struct archive_check *c = mem_zeroed(1, sizeof *c);
    const struct tar_taker taker = {begin_entry, write_entry, end_entry, c};
    c->tar = tar_scan_new(&taker);
    c->hash = hash_new();
    return c;
}

void archive_check_write(struct archive_check *c, const void *bytes, size_t n)
{
    if (!c->failed)
        c->failed = tar_scan_write(c->tar, bytes, n, &c->error) != 0;
}

static void check_delete(struct archive_check *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->entries[i].path);
        free(c->entries[i].target);
        buf_free(&c->entries[i].json);
    }
    free(c->entries);
    free(c->odd);
    hash_delete(c->hash);
    tar_scan_delete(c->tar);
    free(c);
}

void archive_check_end(struct archive_check *c, struct archive_found *ret)
{
    struct archive_found found = {0};
    if (!c->failed)
        c->failed = tar_scan_end(c->tar, &c->error) || judge(c, &found, &c->error);
    if (c->failed)
        found.wrong = mem_strdup(c->error.message);
    found.odd = steal_ptr(c->odd);
    check_delete(c);
    *ret = found;
}

void archive_found_free(struct archive_found *f)
{
    free(f->wrong);
    free(f->odd);
    free(f->tag);
    *f = (struct archive_found){0};
}

static int bad(struct err *e, const char *what)
{
    return err_set(e, ERR_BAD_IMAGE, "%s", what);
}

/* ---- entries ---- */

static void note_odd(struct archive_check *c, const char *path, const char *what)
{
    if (!c->odd)
        c->odd = mem_format("'%.*s' %s", (int)ARCHIVE_TEXT_MAX, path, what);
}

/* Appends the parts of a path to those that are there; false when it leads out of the tree. */
static bool add_parts(struct buf *to, const char *path)
{
    while (*path) {
        size_t len = strcspn(path, "/");
        bool up = len == 2 && !memcmp(path, "..", 2), here = len == 0 || (len == 1 && *path == '.');
        if (up && to->len == 0)
            return false;
        if (up) {
            const char *slash = memrchr(to->data, '/', to->len);
            to->len = slash ? (size_t)(slash - (const char *)to->data) : 0;
        } else if (!here) {
            if (to->len)
                buf_add_char(to, '/');
            buf_add(to, path, len);
        }
        path += len + (path[len] == '/');
    }
    return true;
}

/* NULL for a path that is absolute, leads out of the tree, or is too long. */
static char *inner_path(const char *folder, const char *path)
{
    AUTO(buf) struct buf text = {0};
    if (*path == '/' || strlen(folder) + strlen(path) > ARCHIVE_TEXT_MAX || !add_parts(&text, folder) ||
        !add_parts(&text, path))
        return NULL;
    buf_add(&text, "", 0);
    return mem_strndup(text.data, text.len);
}

static bool is_json(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t len = strlen(name);
    return !strcmp(name, "json") || (len >= 5 && !strcmp(name + len - 5, ".json"));
}

static int add_entry(struct archive_check *c, char *path, char *target, struct err *e)
{
    bool twice = false;
    for (size_t i = 0; i < c->count; i++)
        twice = twice || !strcmp(c->entries[i].path, path);
    if (twice || c->count == ARCHIVE_ENTRIES_MAX) {
        free(path);
        free(target);
        return bad(e, twice ? "a file is there twice" : "it holds more files than any image");
    }
    mem_grow(&c->entries, c->count, &c->room, sizeof *c->entries);
    c->entries[c->count++] = (struct entry){.path = path, .target = target};
    return 0;
}

/* The client passes over what leads out of the tarball or is neither file, folder nor link; where such a
 * thing was needed, it is missing then. */
static int begin_entry(void *ctx, const struct tar_entry *entry, struct err *e)
{
    struct archive_check *c = ctx;
    c->in_file = c->in_json = false;
    AUTO_FREE char *path = inner_path("", entry->path);
    AUTO_FREE char *folder = path ? mem_strdup(path) : NULL;
    char *target = NULL;
    if (!path || entry->kind == TAR_ODD) {
        note_odd(c, entry->path, path ? "is no file, folder or link" : "leads out of the tarball");
        return 0;
    }
    if (entry->kind == TAR_FOLDER)
        return 0;
    if (entry->kind == TAR_SYMLINK) {
        char *slash = strrchr(folder, '/');
        *(slash ? slash : folder) = '\0';
        target = inner_path(folder, entry->target);
        if (!target) {
            note_odd(c, entry->path, "is a link that leads out of the tarball");
            return 0;
        }
    } else {
        c->in_file = true;
        c->in_json = is_json(path);
    }
    if (c->in_json && entry->size > ARCHIVE_JSON_MAX) {
        note_odd(c, entry->path, "is a JSON file larger than the device reads");
        c->in_file = c->in_json = false;
        return 0;
    }
    return add_entry(c, steal_ptr(path), target, e);
}

/* What is more than the device reads is a warning of its client's, and no refusal. */
static int write_entry(void *ctx, const void *bytes, size_t n, struct err *e)
{
    struct archive_check *c = ctx;
    struct entry *entry = c->in_file ? &c->entries[c->count - 1] : NULL;
    (void)e;
    if (!entry)
        return 0;
    hash_update(c->hash, bytes, n);
    if (!c->in_json)
        return 0;
    c->json_bytes += n;
    if (c->json_bytes > ARCHIVE_JSONS_MAX) {
        note_odd(c, entry->path, "makes its JSON files larger than 4 MiB together");
        buf_free(&entry->json);
        c->in_json = false;
    } else {
        buf_add(&entry->json, bytes, n);
    }
    return 0;
}

static int end_entry(void *ctx, struct err *e)
{
    struct archive_check *c = ctx;
    (void)e;
    if (c->in_file)
        hash_final(c->hash, c->entries[c->count - 1].sha256);
    return 0;
}

/* ---- judging ---- */

static const struct entry *find(const struct archive_check *c, const char *path, unsigned links)
{
    AUTO_FREE char *wanted = inner_path("", path);
    for (size_t i = 0; wanted && i < c->count; i++) {
        const struct entry *entry = &c->entries[i];
        if (strcmp(entry->path, wanted) != 0)
            continue;
        if (!entry->target)
            return entry;
        return links < LINKS_MAX ? find(c, entry->target, links + 1) : NULL;
    }
    return NULL;
}

static int find_named(const struct archive_check *c, struct json_value name, const struct entry **ret,
                      struct err *e)
{
    AUTO_FREE char *path = json_string_copy(name);
    *ret = path ? find(c, path, 0) : NULL;
    if (*ret)
        return 0;
    return err_set(e, ERR_BAD_IMAGE, "the file '%s' is not in it", path ? path : "");
}

/* "<sha256 of its bytes>.json", in whichever folder. */
static int check_config_name(struct json_value name, const struct entry *config, struct err *e)
{
    AUTO_FREE char *path = json_string_copy(name);
    char hex[HASH_HEX_SIZE];
    hash_hex(config->sha256, hex);
    const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
    if (strncmp(last, hex, strlen(hex)) == 0 && !strcmp(last + strlen(hex), ".json"))
        return 0;
    return bad(e, "its config is not named by its own SHA-256");
}

static int check_layers(const struct archive_check *c, struct json_value layers, const struct entry *config,
                        struct err *e)
{
    AUTO_FREE uint8_t(*ids)[HASH_SIZE] = NULL;
    size_t count = 0;
    if (image_config_diff_ids(config->json.data, config->json.len, &ids, &count, e))
        return -1;
    if (json_type(layers) != JSON_ARRAY || json_count(layers) != count)
        return bad(e, "it has not as many layers as its config has diff ids");
    for (size_t i = 0; i < count; i++) {
        const struct entry *layer;
        if (find_named(c, json_at(layers, i), &layer, e))
            return -1;
        if (memcmp(layer->sha256, ids[i], HASH_SIZE) != 0)
            return err_set(e, ERR_BAD_IMAGE, "its layer %zu is not the one of its diff id", i + 1);
    }
    return 0;
}

static int take_tag(struct json_value image, struct archive_found *found, struct err *e)
{
    struct json_value tags;
    size_t len = 0;
    if (!json_get_typed(image, "RepoTags", JSON_ARRAY, &tags) || json_count(tags) != 1)
        return bad(e, "it does not have the one tag that the device expects");
    const char *text = json_string(json_at(tags, 0), &len);
    if (!text || len > ARCHIVE_TEXT_MAX)
        return bad(e, "its tag is none");
    found->tag = mem_strndup(text, len);
    return 0;
}

static int judge_image(const struct archive_check *c, struct json_value image, struct archive_found *found,
                       struct err *e)
{
    struct json_value name, layers;
    const struct entry *config;
    if (!json_get_typed(image, "Config", JSON_STRING, &name) || !json_get(image, "Layers", &layers))
        return bad(e, "its manifest.json names no Config or no Layers");
    if (find_named(c, name, &config, e) || check_config_name(name, config, e) ||
        check_layers(c, layers, config, e) || take_tag(image, found, e))
        return -1;
    memcpy(found->config, config->sha256, HASH_SIZE);
    return 0;
}

static int judge(struct archive_check *c, struct archive_found *found, struct err *e)
{
    static const struct json_limits limits = {.bytes = ARCHIVE_JSON_MAX, .depth = 16, .nodes = 65536};
    AUTO(json) struct json doc = {0};
    const struct entry *manifest = find(c, "manifest.json", 0);
    if (!manifest)
        return bad(e, "it has no manifest.json");
    if (json_parse(&doc, manifest->json.data, manifest->json.len, &limits, e))
        return err_context(e, "its manifest.json");
    if (json_type(json_root(&doc)) != JSON_ARRAY || json_count(json_root(&doc)) != 1)
        return bad(e, "its manifest.json does not name one image");
    return judge_image(c, json_at(json_root(&doc), 0), found, e);
}
