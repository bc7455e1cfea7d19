/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

#define LINE_MAX_BYTES 512 /* far above any client id or secret */

void prompt_wipe(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
}

/* ---- signals ----
 *
 * Whoever is asked for a secret and presses Ctrl-C must not be left with a shell that shows nothing. A signal
 * that would end or stop us is held back until the terminal is as it was, and then raised again. */

static const int held_back[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

static volatile sig_atomic_t caught; /* a handler has nowhere else to write to */

struct signals {
    struct sigaction before[COUNT_OF(held_back)];
    sigset_t mask;
};

static void note_signal(int number)
{
    caught = number;
}

/* From here on they arrive only within wait_for_line(), so that none comes between looking and waiting. */
static void hold_signals(struct signals *s)
{
    const struct sigaction action = {.sa_handler = note_signal};
    sigset_t held;
    sigemptyset(&held);
    caught = 0;
    for (size_t i = 0; i < COUNT_OF(held_back); i++)
        sigaddset(&held, held_back[i]);
    pthread_sigmask(SIG_BLOCK, &held, &s->mask);
    for (size_t i = 0; i < COUNT_OF(held_back); i++) {
        sigaction(held_back[i], NULL, &s->before[i]);
        if (s->before[i].sa_handler != SIG_IGN)
            sigaction(held_back[i], &action, NULL);
    }
}

static void release_signals(const struct signals *s)
{
    for (size_t i = 0; i < COUNT_OF(held_back); i++)
        sigaction(held_back[i], &s->before[i], NULL);
    pthread_sigmask(SIG_SETMASK, &s->mask, NULL);
}

/* ---- a line ---- */

/* -1 when a signal came first. Where there are other threads it may be handled in one of them, which does not
 * wake us: so we look up now and then. */
static int wait_for_line(int terminal, const struct signals *s)
{
    static const struct timespec a_while = {.tv_nsec = 200000000};
    struct pollfd line = {.fd = terminal, .events = POLLIN};
    while (!caught) {
        int ready = ppoll(&line, 1, &a_while, &s->mask);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return 0;
    }
    return -1;
}

/* The terminal gives a line at a time, and all of it at once. Returns its length without the line's end; 0
 * also at the end of input. */
static size_t read_line(int terminal, char line[LINE_MAX_BYTES])
{
    ssize_t n = read(terminal, line, LINE_MAX_BYTES - 1);
    line[n > 0 ? n : 0] = '\0';
    return strlen(line);
}

static int take_line(char line[LINE_MAX_BYTES], size_t len, char **ret, struct err *e)
{
    size_t text = strcspn(line, "\r\n");
    if (len == LINE_MAX_BYTES - 1 && text == len)
        return err_set(e, ERR_USAGE, "the answer is longer than %d bytes", LINE_MAX_BYTES - 2);
    if (len == 0)
        return err_set(e, ERR_USAGE, "nothing was entered");
    *ret = mem_strndup(line, text);
    return 0;
}

/* ---- the terminal ---- */

static int open_terminal(int *ret_fd, struct termios *ret_settings, struct err *e)
{
    AUTO_FD int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0 || tcgetattr(fd, ret_settings)) {
        err_set(e, ERR_USAGE, "there is no terminal to ask at");
        return err_hint(e, "set AIRLOCK_CLIENT_ID and AIRLOCK_CLIENT_SECRET");
    }
    *ret_fd = steal_fd(&fd);
    return 0;
}

/* One try; *ret_signal is what came instead of an answer, or 0. */
static int ask(int terminal, const struct termios *before, const char *question, bool echo, int *ret_signal,
               char **ret, struct err *e)
{
    char line[LINE_MAX_BYTES] = "";
    struct termios quiet = *before;
    struct signals signals;
    size_t len = 0;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    hold_signals(&signals);
    if (!echo) /* before the question: what is typed from then on is the answer, and not shown */
        tcsetattr(terminal, TCSAFLUSH, &quiet);
    int rc = fs_write_all(terminal, question, strlen(question), e);
    if (rc == 0 && wait_for_line(terminal, &signals) == 0)
        len = read_line(terminal, line);
    if (len == LINE_MAX_BYTES - 1)
        tcflush(terminal, TCIFLUSH); /* the rest of the line is not the shell's next command */
    if (!echo) {
        tcsetattr(terminal, TCSAFLUSH, before);
        rc = rc || fs_write_all(terminal, "\n", 1, e) ? -1 : 0;
    }
    *ret_signal = caught;
    release_signals(&signals);
    if (rc == 0 && !*ret_signal)
        rc = take_line(line, len, ret, e);
    explicit_bzero(line, sizeof line);
    return rc;
}

static int prompt(const char *question, bool echo, char **ret, struct err *e)
{
    AUTO_FD int terminal = -1;
    struct termios before;
    int rc, stopped_by;
    if (open_terminal(&terminal, &before, e))
        return -1;
    do {
        rc = ask(terminal, &before, question, echo, &stopped_by, ret, e);
        if (stopped_by)
            raise(stopped_by); /* ends us, as it would have; or stops us, and then it is asked again */
    } while (rc == 0 && stopped_by);
    return rc;
}

int prompt_text(const char *question, bool echo, char **ret, struct err *e)
{
    AUTO_SECRET char *text = NULL;
    if (prompt(question, echo, &text, e))
        return -1;
    if (!*text)
        return err_set(e, ERR_USAGE, "nothing was entered");
    *ret = steal_ptr(text);
    return 0;
}

int prompt_line(const char *question, char **ret, struct err *e)
{
    return prompt(question, true, ret, e);
}
