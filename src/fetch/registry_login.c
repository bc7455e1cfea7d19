/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/registry_login.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "fetch/credential_helper.h"
#include "fetch/image_name.h"

#define FILE_MAX_BYTES (1u << 20)                /* Docker's config.json; a login is one line of it */
#define HUB_SERVER "https://index.docker.io/v1/" /* what Docker itself calls its Hub */

static void wipe(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

void registry_login_free(struct registry_login *l)
{
    free(l->registry);
    free(l->user);
    wipe(&l->secret);
    *l = (struct registry_login){0};
}

/* ---- names of registries ---- */

static const char *host_of(const char *text, size_t *ret_len)
{
    const char *scheme = strstr(text, "://");
    const char *host = scheme ? scheme + 3 : text;
    *ret_len = strcspn(host, "/");
    return host;
}

static bool is_hub(const char *host, size_t len)
{
    static const char *const names[] = {IMAGE_DOCKER_HUB, "index.docker.io", "registry-1.docker.io"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strlen(names[i]) == len && !strncasecmp(names[i], host, len))
            return true;
    return false;
}

bool registry_is_same(const char *a, const char *b)
{
    size_t a_len, b_len;
    const char *a_host = host_of(a, &a_len), *b_host = host_of(b, &b_len);
    return (is_hub(a_host, a_len) && is_hub(b_host, b_len)) ||
           (a_len == b_len && !strncasecmp(a_host, b_host, a_len));
}

/* ---- "user:password" ---- */

static bool split(const char *text, size_t len, struct registry_login *ret)
{
    const char *colon = memchr(text, ':', len);
    if (!colon || colon == text || memchr(text, '\0', len))
        return false;
    ret->user = mem_strndup(text, (size_t)(colon - text));
    ret->secret = mem_strndup(colon + 1, len - (size_t)(colon - text) - 1);
    return true;
}

int registry_login_read(const char *registry, const char *path, struct registry_login *ret, struct err *e)
{
    AUTO(buf) struct buf text = {0};
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & (S_IRWXG | S_IRWXO)) {
        err_set(e, ERR_BAD_CONFIG, "'%s' holds a password, and others may read it", path);
        return err_hint(e, "chmod 600 '%s'", path);
    }
    if (fs_read_file(path, FILE_MAX_BYTES, &text, e))
        return -1;
    bool good = split(buf_text(&text), strcspn(buf_text(&text), "\r\n"), ret);
    if (text.data)
        explicit_bzero(text.data, text.room);
    if (!good)
        return err_set(e, ERR_BAD_CONFIG, "'%s' does not begin with a line USER:PASSWORD", path);
    ret->registry = mem_strdup(registry);
    return 0;
}

/* ---- Docker's config.json ---- */

/* The member of a map from registries whose key means this one. */
static bool find_registry(struct json_value root, const char *map, const char *registry,
                          struct json_value *ret)
{
    struct json_value v;
    if (!json_get_typed(root, map, JSON_OBJECT, &v))
        return false;
    for (size_t i = 0; i < json_count(v); i++) {
        size_t len;
        const char *text = json_key_at(v, i, &len);
        AUTO_FREE char *key = mem_strndup(text, len);
        if (registry_is_same(key, registry)) {
            *ret = json_at(v, i);
            return true;
        }
    }
    return false;
}

static int ask_helper(struct json_value helper, const char *registry, struct registry_login *ret,
                      struct err *e)
{
    AUTO_FREE char *name = json_string_copy(helper);
    if (!name)
        return err_set(e, ERR_BAD_CONFIG, "a credential helper is no text");
    bool hub = registry_is_same(registry, IMAGE_DOCKER_HUB);
    return credential_helper_get(name, hub ? HUB_SERVER : registry, ret, e);
}

static int take_stored(struct json_value entry, struct registry_login *ret, struct err *e)
{
    AUTO(buf) struct buf plain = {0};
    struct json_value auth, token;
    size_t len = 0;
    if (!json_get_typed(entry, "auth", JSON_STRING, &auth))
        return 0;
    const char *text = json_string(auth, &len);
    bool good = base64_decode(&plain, text, len) && (len == 0 || split(buf_text(&plain), plain.len, ret));
    if (plain.data)
        explicit_bzero(plain.data, plain.room);
    if (!good)
        return err_set(e, ERR_BAD_CONFIG, "a login in it is not the base64 of USER:PASSWORD");
    if (json_get_typed(entry, "identitytoken", JSON_STRING, &token) && json_string(token, &len) && len > 0) {
        wipe(&ret->secret);
        ret->secret = json_string_copy(token);
        ret->is_token = true;
    }
    return 0;
}

static int find_login(struct json_value root, const char *registry, struct registry_login *ret, struct err *e)
{
    struct json_value found;
    if (find_registry(root, "credHelpers", registry, &found))
        return ask_helper(found, registry, ret, e);
    if (json_get_typed(root, "credsStore", JSON_STRING, &found) && ask_helper(found, registry, ret, e))
        return -1;
    return !ret->user && find_registry(root, "auths", registry, &found) ? take_stored(found, ret, e) : 0;
}

int registry_login_of_docker(const char *folder, const char *registry, struct registry_login *ret,
                             struct err *e)
{
    static const struct json_limits limits = {.bytes = FILE_MAX_BYTES, .depth = 16, .nodes = 65536};
    AUTO(buf) struct buf text = {0};
    AUTO(json) struct json doc = {0};
    if (!folder)
        return 0;
    AUTO_FREE char *path = mem_format("%s/config.json", folder);
    if (fs_read_file(path, FILE_MAX_BYTES, &text, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    int rc = json_parse(&doc, text.data, text.len, &limits, e);
    if (rc)
        e->id = ERR_BAD_CONFIG;
    else
        rc = find_login(json_root(&doc), registry, ret, e);
    explicit_bzero(text.data, text.room);
    if (rc)
        return err_context(e, "'%s'", path);
    if (ret->user)
        ret->registry = mem_strdup(registry);
    return 0;
}
