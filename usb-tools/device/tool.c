/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define OUTPUT_MAX (64u << 10) /* bytes: what busctl says of an object has some thousand */

extern char **environ;

bool tool_systemd_runs(const char *root)
{
    AUTO_FREE char *folder = mem_format("%s/run/systemd/system", root);
    return access(folder, F_OK) == 0;
}

bool tool_is_there(const char *root, const char *path)
{
    AUTO_FREE char *whole = mem_format("%s/%s", root, path);
    return access(whole, X_OK) == 0;
}

/* output: where its stdout goes; -1: where ours goes. */
static int start(const char *program, const char *const *argv, int output, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc)
        return rc;
    rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (rc == 0 && output >= 0)
        rc = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn(ret, program, &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* To the end of what it says, so that it never waits for a reader; what is above the limit is forgotten. */
static void read_output(int fd, struct buf *to)
{
    char bytes[4096];
    for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0 || (n < 0 && errno == EINTR);)
        if (n > 0 && to->len + (size_t)n <= OUTPUT_MAX)
            buf_add(to, bytes, (size_t)n);
}

static int wait_for(pid_t process, const char *program, struct err *e)
{
    int status;
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR)
            return err_errno(e, ERR_SYSTEM, "cannot wait for '%s'", program);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return err_set(e, ERR_TOOL_FAILED, "'%s' ended with %s %d", program,
                   WIFEXITED(status) ? "code" : "signal",
                   WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

int tool_run(const char *root, const char *const *argv, struct buf *ret_stdout, struct err *e)
{
    AUTO_FREE char *program = mem_format("%s/%s", root, argv[0]);
    int pipe_fds[2] = {-1, -1}, rc;
    pid_t process;
    if (ret_stdout && pipe2(pipe_fds, O_CLOEXEC))
        return err_errno(e, ERR_SYSTEM, "cannot make a pipe");
    AUTO_FD int from = pipe_fds[0];
    rc = start(program, argv, pipe_fds[1], &process);
    cleanup_fd(&pipe_fds[1]);
    if (rc) {
        errno = rc;
        return err_errno(e, ERR_TOOL_FAILED, "cannot start '%s'", program);
    }
    if (ret_stdout)
        read_output(from, ret_stdout);
    return wait_for(process, program, e);
}
