/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/first.h"

#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/out.h"
#include "bundle-format/limits.h"
#include "bundle-format/tar.h"
#include "bundle-format/wire.h"

/* A line of sha256sum: no path can hold what it would escape (name_check()). */
static void add_line(struct buf *to, const uint8_t sha256[HASH_SIZE], const char *path)
{
    char hex[HASH_HEX_SIZE];
    hash_hex(sha256, hex);
    buf_add_text(to, hex);
    buf_add_text(to, "  ");
    buf_add_text(to, path);
    buf_add_char(to, '\n');
}

static void add_file(struct buf *to, const char *name, const void *bytes, size_t len)
{
    tar_add_header(to, name, len);
    buf_add(to, bytes, len);
    wire_add_zeros(to, tar_padding(len));
}

/* What precedes the lines of the members: the manifest, the listing's header, and its line for the manifest.
 */
static void add_start(struct buf *to, const void *manifest, size_t manifest_len, uint64_t listing_size)
{
    uint8_t digest[HASH_SIZE];
    hash_of(manifest, manifest_len, digest);
    add_file(to, MANIFEST_NAME, manifest, manifest_len);
    tar_add_header(to, LISTING_NAME, listing_size);
    add_line(to, digest, MANIFEST_NAME);
}

#define LINE_SIZE (HASH_HEX_SIZE - 1 + 3) /* without the path: hash, two blanks, newline */

static uint64_t measure_listing(const struct index *x)
{
    uint64_t size = LINE_SIZE + strlen(MANIFEST_NAME);
    for (size_t i = 0; i < x->member_count; i++)
        size += LINE_SIZE + strlen(index_path(x, i));
    return size;
}

void first_add(struct buf *to, const void *manifest, size_t manifest_len, const struct index *x)
{
    uint64_t size = measure_listing(x);
    add_start(to, manifest, manifest_len, size);
    for (size_t i = 0; i < x->member_count; i++)
        add_line(to, x->members[i].sha256, index_path(x, i));
    wire_add_zeros(to, tar_padding(size));
}

int first_manifest(const uint8_t *slice, size_t len, const uint8_t **ret_manifest, size_t *ret_manifest_len,
                   struct err *e)
{
    uint64_t size;
    if (tar_read_size(slice, len, MANIFEST_NAME, &size, e))
        return -1;
    if (size > LIMIT_MANIFEST)
        return err_set(e, ERR_BUNDLE_LIMIT, MANIFEST_NAME " is larger than 4 MiB");
    if (size > len - TAR_BLOCK)
        return err_set(e, ERR_BUNDLE_INCONSISTENT, MANIFEST_NAME " is cut short");
    *ret_manifest = slice + TAR_BLOCK;
    *ret_manifest_len = (size_t)size;
    return 0;
}

/* Are these the next bytes? Empties the buffer for those after. */
static bool comes_next(struct cursor *c, struct buf *expected)
{
    const uint8_t *there = cursor_take(c, expected->len);
    bool same = there && !memcmp(there, expected->data, expected->len);
    buf_clear(expected);
    return same;
}

/* Line by line, since a second listing would be the largest thing in a reader's memory. */
int first_check(const uint8_t *slice, size_t len, const uint8_t *manifest, size_t manifest_len,
                const struct index *x, struct err *e)
{
    AUTO(buf) struct buf expected = {0};
    struct cursor c = {.at = slice, .left = len};
    uint64_t size = measure_listing(x);
    add_start(&expected, manifest, manifest_len, size);
    bool same = comes_next(&c, &expected);
    for (size_t i = 0; i < x->member_count && same; i++) {
        add_line(&expected, x->members[i].sha256, index_path(x, i));
        same = comes_next(&c, &expected);
    }
    wire_add_zeros(&expected, tar_padding(size));
    if (!same || !comes_next(&c, &expected) || c.left > 0)
        return err_set(e, ERR_BUNDLE_INCONSISTENT, LISTING_NAME " and the index do not list the same files");
    return 0;
}

static const struct json_limits manifest_limits = {
    .bytes = LIMIT_MANIFEST, .depth = 16, .nodes = LIMIT_MANIFEST_NODES};

static int check_feature(struct json_value feature, bool *shared, struct err *e)
{
    size_t len = 0;
    const char *name = json_string(feature, &len);
    if (!name)
        return err_set(e, ERR_BUNDLE_INCONSISTENT, MANIFEST_NAME ": a feature is not a text");
    if (len == strlen(FEATURE_SHARED) && !memcmp(name, FEATURE_SHARED, len)) {
        *shared = true;
        return 0;
    }
    AUTO(buf) struct buf shown = {0};
    out_escape(&shown, name, len < 64 ? len : 64);
    return err_set(e, ERR_BUNDLE_FEATURE, "the feature '%s' is not known", buf_text(&shown));
}

int manifest_check(const void *manifest, size_t len, bool *ret_shared, struct err *e)
{
    AUTO(json) struct json doc = {0};
    struct json_value features;
    bool shared = false;
    if (len > LIMIT_MANIFEST)
        return err_set(e, ERR_BUNDLE_LIMIT, MANIFEST_NAME " is larger than 4 MiB");
    if (json_parse(&doc, manifest, len, &manifest_limits, e))
        return err_context(e, MANIFEST_NAME);
    if (!json_get_typed(json_root(&doc), "features", JSON_ARRAY, &features))
        return err_set(e, ERR_BUNDLE_INCONSISTENT, MANIFEST_NAME " has no list of features");
    for (size_t i = 0; i < json_count(features); i++)
        if (check_feature(json_at(features, i), &shared, e))
            return -1;
    *ret_shared = shared;
    return 0;
}

char *manifest_loan(const void *manifest, size_t len, const uint8_t id[BUNDLE_ID_SIZE])
{
    AUTO(json) struct json doc = {0};
    struct json_value needs, volume, file;
    struct err ignored;
    char hex[2 * BUNDLE_ID_SIZE + 1];
    hex_encode(id, BUNDLE_ID_SIZE, hex);
    if (json_parse(&doc, manifest, len, &manifest_limits, &ignored) ||
        !json_get(json_root(&doc), "needs", &needs))
        return NULL;
    for (size_t i = 0; i < json_count(needs); i++)
        if (json_get(json_at(needs, i), "volume", &volume) && json_string_equals(volume, hex) &&
            json_get(json_at(needs, i), "file", &file))
            return json_string_copy(file);
    return NULL;
}
