/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/container_values.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/prompt.h"

static const char *keep(struct container_choice *c, char *text)
{
    return c->texts[c->text_count++] = text;
}

static int ask(const char *registry, struct container_choice *c, struct container_login *ret, struct err *e)
{
    AUTO_FREE char *who = mem_format("user at %s: ", registry);
    AUTO_FREE char *word = mem_format("password or token at %s: ", registry);
    char *user = NULL, *secret = NULL;
    int rc = prompt_text(who, true, &user, e);
    ret->user = keep(c, user);
    if (rc == 0)
        rc = prompt_text(word, false, &secret, e);
    ret->secret = keep(c, secret);
    return rc ? err_hint(e, "without a terminal: --login %s=FILE, with USER:PASSWORD in the file", registry)
              : 0;
}

static int make_login(const char *value, struct container_choice *c, struct err *e)
{
    const char *equals = strchr(value, '=');
    struct container_login *login = &c->logins[c->options.login_count++];
    if (equals == value || *value == '\0' || strchr(value, '@') || (equals && !equals[1]))
        return err_set(e, ERR_USAGE,
                       "--login takes a registry such as registry.example:5000, or REGISTRY=FILE");
    *login = (struct container_login){
        .registry = keep(c, mem_strndup(value, equals ? (size_t)(equals - value) : strlen(value))),
        .file = equals ? equals + 1 : NULL,
    };
    return equals ? 0 : ask(login->registry, c, login, e);
}

/* "linux/arm64": an operating system, an architecture, perhaps more. */
static int check_platform(const char *text, struct err *e)
{
    const char *slash = strchr(text, '/');
    if (slash && slash != text && slash[1] &&
        strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789/._-") == strlen(text))
        return 0;
    return err_set(e, ERR_USAGE, "--platform '%s' is not like linux/arm64", text);
}

static char *docker_folder(void)
{
    const char *own = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
    if (own && *own)
        return mem_strdup(own);
    return home && *home ? mem_format("%s/.docker", home) : NULL;
}

int container_choice_make(const struct container_values *values, struct container_choice *ret, struct err *e)
{
    struct container_choice c = {
        .options = {.platforms = values->platforms.items,
                    .platform_count = values->platforms.count,
                    .overrides = values->overrides.items,
                    .override_count = values->overrides.count},
        .logins = mem_zeroed(values->logins.count, sizeof *c.logins),
        .texts = mem_zeroed(3 * values->logins.count, sizeof *c.texts),
        .docker_folder = docker_folder(),
    };
    int rc = 0;
    for (size_t i = 0; i < values->platforms.count && rc == 0; i++)
        rc = check_platform(values->platforms.items[i], e);
    for (size_t i = 0; i < values->logins.count && rc == 0; i++)
        rc = make_login(values->logins.items[i], &c, e);
    c.options.logins = c.logins;
    c.options.docker_folder = c.docker_folder;
    if (rc)
        container_choice_free(&c);
    else
        *ret = c;
    return rc;
}

void container_choice_free(struct container_choice *c)
{
    for (size_t i = 0; i < c->text_count; i++)
        prompt_wipe(&c->texts[i]);
    free(c->texts);
    free(c->logins);
    free(c->docker_folder);
    *c = (struct container_choice){0};
}
