/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking a person at the terminal.
 */
#ifndef AIRLOCK_CLI_PROMPT_H
#define AIRLOCK_CLI_PROMPT_H

#include <stdbool.h>

#include "base/err.h"

/* Wiped and freed at the end of the scope. */
#define AUTO_SECRET __attribute__((cleanup(prompt_wipe)))
void prompt_wipe(char **secret);

/* One line from the terminal; without `echo` nothing that is typed is shown. ERR_USAGE where there is no
 * terminal or the line is empty. */
must_check int prompt_text(const char *question, bool echo, char **ret, struct err *e);

/* One line, which may be empty. ERR_USAGE where there is no terminal. */
must_check int prompt_line(const char *question, char **ret, struct err *e);

#endif
