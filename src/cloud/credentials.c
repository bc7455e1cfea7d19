/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "cloud/zip_entries.h"

/* The entries that are read, and nothing else. */
struct entries {
    struct buf treehub, repo_url, director_root, image_root;
};

static int read_entries(const struct buf *zip, struct entries *ret, struct err *e);
static int interpret_treehub(const struct buf *bytes, struct credentials *c, struct err *e);
static int interpret_login(struct json_value oauth2, struct credentials *c, struct err *e);
static char *token_url(const char *server);
static void entries_free(struct entries *entries);

int credentials_read(const char *path, struct credentials *ret, struct err *e)
{
    AUTO(buf) struct buf zip = {0};
    AUTO(entries) struct entries entries = {0};
    AUTO(credentials) struct credentials c = {0};
    if (fs_read_file(path, ZIP_MAX, &zip, e))
        return -1;
    int failed = read_entries(&zip, &entries, e);
    buf_wipe(&zip);
    if (failed || interpret_treehub(&entries.treehub, &c, e))
        return err_context(e, "'%s'", path);
    if (!entries.repo_url.len) {
        err_set(e, ERR_BAD_CREDENTIALS, "the archive has no tufrepo.url");
        return err_context(e, "'%s'", path);
    }
    c.endpoints.repo = mem_strdup(buf_text(&entries.repo_url));
    c.director_root = entries.director_root;
    c.image_root = entries.image_root;
    entries.director_root = entries.image_root = (struct buf){0};
    *ret = c;
    c = (struct credentials){0};
    return 0;
}

void credentials_free(struct credentials *c)
{
    cloud_endpoints_free(&c->endpoints);
    if (c->client_secret)
        explicit_bzero(c->client_secret, strlen(c->client_secret));
    free(c->client_id);
    free(c->client_secret);
    free(c->scope);
    buf_free(&c->director_root);
    buf_free(&c->image_root);
    *c = (struct credentials){0};
}

static int read_entries(const struct buf *zip, struct entries *ret, struct err *e)
{
    const struct zip_entry wanted[] = {
        {"treehub.json", &ret->treehub},
        {"tufrepo.url", &ret->repo_url},
        {"root.json", &ret->image_root},
        {"director.root.json", &ret->director_root},
    };
    return zip_entries_read(zip->data, zip->len, wanted, COUNT_OF(wanted), e);
}

/* ---- its content ---- */

static int interpret_treehub(const struct buf *bytes, struct credentials *c, struct err *e)
{
    static const struct json_limits limits = {.bytes = ZIP_ENTRY_MAX, .depth = 8, .nodes = 4096};
    AUTO(json) struct json doc = {0};
    struct json_value ostree, server, no_auth, oauth2;
    if (!bytes->data)
        return err_set(e, ERR_BAD_CREDENTIALS, "the archive has no treehub.json");
    if (json_parse(&doc, bytes->data, bytes->len, &limits, e)) {
        e->id = ERR_BAD_CREDENTIALS;
        return err_context(e, "treehub.json");
    }
    struct json_value root = json_root(&doc);
    if (json_get_typed(root, "ostree", JSON_OBJECT, &ostree) &&
        json_get_typed(ostree, "server", JSON_STRING, &server))
        c->endpoints.ostree = json_string_copy(server);
    if (json_get_typed(root, "no_auth", JSON_BOOL, &no_auth))
        json_bool(no_auth, &c->no_auth);
    if (c->no_auth)
        return 0;
    if (!json_get_typed(root, "oauth2", JSON_OBJECT, &oauth2))
        return err_set(e, ERR_BAD_CREDENTIALS, "treehub.json has no 'oauth2'");
    return interpret_login(oauth2, c, e);
}

static int interpret_login(struct json_value oauth2, struct credentials *c, struct err *e)
{
    struct json_value server, id, secret, scope;
    if (!json_get_typed(oauth2, "server", JSON_STRING, &server))
        return err_set(e, ERR_BAD_CREDENTIALS, "treehub.json has no 'oauth2.server'");
    if (!json_get_typed(oauth2, "client_id", JSON_STRING, &id))
        return err_set(e, ERR_BAD_CREDENTIALS, "treehub.json has no 'oauth2.client_id'");
    if (!json_get_typed(oauth2, "client_secret", JSON_STRING, &secret))
        return err_set(e, ERR_BAD_CREDENTIALS, "treehub.json has no 'oauth2.client_secret'");
    AUTO_FREE char *server_text = json_string_copy(server);
    c->endpoints.token = token_url(server_text);
    c->client_id = json_string_copy(id);
    c->client_secret = json_string_copy(secret);
    if (json_get_typed(oauth2, "scope", JSON_STRING, &scope))
        c->scope = json_string_copy(scope);
    return 0;
}

/* Both forms are in the field: with and without the last part. */
static char *token_url(const char *server)
{
    static const char end[] = "/token";
    size_t len = strlen(server);
    while (len > 0 && server[len - 1] == '/')
        len--;
    bool has_end = len >= strlen(end) && memcmp(server + len - strlen(end), end, strlen(end)) == 0;
    return mem_format("%.*s%s", (int)len, server, has_end ? "" : end);
}

static void entries_free(struct entries *entries)
{
    buf_wipe(&entries->treehub);
    buf_free(&entries->repo_url);
    buf_free(&entries->director_root);
    buf_free(&entries->image_root);
}
