/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sync_install.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cli/print.h"
#include "report/sync_units.h"
#include "store/profile.h"

#define TO_ENABLE "airlock-sync.path", "airlock-sync.timer"

/* ---- systemctl ---- */

static int spawn(char *const *words, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int failed = posix_spawnp(ret, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* Its own words are not shown: what to do where it fails is said in ours. */
static bool run_systemctl(const char *const *verb)
{
    char *words[8] = {(char *)"systemctl", (char *)"--user"};
    pid_t pid;
    int status;
    for (size_t i = 0; verb[i]; i++)
        words[2 + i] = (char *)(uintptr_t)verb[i];
    if (spawn(words, &pid))
        return false;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool reload(void)
{
    return run_systemctl((const char *const[]){"daemon-reload", NULL});
}

/* ---- where, and what the units name ---- */

static int open_unit_folder(char **ret_path, int *ret_fd, struct err *e)
{
    AUTO_FREE char *path = app_user_folder("XDG_CONFIG_HOME", ".config", "systemd/user");
    if (!path)
        return err_set(e, ERR_BAD_CONFIG, "the user has no home folder: HOME is not set");
    if (fs_make_dir(path, false, ret_fd, e))
        return -1;
    *ret_path = steal_ptr(path);
    return 0;
}

/* What /proc says a link of it leads to; the caller's. */
static int read_link(const char *link, char **ret, struct err *e)
{
    char path[PATH_MAX];
    ssize_t n = readlink(link, path, sizeof path);
    if (n <= 0 || n == sizeof path || path[0] != '/')
        return err_errno(e, ERR_SYSTEM, "cannot read '%s'", link);
    *ret = mem_strndup(path, (size_t)n);
    return 0;
}

static int write_units(struct app *app, int dirfd, struct err *e)
{
    AUTO_FREE char *program = NULL, *state = NULL, *ca_file = NULL;
    AUTO(profile) struct profile profile = {0};
    if (app_open_store(app, e) || profile_load(&app->store, app->profile, &profile, e))
        return -1;
    AUTO_FREE char *state_link = mem_format("/proc/self/fd/%d", app->store.state_fd);
    if (read_link("/proc/self/exe", &program, e) || read_link(state_link, &state, e))
        return -1;
    if (app->global.cacert && !(ca_file = realpath(app->global.cacert, NULL)))
        return err_errno(e, ERR_NO_SUCH_PATH, "'%s'", app->global.cacert);
    const char *config_home = getenv("XDG_CONFIG_HOME");
    const struct sync_units units = {
        .program = program,
        .state = state,
        .config_home = config_home && *config_home == '/' ? config_home : NULL,
        .ca_file = ca_file,
        .profile = app->profile,
    };
    return sync_units_write(dirfd, &units, e);
}

/* ---- answers ---- */

static void print_json(const char *folder, size_t units, bool answered)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    json_add_text(answer, "folder", folder);
    cJSON *list = cJSON_AddArrayToObject(answer, "units");
    for (size_t i = 0; i < units; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(sync_unit_names[i]));
    cJSON_AddBoolToObject(answer, "systemd", answered);
    app_print_json(answer);
}

int sync_install(struct app *app, struct err *e)
{
    AUTO_FREE char *folder = NULL;
    AUTO_FD int dirfd = -1;
    if (open_unit_folder(&folder, &dirfd, e) || write_units(app, dirfd, e))
        return -1;
    bool enabled = reload() && run_systemctl((const char *const[]){"enable", "--now", TO_ENABLE, NULL}) &&
                   run_systemctl((const char *const[]){"start", "airlock-sync.service", NULL});
    if (app->global.json) {
        print_json(folder, SYNC_UNITS, enabled);
        return 0;
    }
    fputs("three units of systemd are in ", stdout);
    print_text(folder);
    putchar('\n');
    if (enabled)
        puts("from now on what comes into the ledger goes to the cloud by itself, while you are logged in\n"
             "  to see it    systemctl --user status airlock-sync\n"
             "  logged out   loginctl enable-linger lets them run then as well");
    else
        puts("they are not running: systemd's manager for this user does not answer; when it does\n"
             "  to start     systemctl --user daemon-reload\n"
             "               systemctl --user enable --now airlock-sync.path airlock-sync.timer");
    return 0;
}

int sync_uninstall(struct app *app, struct err *e)
{
    AUTO_FREE char *folder = NULL;
    AUTO_FD int dirfd = -1;
    bool any;
    if (open_unit_folder(&folder, &dirfd, e))
        return -1;
    bool stopped =
        run_systemctl((const char *const[]){"disable", "--now", TO_ENABLE, "airlock-sync.service", NULL});
    if (sync_units_remove(dirfd, &any, e))
        return -1;
    stopped = reload() && stopped;
    if (app->global.json) {
        print_json(folder, 0, stopped);
        return 0;
    }
    puts(!any ? "there were none"
         : stopped
             ? "the units are stopped and removed; 'airlock sync' by hand goes on to work"
             : "the units are removed; those that run do so until you log out: systemd's manager for this\n"
               "user did not answer");
    return 0;
}
