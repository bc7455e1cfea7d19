/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/needs.h"

#include <string.h>

#include "base/fs.h"
#include "base/hex.h"
#include "base/json.h"

#define OBJECTS_MAX (INT64_C(1) << 32) /* far more than any image has; exact in any reader's numbers */

bool needs_holds(const struct needs *r, const uint8_t commit[HASH_SIZE])
{
    for (size_t i = 0; i < r->count; i++)
        if (!memcmp(r->commits[i], commit, HASH_SIZE))
            return true;
    return false;
}

int needs_add(struct needs *r, const uint8_t commit[HASH_SIZE], struct err *e)
{
    if (needs_holds(r, commit))
        return 0;
    if (r->count == NEEDS_COMMITS_MAX)
        return err_set(e, ERR_TOO_LARGE, "it has more than %u OSTree images", NEEDS_COMMITS_MAX);
    memcpy(r->commits[r->count++], commit, HASH_SIZE);
    return 0;
}

/* ---- the file ---- */

static bool read_hash(struct json_value v, uint8_t ret[HASH_SIZE])
{
    size_t len;
    const char *text = json_string(v, &len);
    return text && hex_decode(text, len, ret, HASH_SIZE);
}

static bool read_commits(struct json_value list, struct needs *r)
{
    struct err too_many;
    size_t n = json_count(list);
    for (size_t i = 0; i < n; i++) {
        uint8_t commit[HASH_SIZE];
        if (!read_hash(json_at(list, i), commit) || needs_add(r, commit, &too_many))
            return false;
    }
    return n > 0;
}

bool needs_parse(const void *bytes, size_t len, struct needs *ret)
{
    static const struct json_limits limits = {.bytes = NEEDS_BYTES_MAX, .depth = 4, .nodes = 256};
    AUTO(json) struct json doc = {0};
    struct needs r = {0};
    struct json_value schema, commits, left_out, objects, sha256;
    struct err not_json;
    int64_t number;
    if (json_parse(&doc, bytes, len, &limits, &not_json))
        return false;
    struct json_value root = json_root(&doc);
    if (!json_get(root, "schema", &schema) || !json_integer(schema, 1, 1, &number) ||
        !json_get_typed(root, "ostree_commits", JSON_ARRAY, &commits) || !read_commits(commits, &r) ||
        !json_get(root, "left_out", &left_out) || !json_get(left_out, "objects", &objects) ||
        !json_integer(objects, 1, OBJECTS_MAX, &number) || !json_get(left_out, "sha256", &sha256) ||
        !read_hash(sha256, r.sha256))
        return false;
    r.objects = (uint64_t)number;
    *ret = r;
    return true;
}

void needs_from_folder(int dirfd, struct needs *ret)
{
    AUTO(buf) struct buf bytes = {0};
    struct err none;
    *ret = (struct needs){0};
    if (fs_read_at(dirfd, NEEDS_PATH, NEEDS_BYTES_MAX, &bytes, &none) == 0)
        needs_parse(bytes.data, bytes.len, ret);
}

int needs_take(void *needs, const char *path, struct buf *bytes, struct err *e)
{
    (void)e;
    if (!strcmp(path, NEEDS_PATH))
        needs_parse(bytes->data, bytes->len, needs);
    return 0;
}

int needs_from_bundle(struct bundle *b, struct needs *ret, struct err *e)
{
    const struct bundle_taker taker = {.take = needs_take, .ctx = ret};
    *ret = (struct needs){0};
    for (size_t i = 0; i < bundle_member_count(b); i++)
        if (!strcmp(bundle_member_at(b, i).path, NEEDS_PATH))
            return bundle_read_metadata(b, &taker, e);
    return 0;
}
