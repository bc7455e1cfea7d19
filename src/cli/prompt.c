/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>

#include "base/mem.h"

#define LINE_MAX_BYTES 512 /* far above any client id or secret */

void prompt_wipe(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
}

static bool read_line(FILE *terminal, char line[LINE_MAX_BYTES])
{
    if (!fgets(line, LINE_MAX_BYTES, terminal))
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    return *line != '\0';
}

int prompt_text(const char *question, bool echo, char **ret, struct err *e)
{
    char line[LINE_MAX_BYTES];
    struct termios before, quiet;
    FILE *terminal = fopen("/dev/tty", "r+e");
    if (!terminal || tcgetattr(fileno(terminal), &before)) {
        if (terminal)
            fclose(terminal);
        err_set(e, ERR_USAGE, "there is no terminal to ask at");
        return err_hint(e, "set AIRLOCK_CLIENT_ID and AIRLOCK_CLIENT_SECRET");
    }
    quiet = before;
    if (!echo)
        quiet.c_lflag &= ~(tcflag_t)ECHO;
    fputs(question, terminal);
    fflush(terminal);
    tcsetattr(fileno(terminal), TCSAFLUSH, &quiet);
    bool got = read_line(terminal, line);
    tcsetattr(fileno(terminal), TCSAFLUSH, &before);
    if (!echo)
        fputc('\n', terminal);
    fclose(terminal);
    if (got)
        *ret = mem_strdup(line);
    explicit_bzero(line, sizeof line);
    return got ? 0 : err_set(e, ERR_USAGE, "nothing was entered");
}
