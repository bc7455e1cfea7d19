/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/compose.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fetch/compose_lines.h"
#include "fetch/image_name.h"
#include "fetch/yaml_tree.h"

#define MERGES_MAX 4096u /* "<<" that are followed in all: merges of merges grow without end */
#define MERGE_DEPTH_MAX 8u
#define SHOWN_MAX 120u /* bytes of a line in a message */

struct reading {
    const char *bytes;
    size_t len;
    struct yaml_tree tree;
    struct compose_lines lines;
    struct compose found;
    unsigned merges;
};

static int read_services(struct reading *r, struct err *e);

int compose_read(const void *bytes, size_t len, struct compose *ret, struct err *e)
{
    struct reading r = {.bytes = bytes, .len = len};
    int rc = compose_lines_read(bytes, len, &r.lines, e) || yaml_tree_parse(bytes, len, &r.tree, e) ||
             read_services(&r, e);
    compose_lines_free(&r.lines);
    yaml_tree_free(&r.tree);
    if (rc) {
        compose_free(&r.found);
        return -1;
    }
    *ret = r.found;
    return 0;
}

void compose_free(struct compose *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->services[i].name);
        free(c->services[i].image);
        free(c->services[i].platform);
    }
    free(c->services);
    *c = (struct compose){0};
}

/* ---- messages ---- */

/* The line's text, without its indentation's end and cut where it is long. */
static char *line_text(const struct reading *r, unsigned line)
{
    const char *at = r->bytes, *end = r->bytes + r->len;
    for (unsigned i = 1; i < line && at < end; i++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : end;
    }
    size_t len = 0;
    while (at + len < end && at[len] != '\n' && at[len] != '\r' && len < SHOWN_MAX)
        len++;
    return mem_strndup(at, len);
}

static int bad_line(const struct reading *r, enum err_id id, unsigned line, struct err *e, const char *what)
{
    AUTO_FREE char *text = line_text(r, line);
    return err_set(e, id, "line %u, \"%s\": %s", line, text, what);
}

static int bad_node(const struct reading *r, uint32_t node, struct err *e, const char *what)
{
    return bad_line(r, ERR_BAD_COMPOSE, yaml_line(&r->tree, node), e, what);
}

/* ---- what the YAML says ---- */

static uint32_t find_merged(struct reading *r, uint32_t service, const char *key, unsigned depth);

/* In the mapping itself, else in those that it merges. */
static uint32_t find(struct reading *r, uint32_t mapping, const char *key, unsigned depth)
{
    uint32_t value = yaml_get(&r->tree, mapping, key);
    return value != YAML_NONE ? value : find_merged(r, mapping, key, depth);
}

static uint32_t find_merged(struct reading *r, uint32_t mapping, const char *key, unsigned depth)
{
    uint32_t merged = yaml_get(&r->tree, mapping, "<<");
    if (merged == YAML_NONE || depth == MERGE_DEPTH_MAX || r->merges++ == MERGES_MAX)
        return YAML_NONE;
    if (!yaml_is(&r->tree, merged, YAML_SEQUENCE))
        return find(r, merged, key, depth + 1);
    uint32_t value = YAML_NONE;
    for (uint32_t one = yaml_first(&r->tree, merged); one != YAML_NONE && value == YAML_NONE;
         one = yaml_next_element(&r->tree, one))
        value = find(r, one, key, depth + 1);
    return value;
}

/* A text, or nothing at all. */
static int find_text(struct reading *r, uint32_t service, const char *key, uint32_t *ret, struct err *e)
{
    *ret = find(r, service, key, 0);
    if (r->merges > MERGES_MAX)
        return bad_node(r, service, e, "more merges than a compose file has");
    if (*ret != YAML_NONE && !yaml_text(&r->tree, *ret))
        return bad_node(r, *ret, e, "an image or a platform is one text");
    return 0;
}

/* ---- what the device reads ---- */

static int miss(const struct reading *r, uint32_t node, const char *what, const char *form, struct err *e)
{
    AUTO_FREE char *text = line_text(r, yaml_line(&r->tree, node));
    err_set(e, ERR_COMPOSE_FORM, "line %u, \"%s\": the device would miss the %s", yaml_line(&r->tree, node),
            text, what);
    return err_hint(e, "write it as \"%s\", alone on its line", form);
}

static int compare_value(const struct reading *r, const char *what, uint32_t node,
                         const struct compose_line *seen, struct err *e)
{
    AUTO_FREE char *form = mem_format("    %s: VALUE", what);
    if (node == YAML_NONE && !seen->text)
        return 0;
    if (node == YAML_NONE)
        return bad_line(r, ERR_COMPOSE_FORM, seen->line, e,
                        "the device would take it for a value of its service, which it is not");
    if (!seen->text)
        return miss(r, node, what, form, e);
    if (strcmp(seen->text, yaml_text(&r->tree, node)) != 0)
        return bad_line(r, ERR_COMPOSE_FORM, seen->line, e,
                        "the device would read it otherwise than Docker does");
    return 0;
}

/* Both must see the same service with the same image and platform. */
static int compare(const struct reading *r, uint32_t key, uint32_t image, uint32_t platform, struct err *e)
{
    const struct compose_lines_service *seen = compose_lines_find(&r->lines, yaml_text(&r->tree, key));
    if (seen)
        return compare_value(r, "image", image, &seen->image, e) ||
                       compare_value(r, "platform", platform, &seen->platform, e)
                   ? -1
                   : 0;
    if (!r->lines.has_services)
        return miss(r, yaml_key(&r->tree, yaml_root(&r->tree), "services"), "services", "services:", e);
    AUTO_FREE char *line = line_text(r, yaml_line(&r->tree, key));
    AUTO_FREE char *name = mem_format("  %s:", yaml_text(&r->tree, key));
    if (strncmp(line, name, strlen(name)) != 0 ||
        strspn(line + strlen(name), " \t") != strlen(line + strlen(name)))
        return miss(r, key, "service", name, e);
    return miss(r, image, "image", "    image: NAME@sha256:DIGEST", e);
}

/* ---- services ---- */

static int split_image(const struct reading *r, uint32_t node, struct compose_service *s, struct err *e)
{
    const char *text = yaml_text(&r->tree, node), *pin = strchr(text, '@');
    AUTO(image_name) struct image_name name = {0};
    if (!pin)
        return bad_line(r, ERR_IMAGE_NOT_PINNED, s->line, e, "the image is not pinned by its digest");
    if (!image_digest_parse(pin + 1, strlen(pin + 1), s->digest))
        return bad_line(r, ERR_IMAGE_NOT_PINNED, s->line, e,
                        "a digest is sha256: and 64 hexadecimal digits, letters in lower case");
    size_t len = (size_t)(pin - text);
    const char *slash = memrchr(text, '/', len), *colon = memrchr(text, ':', len);
    if (colon && (!slash || colon > slash))
        return bad_line(r, ERR_COMPOSE_FORM, s->line, e,
                        "a tag beside the digest, with which the device cannot load the image");
    if (image_name_parse(text, len, &name, e))
        return err_context(e, "line %u", s->line);
    if (memmem(text, len, IMAGE_DIGEST_PREFIX, strlen(IMAGE_DIGEST_PREFIX)))
        return bad_line(r, ERR_COMPOSE_FORM, s->line, e, "the device would take the registry for the digest");
    s->image = mem_strndup(text, len);
    return 0;
}

static int read_service(struct reading *r, uint32_t key, struct compose_service *s, struct err *e)
{
    uint32_t service = yaml_value(&r->tree, key), image, platform;
    s->name = mem_strdup(yaml_text(&r->tree, key));
    if (!yaml_is(&r->tree, service, YAML_MAPPING))
        return bad_node(r, key, e, "a service is a mapping");
    uint32_t bad_key = yaml_bad_key(&r->tree, service);
    if (bad_key != YAML_NONE)
        return bad_node(r, bad_key, e, "the key is there twice, or is no text");
    if (find_text(r, service, "image", &image, e) || find_text(r, service, "platform", &platform, e))
        return -1;
    if (image == YAML_NONE)
        return bad_node(r, key, e, "the service names no image, and a device cannot build one");
    s->line = yaml_line(&r->tree, image);
    if (compare(r, key, image, platform, e) || split_image(r, image, s, e))
        return -1;
    if (platform != YAML_NONE)
        s->platform = mem_strdup(yaml_text(&r->tree, platform));
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct compose_service *)a)->name, ((const struct compose_service *)b)->name);
}

/* What only the device sees. */
static int refuse_phantoms(const struct reading *r, uint32_t services, struct err *e)
{
    for (size_t i = 0; i < r->lines.count; i++)
        if (yaml_key(&r->tree, services, r->lines.services[i].name.text) == YAML_NONE)
            return bad_line(r, ERR_COMPOSE_FORM, r->lines.services[i].name.line, e,
                            "the device would take it for a service, which it is not");
    return 0;
}

static int read_services(struct reading *r, struct err *e)
{
    uint32_t root = yaml_root(&r->tree), services = yaml_get(&r->tree, root, "services"), bad_key;
    if (!yaml_is(&r->tree, services, YAML_MAPPING) || yaml_first(&r->tree, services) == YAML_NONE)
        return err_set(e, ERR_BAD_COMPOSE, "it has no services");
    if ((bad_key = yaml_bad_key(&r->tree, root)) != YAML_NONE ||
        (bad_key = yaml_bad_key(&r->tree, services)) != YAML_NONE)
        return bad_node(r, bad_key, e, "the key is there twice, or is no text");
    uint32_t include = yaml_key(&r->tree, root, "include");
    if (include != YAML_NONE)
        return bad_node(r, include, e, "a device gets this file alone: it can include no other");
    for (uint32_t key = yaml_first(&r->tree, services); key != YAML_NONE;
         key = yaml_next_key(&r->tree, key)) {
        if (r->found.count == COMPOSE_SERVICES_MAX)
            return err_set(e, ERR_TOO_LARGE, "it has more than %u services", COMPOSE_SERVICES_MAX);
        r->found.services = mem_resize(r->found.services, r->found.count + 1, sizeof *r->found.services);
        struct compose_service *s = &r->found.services[r->found.count++];
        *s = (struct compose_service){0};
        if (read_service(r, key, s, e))
            return -1;
    }
    qsort(r->found.services, r->found.count, sizeof *r->found.services, compare_names);
    return refuse_phantoms(r, services, e);
}
