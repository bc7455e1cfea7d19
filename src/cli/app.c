/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/app.h"

#include <cjson/cJSON.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/out.h"
#include "base/utf8.h"

const struct option global_option_table[] = {
    {"json", OPTION_FLAG, NULL, offsetof(struct global_options, json), "answer in JSON on stdout"},
    {"progress", OPTION_TEXT, "auto|bar|json|none", offsetof(struct global_options, progress),
     "how progress is shown on stderr (auto: a bar on a terminal)"},
    {"q", OPTION_FLAG, NULL, offsetof(struct global_options, quiet), "no notes, no progress"},
    {"v", OPTION_FLAG, NULL, offsetof(struct global_options, verbose), "more about what is done"},
    {"profile", OPTION_TEXT, "NAME", offsetof(struct global_options, profile),
     "which login to use (default)"},
    {"store", OPTION_TEXT, "DIR", offsetof(struct global_options, store), "where fetched objects are kept"},
    {"state", OPTION_TEXT, "DIR", offsetof(struct global_options, state), "where pins and keys are kept"},
    {"cacert", OPTION_TEXT, "FILE", offsetof(struct global_options, cacert),
     "trust these CAs instead of the system's"},
    {"at", OPTION_TIME, "TIME", offsetof(struct global_options, at),
     "decide as if it were that time (RFC 3339)"},
    {"version", OPTION_FLAG, NULL, offsetof(struct global_options, version), "print the version"},
    {"help", OPTION_FLAG, NULL, offsetof(struct global_options, help), "print this help"},
    {"h", OPTION_FLAG, NULL, offsetof(struct global_options, help), "the same"},
    {0},
};

const struct command *const commands[] = {
    &cmd_login, &cmd_list,   &cmd_fetch, &cmd_write,   &cmd_prepare, &cmd_verify, &cmd_inspect,
    &cmd_diff,  &cmd_check,  &cmd_apply, &cmd_repack,  &cmd_remove,  &cmd_sign,   &cmd_key,
    &cmd_trust, &cmd_sticks, &cmd_eject, &cmd_reports, &cmd_sync,    NULL,
};

static const char *home_folder(void)
{
    const char *home = getenv("HOME");
    const struct passwd *user = home && *home ? NULL : getpwuid(getuid());
    return user ? user->pw_dir : home;
}

char *app_user_folder(const char *variable, const char *fallback, const char *folder)
{
    const char *base = getenv(variable), *home = home_folder();
    if (base && *base == '/')
        return mem_format("%s/%s", base, folder);
    return home && *home ? mem_format("%s/%s/%s", home, fallback, folder) : NULL;
}

static int with_paths(struct app *app, int (*open)(const struct store_paths *, struct store *, struct err *),
                      struct err *e)
{
    AUTO_FREE char *cache = app_user_folder("XDG_CACHE_HOME", ".cache", "airlock");
    AUTO_FREE char *state = app_user_folder("XDG_STATE_HOME", ".local/state", "airlock");
    AUTO_FREE char *config = app_user_folder("XDG_CONFIG_HOME", ".config", "airlock");
    const struct store_paths paths = {
        .cache = app->global.store ? app->global.store : cache,
        .state = app->global.state ? app->global.state : state,
        .config = config,
    };
    if (!paths.cache || !paths.state || !paths.config)
        return err_set(e, ERR_BAD_CONFIG, "the user has no home folder: HOME is not set");
    return open(&paths, &app->store, e);
}

int app_open_store(struct app *app, struct err *e)
{
    return with_paths(app, store_open, e);
}

int app_look_store(struct app *app, struct err *e)
{
    return with_paths(app, store_look, e);
}

void app_close(struct app *app)
{
    store_close(&app->store);
}

void app_read_clock(struct app *app)
{
    app->now = app->global.at.given ? app->global.at.time : (int64_t)time(NULL);
}

/* JSON is UTF-8, a path need not be: what is none of it becomes U+FFFD. */
static void print_utf8(const char *text)
{
    for (size_t rest = strlen(text), n; rest > 0; text += n, rest -= n) {
        uint32_t c;
        n = utf8_decode(text, rest, &c);
        if (n)
            fwrite(text, 1, n, stdout);
        else
            fputs("\xef\xbf\xbd", stdout);
        n += n == 0;
    }
}

void app_print_json(cJSON *answer)
{
    AUTO_FREE char *text = cJSON_Print(answer);
    print_utf8(text);
    putchar('\n');
    cJSON_Delete(answer);
}

void app_print_failure(const struct err *e)
{
    const char *hint = err_hint_text(e);
    AUTO(buf) struct buf message = {0};
    out_escape(&message, e->message, strlen(e->message));
    fprintf(stderr, "airlock: %s\n", buf_text(&message));
    if (hint)
        fprintf(stderr, "hint: %s\n", hint);
}

void app_answer_error(const struct app *app, const struct err *e)
{
    const char *hint = err_hint_text(e);
    AUTO(buf) struct buf message = {0};
    if (!app->global.json)
        return;
    out_escape(&message, e->message, strlen(e->message));
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON *error = cJSON_AddObjectToObject(answer, "error");
    cJSON_AddStringToObject(error, "id", err_name(e->id));
    cJSON_AddStringToObject(error, "message", buf_text(&message));
    if (hint)
        cJSON_AddStringToObject(error, "hint", hint);
    if (e->http_status)
        cJSON_AddNumberToObject(error, "http_status", e->http_status);
    app_print_json(answer);
}

void app_print_error(const struct app *app, const struct err *e)
{
    app_print_failure(e);
    app_answer_error(app, e);
}

void app_note(const struct app *app, const char *format, ...)
{
    if (app->global.quiet)
        return;
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}
