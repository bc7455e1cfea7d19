/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/client_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"

#define FILE_MAX (64u << 10) /* bytes of a configuration file: real ones have some hundred */
#define FILES_MAX 256u       /* in each of the two folders */
#define ECUS_MAX 63u         /* behind the primary: a device state names 64 at most */

static const char *const folders[] = {"usr/lib/sota/conf.d", "etc/sota/conf.d"};

const char *client_path(const char *absolute)
{
    return absolute + strspn(absolute, "/");
}

void client_config_free(struct client_config *c)
{
    free(c->primary);
    for (size_t i = 0; i < c->other_count; i++) {
        free(c->others[i].hardware_id);
        free(c->others[i].folder);
    }
    free(c->others);
    free(c->packages);
    free(c->storage);
    free(c->database);
    free(c->import);
    free(c->secondaries);
    free(c->source);
    *c = (struct client_config){0};
}

/* ---- one file ---- */

struct cursor {
    const char *at, *end; /* of one line */
};

static void skip_blanks(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\r'))
        c->at++;
}

/* A bare key or the name of a table; empty where there is none. */
static struct cursor take_word(struct cursor *c)
{
    struct cursor word = {c->at, c->at};
    while (c->at < c->end &&
           strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.", *c->at) && *c->at)
        c->at++;
    word.end = c->at;
    return word;
}

static bool equals(struct cursor word, const char *text)
{
    size_t len = (size_t)(word.end - word.at);
    return strlen(text) == len && !memcmp(word.at, text, len);
}

/* Nothing but a comment follows. */
static bool ends(struct cursor *c)
{
    skip_blanks(c);
    return c->at == c->end || *c->at == '#';
}

/* "basic" without escapes, or 'literal'. */
static char *take_text(struct cursor *c)
{
    char quote = c->at < c->end ? *c->at : '\0';
    if (quote != '"' && quote != '\'')
        return NULL;
    const char *from = ++c->at;
    while (c->at < c->end && *c->at != quote && (quote == '\'' || *c->at != '\\') && *c->at)
        c->at++;
    if (c->at == c->end || *c->at != quote)
        return NULL;
    AUTO_FREE char *text = mem_strndup(from, (size_t)(c->at - from));
    c->at++;
    return ends(c) ? steal_ptr(text) : NULL;
}

static int set_text(struct cursor *value, char **to)
{
    char *text = take_text(value);
    if (!text)
        return -1;
    free(*to);
    *to = text;
    return 0;
}

static int set_flag(struct cursor *value, bool *to)
{
    struct cursor word = take_word(value);
    if ((!equals(word, "true") && !equals(word, "false")) || !ends(value))
        return -1;
    *to = equals(word, "true");
    return 0;
}

static int set_key(struct client_config *c, const char *table, struct cursor key, struct cursor *value)
{
    const struct {
        const char *table, *key;
        char **to;
    } texts[] = {
        {"provision", "primary_ecu_hardware_id", &c->primary},
        {"pacman", "type", &c->packages},
        {"storage", "path", &c->storage},
        {"storage", "sqldb_path", &c->database},
        {"import", "base_path", &c->import},
        {"uptane", "secondary_config_file", &c->secondaries},
        {"uptane", "offline_updates_source", &c->source},
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (!strcmp(table, texts[i].table) && equals(key, texts[i].key))
            return set_text(value, texts[i].to);
    if (!strcmp(table, "uptane") && equals(key, "enable_offline_updates"))
        return set_flag(value, &c->offline_updates);
    return 0;
}

/* `table`: the one that the line is in; a heading changes it. */
static int read_line(struct client_config *c, struct cursor line, char **table)
{
    skip_blanks(&line);
    if (ends(&line))
        return 0;
    bool heading = *line.at == '[';
    line.at += heading;
    skip_blanks(&line);
    struct cursor word = take_word(&line);
    skip_blanks(&line);
    if (heading) {
        free(*table);
        *table = mem_strndup(word.at, (size_t)(word.end - word.at));
        return 0;
    }
    if (word.at == word.end || line.at == line.end || *line.at != '=')
        return 0; /* a quoted key, or a part of a text of several lines: none that matters */
    line.at++;
    skip_blanks(&line);
    return set_key(c, *table, word, &line);
}

static int read_file(struct client_config *c, int dirfd, const char *name, struct err *e)
{
    AUTO(buf) struct buf bytes = {0};
    AUTO_FREE char *table = mem_strdup("");
    unsigned number = 0;
    if (fs_read_at(dirfd, name, FILE_MAX, &bytes, e))
        return -1;
    const char *at = buf_text(&bytes), *end = at + bytes.len;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        struct cursor line = {at, stop ? stop : end};
        number++;
        if (read_line(c, line, &table))
            return err_set(e, ERR_BAD_CONFIG, "'%s', line %u, is not a value that can be read", name, number);
        at = stop ? stop + 1 : end;
    }
    return 0;
}

/* ---- all files ---- */

struct config_file {
    char *name;
    int folder_fd;
};

struct listing {
    struct config_file files[FILES_MAX];
    size_t count;
    int folder_fd;
};

/* A file in /etc hides the one of its name in /usr. */
static int list_file(void *ctx, const char *name, struct err *e)
{
    struct listing *l = ctx;
    size_t len = strlen(name);
    if (len < 6 || strcmp(name + len - 5, ".toml"))
        return 0;
    for (size_t i = 0; i < l->count; i++)
        if (!strcmp(l->files[i].name, name)) {
            l->files[i].folder_fd = l->folder_fd;
            return 0;
        }
    if (l->count == FILES_MAX)
        return err_set(e, ERR_BAD_CONFIG, "the client has more than %u configuration files", FILES_MAX);
    l->files[l->count++] = (struct config_file){mem_strdup(name), l->folder_fd};
    return 0;
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct config_file *)a)->name, ((const struct config_file *)b)->name);
}

static int read_listed(struct listing *l, struct client_config *c, struct err *e)
{
    qsort(l->files, l->count, sizeof *l->files, compare_files);
    for (size_t i = 0; i < l->count; i++)
        if (read_file(c, l->files[i].folder_fd, l->files[i].name, e))
            return -1;
    return 0;
}

static int read_folders(int root_fd, struct client_config *c, struct err *e)
{
    struct listing *l = mem_zeroed(1, sizeof *l);
    int fds[COUNT_OF(folders)] = {-1, -1}, rc = 0;
    for (size_t i = 0; rc == 0 && i < COUNT_OF(folders); i++) {
        rc = fs_open_dir_at(root_fd, folders[i], false, &fds[i], e);
        l->folder_fd = fds[i];
        rc = rc == 0 ? fs_each(fds[i], list_file, l, e) : e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    }
    rc = rc == 0 ? read_listed(l, c, e) : -1;
    for (size_t i = 0; i < l->count; i++)
        free(l->files[i].name);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        cleanup_fd(&fds[i]);
    free(l);
    return rc;
}

/* ---- the ECUs behind the primary ---- */

static int add_ecu(struct client_config *c, struct json_value ecu, struct err *e)
{
    struct json_value id, folder;
    if (!json_get_typed(ecu, "ecu_hardware_id", JSON_STRING, &id))
        return err_set(e, ERR_BAD_CONFIG, "'%s' names an ECU without 'ecu_hardware_id'", c->secondaries);
    if (c->other_count == ECUS_MAX)
        return err_set(e, ERR_BAD_CONFIG, "'%s' names more than %u ECUs", c->secondaries, ECUS_MAX);
    c->others = mem_resize(c->others, c->other_count + 1, sizeof *c->others);
    struct client_ecu *other = &c->others[c->other_count++];
    *other = (struct client_ecu){.hardware_id = json_string_copy(id)};
    if (json_get_typed(ecu, "full_client_dir", JSON_STRING, &folder))
        other->folder = json_string_copy(folder);
    return 0;
}

/* {"<kind>": {…}} or {"<kind>": [{…}, …]} */
static int read_ecus(int root_fd, struct client_config *c, struct err *e)
{
    static const struct json_limits limits = {.bytes = FILE_MAX, .depth = 8, .nodes = 4096};
    AUTO(buf) struct buf bytes = {0};
    AUTO(json) struct json doc = {0};
    if (!c->secondaries || !*c->secondaries)
        return 0;
    if (fs_read_at(root_fd, client_path(c->secondaries), FILE_MAX, &bytes, e) ||
        json_parse(&doc, bytes.data, bytes.len, &limits, e))
        return err_context(e, "'%s'", c->secondaries);
    struct json_value root = json_root(&doc), list;
    for (size_t i = 0; i < json_count(root); i++) {
        size_t len;
        const char *kind = json_key_at(root, i, &len);
        if (!json_get_n(root, kind, len, &list))
            return err_set(e, ERR_BAD_CONFIG, "'%s' is no object", c->secondaries);
        if (json_type(list) != JSON_ARRAY && add_ecu(c, list, e))
            return -1;
        for (size_t n = 0; json_type(list) == JSON_ARRAY && n < json_count(list); n++)
            if (add_ecu(c, json_at(list, n), e))
                return -1;
    }
    return 0;
}

int client_config_load(int root_fd, struct client_config *ret, struct err *e)
{
    AUTO(client_config)
    struct client_config c = {
        .packages = mem_strdup("ostree"),
        .storage = mem_strdup("/var/sota"),
        .database = mem_strdup("sql.db"),
        .import = mem_strdup("/var/sota/import"),
    };
    if (read_folders(root_fd, &c, e) || read_ecus(root_fd, &c, e))
        return -1;
    if (!c.primary || !*c.primary) {
        err_set(e, ERR_BAD_CONFIG, "the client's configuration names no hardware id");
        return err_hint(e, "put primary_ecu_hardware_id under [provision] in /etc/sota/conf.d");
    }
    if (*c.database != '/') {
        char *path = mem_format("%s/%s", c.storage, c.database);
        free(c.database);
        c.database = path;
    }
    *ret = c;
    c = (struct client_config){0};
    return 0;
}
