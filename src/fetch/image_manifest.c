/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/image_manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "fetch/image_name.h"

static const struct json_limits limits = {.bytes = IMAGE_JSON_MAX, .depth = 32, .nodes = 65536};

enum form { FORM_UNKNOWN, FORM_MANIFEST, FORM_LIST };

static int bad(struct err *e, const char *what)
{
    return err_set(e, ERR_BAD_MANIFEST, "%s", what);
}

static enum form form_of(struct json_value media_type, const char **ret_name)
{
    static const struct {
        const char *type;
        enum form form;
    } forms[] = {
        {"application/vnd.docker.distribution.manifest.v2+json", FORM_MANIFEST},
        {"application/vnd.oci.image.manifest.v1+json", FORM_MANIFEST},
        {"application/vnd.docker.distribution.manifest.list.v2+json", FORM_LIST},
        {"application/vnd.oci.image.index.v1+json", FORM_LIST},
    };
    for (size_t i = 0; i < COUNT_OF(forms); i++)
        if (json_string_equals(media_type, forms[i].type)) {
            *ret_name = forms[i].type;
            return forms[i].form;
        }
    return FORM_UNKNOWN;
}

static int read_blob(struct json_value v, struct image_blob *ret, struct err *e)
{
    struct json_value digest, size;
    int64_t bytes;
    size_t len;
    if (!json_get_typed(v, "digest", JSON_STRING, &digest) || !json_get(v, "size", &size) ||
        !json_integer(size, 0, INT64_MAX / 2, &bytes))
        return bad(e, "an entry lacks its digest or size");
    const char *text = json_string(digest, &len);
    if (!image_digest_parse(text, len, ret->sha256))
        return bad(e, "a digest is none by SHA-256, in lower case");
    ret->size = (uint64_t)bytes;
    return 0;
}

/* ---- one image ---- */

static int read_layers(struct json_value root, struct image_manifest *m, struct err *e)
{
    struct json_value layers;
    if (!json_get_typed(root, "layers", JSON_ARRAY, &layers))
        return bad(e, "it has no layers");
    if (json_count(layers) > IMAGE_LAYERS_MAX)
        return bad(e, "it has more layers than any image");
    m->layers = mem_zeroed(json_count(layers), sizeof *m->layers);
    for (size_t i = 0; i < json_count(layers); i++) {
        struct json_value layer = json_at(layers, i), urls;
        if (json_get(layer, "urls", &urls) && json_count(urls) > 0)
            return bad(e, "a layer lies outside the registry (a foreign layer), which no device can load");
        if (read_blob(layer, &m->layers[i], e))
            return -1;
        m->layer_count++;
    }
    return 0;
}

static int read_image(struct json_value root, struct image_manifest *m, struct err *e)
{
    struct json_value config;
    if (!json_get_typed(root, "config", JSON_OBJECT, &config))
        return bad(e, "it has no config");
    if (read_blob(config, &m->config, e) || read_layers(root, m, e))
        return -1;
    if (m->config.size > IMAGE_JSON_MAX)
        return err_set(e, ERR_DEVICE_LIMIT,
                       "the image's config has more than the %u bytes that the device reads", IMAGE_JSON_MAX);
    return 0;
}

/* ---- a list ---- */

/* Appends "/text" of a field that may be missing. */
static bool add_part(struct buf *to, struct json_value platform, const char *field, bool required)
{
    struct json_value v;
    size_t len;
    if (!json_get(platform, field, &v))
        return !required;
    const char *text = json_string(v, &len);
    if (!text)
        return false;
    if (to->len)
        buf_add_char(to, '/');
    buf_add(to, text, len);
    return true;
}

/* The client goes through all entries and stops at one whose platform it cannot read, wanted or not. */
static int read_choice(struct json_value v, struct image_choice *ret, struct err *e)
{
    AUTO(buf) struct buf text = {0};
    struct json_value platform;
    if (!json_get_typed(v, "platform", JSON_OBJECT, &platform) || !add_part(&text, platform, "os", true) ||
        !add_part(&text, platform, "architecture", true) || !add_part(&text, platform, "variant", false) ||
        !add_part(&text, platform, "os.version", false))
        return bad(e, "an entry of the list does not name its platform");
    if (read_blob(v, &ret->manifest, e))
        return -1;
    ret->platform = buf_steal_text(&text);
    return 0;
}

static int read_list(struct json_value root, struct image_manifest *m, struct err *e)
{
    struct json_value list;
    if (!json_get_typed(root, "manifests", JSON_ARRAY, &list))
        return bad(e, "the list has no manifests");
    if (json_count(list) > IMAGE_CHOICES_MAX)
        return bad(e, "the list has more manifests than there are platforms");
    m->is_list = true;
    m->choices = mem_zeroed(json_count(list), sizeof *m->choices);
    for (; m->choice_count < json_count(list); m->choice_count++)
        if (read_choice(json_at(list, m->choice_count), &m->choices[m->choice_count], e))
            return -1;
    return 0;
}

int image_manifest_parse(const void *bytes, size_t len, struct image_manifest *ret, struct err *e)
{
    AUTO(json) struct json doc = {0};
    AUTO(image_manifest) struct image_manifest m = {0};
    struct json_value media_type;
    if (len > IMAGE_JSON_MAX)
        return err_set(e, ERR_DEVICE_LIMIT, "it has %zu bytes, the device reads at most %u", len,
                       IMAGE_JSON_MAX);
    if (json_parse(&doc, bytes, len, &limits, e))
        return -1;
    struct json_value root = json_root(&doc);
    if (!json_get_typed(root, "mediaType", JSON_STRING, &media_type))
        return bad(e, "it has no mediaType, without which the device refuses it");
    switch (form_of(media_type, &m.media_type)) {
    case FORM_MANIFEST:
        if (read_image(root, &m, e))
            return -1;
        break;
    case FORM_LIST:
        if (read_list(root, &m, e))
            return -1;
        break;
    case FORM_UNKNOWN:
        return bad(e, "its mediaType is none that the device knows");
    }
    *ret = m;
    m = (struct image_manifest){0};
    return 0;
}

void image_manifest_free(struct image_manifest *m)
{
    for (size_t i = 0; i < m->choice_count; i++)
        free(m->choices[i].platform);
    free(m->choices);
    free(m->layers);
    *m = (struct image_manifest){0};
}

/* ---- platforms ---- */

/* Without the one slash at its end that the client takes off. */
static size_t platform_len(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && text[len - 1] == '/' ? len - 1 : len;
}

unsigned image_platform_grade(const char *a, const char *b)
{
    const char *a_end = a + platform_len(a), *b_end = b + platform_len(b);
    for (unsigned grade = 0;; grade++) {
        const char *a_slash = memchr(a, '/', (size_t)(a_end - a));
        const char *b_slash = memchr(b, '/', (size_t)(b_end - b));
        size_t a_len = (size_t)((a_slash ? a_slash : a_end) - a);
        size_t b_len = (size_t)((b_slash ? b_slash : b_end) - b);
        if (a_len != b_len || memcmp(a, b, a_len) != 0)
            return 0;
        if (!a_slash || !b_slash)
            return grade + 1;
        a = a_slash + 1;
        b = b_slash + 1;
    }
}

int image_manifest_choose(const struct image_manifest *list, const char *platform,
                          const struct image_choice **ret, struct err *e)
{
    const struct image_choice *best = NULL;
    unsigned best_grade = 0;
    bool twice = false;
    for (size_t i = 0; i < list->choice_count; i++) {
        unsigned grade = image_platform_grade(platform, list->choices[i].platform);
        if (grade == 0 || grade < best_grade)
            continue;
        twice = grade == best_grade;
        best = &list->choices[i];
        best_grade = grade;
    }
    if (!best)
        return err_set(e, ERR_NO_SUCH_PLATFORM, "there is no image for the platform '%s'", platform);
    if (twice)
        return err_set(e, ERR_PLATFORM_AMBIGUOUS, "several images fit the platform '%s' equally well",
                       platform);
    *ret = best;
    return 0;
}

/* ---- the config ---- */

int image_config_diff_ids(const void *bytes, size_t len, uint8_t (**ret)[HASH_SIZE], size_t *ret_count,
                          struct err *e)
{
    AUTO(json) struct json doc = {0};
    struct json_value rootfs, list;
    if (json_parse(&doc, bytes, len, &limits, e))
        return -1;
    if (!json_get_typed(json_root(&doc), "rootfs", JSON_OBJECT, &rootfs) ||
        !json_get_typed(rootfs, "diff_ids", JSON_ARRAY, &list) || json_count(list) > IMAGE_LAYERS_MAX)
        return err_set(e, ERR_BAD_IMAGE, "the image's config has no rootfs.diff_ids");
    AUTO_FREE uint8_t(*ids)[HASH_SIZE] = mem_zeroed(json_count(list), HASH_SIZE);
    for (size_t i = 0; i < json_count(list); i++) {
        size_t text_len;
        const char *text = json_string(json_at(list, i), &text_len);
        if (!text || !image_digest_parse(text, text_len, ids[i]))
            return err_set(e, ERR_BAD_IMAGE, "a diff id of the image's config is no SHA-256");
    }
    *ret_count = json_count(list);
    *ret = steal_ptr(ids);
    return 0;
}
