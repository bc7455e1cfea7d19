/* SPDX-License-Identifier: Apache-2.0 */
#include "store/profile.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/fs.h"
#include "base/mem.h"

#define CONFIG_BYTES_MAX (1u << 20)

static const struct field {
    const char *key;
    size_t offset;
    bool secret;
} fields[] = {
    {"director-url", offsetof(struct profile, director_url), false},
    {"repo-url", offsetof(struct profile, repo_url), false},
    {"token-url", offsetof(struct profile, token_url), false},
    {"api-url", offsetof(struct profile, api_url), false},
    {"ostree-url", offsetof(struct profile, ostree_url), false},
    {"feed-url", offsetof(struct profile, feed_url), false},
    {"ca-file", offsetof(struct profile, ca_file), false},
    {"scope", offsetof(struct profile, scope), false},
    {"client-id", offsetof(struct profile, client_id), true},
    {"client-secret", offsetof(struct profile, client_secret), true},
    {"api-token-url", offsetof(struct profile, api_token_url), false},
    {"api-client-id", offsetof(struct profile, api_client_id), true},
    {"api-client-secret", offsetof(struct profile, api_client_secret), true},
    {"director-root", offsetof(struct profile, root_marks[0]), false},
    {"repo-root", offsetof(struct profile, root_marks[1]), false},
};

static char **slot(struct profile *p, const struct field *f)
{
    return (char **)(void *)((char *)p + f->offset);
}

int profile_check_name(const char *name, struct err *e)
{
    size_t len = strlen(name);
    bool good = len > 0 && len <= 64;
    for (size_t i = 0; i < len; i++)
        good = good && (isalnum((unsigned char)name[i]) || name[i] == '-' || name[i] == '_');
    return good ? 0
                : err_set(e, ERR_BAD_CONFIG, "a profile's name has letters, digits, '-' and '_', at most 64");
}

struct reading {
    struct profile *profile;
    bool found;
};

static int take_setting(void *ctx, const char *section, const char *key, const char *value)
{
    struct reading *r = ctx;
    if (strcmp(section, r->profile->name) != 0)
        return 1;
    r->found = true;
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (!strcmp(key, fields[i].key)) {
            free(*slot(r->profile, &fields[i]));
            *slot(r->profile, &fields[i]) = *value ? mem_strdup(value) : NULL;
        }
    return 1;
}

static void wipe(struct buf *text)
{
    if (text->data)
        explicit_bzero(text->data, text->room);
    buf_free(text);
}

/* A missing file is an empty one. */
static int read_settings(const struct store *s, const char *file, struct buf *ret, struct err *e)
{
    if (s->config_fd < 0) /* store_look() makes none */
        return 0;
    if (fs_read_at(s->config_fd, file, CONFIG_BYTES_MAX, ret, e) && e->id != ERR_NO_SUCH_PATH)
        return -1;
    return 0;
}

static int load_file(const struct store *s, const char *file, struct reading *r, struct err *e)
{
    struct buf text = {0};
    if (read_settings(s, file, &text, e))
        return -1;
    int line = ini_parse_string(buf_text(&text), take_setting, r);
    wipe(&text);
    return line ? err_set(e, ERR_BAD_CONFIG, "line %d of '%s' is no setting", line, file) : 0;
}

static int check_private(const struct store *s, struct err *e)
{
    struct stat st;
    if (s->config_fd >= 0 && fstatat(s->config_fd, "secrets", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        (st.st_mode & 077)) {
        err_set(e, ERR_BAD_CONFIG, "the file 'secrets' of the configuration can be read by others");
        return err_hint(e, "chmod 600 it, and have the credentials renewed if others had access");
    }
    return 0;
}

int profile_load(const struct store *s, const char *name, struct profile *ret, struct err *e)
{
    if (profile_check_name(name, e) || check_private(s, e))
        return -1;
    struct profile p = {.name = mem_strdup(name)};
    struct reading r = {.profile = &p};
    int rc = load_file(s, "config", &r, e) || load_file(s, "secrets", &r, e) ? -1 : 0;
    if (rc == 0 && !r.found) {
        rc = err_set(e, ERR_NO_PROFILE, "nobody is logged in here: there is no profile '%s'", name);
        if (strcmp(name, PROFILE_DEFAULT) != 0)
            err_hint(e, "airlock --profile %s login --credentials credentials.zip", name);
    }
    if (rc) {
        profile_free(&p);
        return -1;
    }
    *ret = p;
    return 0;
}

/* The text without the section of that name. */
static void copy_other_sections(const char *text, const char *name, struct buf *to)
{
    bool mine = false;
    AUTO_FREE char *heading = mem_format("[%s]", name);
    while (*text) {
        size_t len = strcspn(text, "\n");
        const char *first = text + strspn(text, " \t");
        if (*first == '[')
            mine = !strncmp(first, heading, strlen(heading));
        if (!mine) {
            buf_add(to, text, len);
            buf_add_char(to, '\n');
        }
        text += len + (text[len] == '\n');
    }
}

static int save_file(const struct store *s, const char *file, bool secret, const struct profile *p,
                     struct err *e)
{
    struct buf old = {0}, new = {0};
    if (read_settings(s, file, &old, e))
        return -1;
    copy_other_sections(buf_text(&old), p->name, &new);
    buf_addf(&new, "[%s]\n", p->name);
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const char *value = *slot((struct profile *)p, &fields[i]);
        if (fields[i].secret == secret && value)
            buf_addf(&new, "%s = %s\n", fields[i].key, value);
    }
    int rc = fs_replace_at(s->config_fd, file, new.data, new.len, secret ? 0600 : 0644, e);
    wipe(&old);
    wipe(&new);
    return rc;
}

/* A value that would end its line early or that the INI reader would cut cannot be stored. */
static int check_values(const struct profile *p, struct err *e)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const char *value = *slot((struct profile *)p, &fields[i]);
        if (value && (strpbrk(value, "\r\n;") || strlen(value) > 150))
            return err_set(e, ERR_BAD_CONFIG, "the value of '%s' cannot be stored", fields[i].key);
    }
    return 0;
}

static int save_both(const struct store *s, const struct profile *p, struct err *e)
{
    return save_file(s, "secrets", true, p, e) || save_file(s, "config", false, p, e) ? -1 : 0;
}

int profile_save(const struct store *s, const struct profile *p, struct err *e)
{
    if (profile_check_name(p->name, e) || check_values(p, e))
        return -1;
    /* both files are read, changed and replaced: one login at a time */
    while (flock(s->config_fd, LOCK_EX))
        if (errno != EINTR)
            return err_errno(e, ERR_SYSTEM, "cannot lock the configuration");
    int rc = save_both(s, p, e);
    flock(s->config_fd, LOCK_UN);
    return rc;
}

static void wipe_text(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
}

void profile_free(struct profile *p)
{
    wipe_text(p->client_secret);
    wipe_text(p->api_client_secret);
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        free(*slot(p, &fields[i]));
    free(p->name);
    *p = (struct profile){0};
}
