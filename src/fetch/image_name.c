/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/image_name.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower_or_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z');
}

/* "a", "a.b", "a_b", "a__b", "a---b": separators between letters and digits, never at an end. */
static bool is_path_part(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t start = i;
        while (i < len && is_lower_or_digit(text[i]))
            i++;
        if (i == start)
            return false;
        if (i == len)
            return true;
        char separator = text[i];
        size_t run = 0;
        while (i < len && text[i] == separator)
            i++, run++;
        if (separator != '-' && !(separator == '.' && run == 1) && !(separator == '_' && run <= 2))
            return false;
    }
    return false;
}

static bool is_path(const char *text, size_t len)
{
    for (const char *at = text, *end = text + len;;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        if (!is_path_part(at, (size_t)((slash ? slash : end) - at)))
            return false;
        if (!slash)
            return true;
        at = slash + 1;
    }
}

/* Letters, digits, '-' and '.', or an IPv6 address in brackets. */
static bool is_host(const char *text, size_t len)
{
    bool v6 = len > 2 && text[0] == '[' && text[len - 1] == ']';
    for (size_t i = v6 ? 1 : 0; i < len - (v6 ? 1 : 0); i++) {
        char c = text[i];
        bool hex = is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        bool letter = is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
        if (v6 ? !hex && c != ':' : !letter && c != '-' && c != '.')
            return false;
    }
    return len > 0 && text[0] != '-' && text[0] != '.' && text[len - 1] != '.';
}

bool image_registry_is_good(const char *text, size_t len)
{
    size_t host = len;
    while (host > 0 && is_digit(text[host - 1]))
        host--;
    bool has_port = host > 0 && host < len && text[host - 1] == ':' && len - host <= 5;
    return len <= IMAGE_NAME_MAX && is_host(text, has_port ? host - 1 : len);
}

/* Docker's rule: the first part is a registry when no repository could be called so. */
static bool is_registry(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] == '.' || text[i] == ':' || (text[i] >= 'A' && text[i] <= 'Z'))
            return true;
    return len == strlen("localhost") && !memcmp(text, "localhost", len);
}

static char *lower_copy(const char *text, size_t len)
{
    char *copy = mem_strndup(text, len);
    for (char *c = copy; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return copy;
}

int image_name_parse(const char *text, size_t len, struct image_name *ret, struct err *e)
{
    const char *slash = memchr(text, '/', len);
    size_t first = slash ? (size_t)(slash - text) : 0;
    bool named = slash && is_registry(text, first);
    const char *path = named ? slash + 1 : text;
    size_t path_len = len - (size_t)(path - text);
    if (len == 0 || len > IMAGE_NAME_MAX)
        return err_set(e, ERR_BAD_COMPOSE, "an image's name has 1 to %u bytes", IMAGE_NAME_MAX);
    if ((named && !image_registry_is_good(text, first)) || !is_path(path, path_len))
        return err_set(e, ERR_BAD_COMPOSE, "'%.*s' is no name of an image", (int)len, text);
    *ret = (struct image_name){
        .registry = named ? lower_copy(text, first) : mem_strdup(IMAGE_DOCKER_HUB),
        .path =
            slash || named ? mem_strndup(path, path_len) : mem_format("library/%.*s", (int)path_len, path),
    };
    if (named && (!strcmp(ret->registry, "index.docker.io") || !strcmp(ret->registry, IMAGE_DOCKER_HUB))) {
        free(ret->registry);
        ret->registry = mem_strdup(IMAGE_DOCKER_HUB);
        if (!strchr(ret->path, '/')) {
            AUTO_FREE char *bare = ret->path;
            ret->path = mem_format("library/%s", bare);
        }
    }
    return 0;
}

void image_name_free(struct image_name *n)
{
    free(n->registry);
    free(n->path);
    *n = (struct image_name){0};
}

bool image_digest_parse(const char *text, size_t len, uint8_t ret[HASH_SIZE])
{
    size_t prefix = strlen(IMAGE_DIGEST_PREFIX);
    if (len != prefix + 2 * HASH_SIZE || memcmp(text, IMAGE_DIGEST_PREFIX, prefix) != 0)
        return false;
    for (size_t i = prefix; i < len; i++)
        if (text[i] >= 'A' && text[i] <= 'F')
            return false;
    return hex_decode(text + prefix, 2 * HASH_SIZE, ret, HASH_SIZE);
}
