/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/credential_helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

extern char **environ;

#define NOT_FOUND "credentials not found" /* what every helper prints, by Docker's protocol */

static bool is_plain_name(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", name[i]))
            return false;
    return len > 0 && len < 64;
}

/* One socket is the helper's stdin and stdout: writing to one that has ended raises no signal. */
static int start(const char *program, int fd, pid_t *ret)
{
    char *const words[] = {(char *)program, "get", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, 0);
    posix_spawn_file_actions_adddup2(&actions, fd, 1);
    int failed = posix_spawnp(ret, program, &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int talk(int fd, const char *server, struct buf *ret, struct err *e)
{
    int64_t deadline_ms = now_ms() + CREDENTIAL_HELPER_TIMEOUT_MS;
    if (send(fd, server, strlen(server), MSG_NOSIGNAL) < 0 && errno != EPIPE)
        return err_errno(e, ERR_SYSTEM, "cannot write to it");
    shutdown(fd, SHUT_WR);
    for (;;) {
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        int64_t left_ms = deadline_ms - now_ms();
        int ready = left_ms > 0 ? poll(&waiting, 1, (int)left_ms) : 0;
        if (ready == 0)
            return err_set(e, ERR_BAD_CONFIG, "it does not answer");
        ssize_t n = ready < 0 ? -1 : recv(fd, buf_reserve(ret, 4096), 4096, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != ECONNRESET)
            return err_errno(e, ERR_SYSTEM, "cannot read from it");
        if (n <= 0)
            return 0;
        ret->len += (size_t)n;
        if (ret->len > CREDENTIAL_ANSWER_MAX)
            return err_set(e, ERR_BAD_CONFIG, "its answer is larger than any login");
    }
}

/* Its output, and whether it ended well. */
static int run(const char *program, const char *server, struct buf *ret, bool *ret_good, struct err *e)
{
    int pair[2], status = -1;
    pid_t pid;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return err_errno(e, ERR_SYSTEM, "cannot make a socket");
    int failed = start(program, pair[1], &pid);
    close(pair[1]);
    AUTO_FD int fd = pair[0];
    if (failed)
        return err_set(e, ERR_BAD_CONFIG, "it cannot be started: %s", strerror(failed));
    int rc = talk(fd, server, ret, e);
    if (rc)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    *ret_good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return rc;
}

static int read_answer(const struct buf *text, struct registry_login *ret, struct err *e)
{
    static const struct json_limits limits = {.bytes = CREDENTIAL_ANSWER_MAX, .depth = 4, .nodes = 64};
    AUTO(json) struct json doc = {0};
    struct json_value user, secret;
    if (json_parse(&doc, text->data, text->len, &limits, e) ||
        !json_get_typed(json_root(&doc), "Username", JSON_STRING, &user) ||
        !json_get_typed(json_root(&doc), "Secret", JSON_STRING, &secret))
        return err_set(e, ERR_BAD_CONFIG, "its answer holds no Username and Secret");
    ret->user = json_string_copy(user);
    ret->secret = json_string_copy(secret);
    ret->is_token = !strcmp(ret->user, "<token>");
    return 0;
}

int credential_helper_get(const char *name, const char *server, struct registry_login *ret, struct err *e)
{
    AUTO(buf) struct buf answer = {0};
    bool good = false;
    if (!is_plain_name(name))
        return err_set(e, ERR_BAD_CONFIG, "'%s' is no name of a credential helper", name);
    AUTO_FREE char *program = mem_format("docker-credential-%s", name);
    int rc = run(program, server, &answer, &good, e);
    if (rc == 0 && good)
        rc = read_answer(&answer, ret, e);
    else if (rc == 0 && !strstr(buf_text(&answer), NOT_FOUND))
        rc = err_set(e, ERR_BAD_CONFIG, "it failed");
    if (answer.data)
        explicit_bzero(answer.data, answer.room);
    return rc ? err_context(e, "the credential helper '%s'", program) : 0;
}
