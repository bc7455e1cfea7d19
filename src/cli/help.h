/* SPDX-License-Identifier: Apache-2.0
 *
 * --help, from the tables of commands and options.
 */
#ifndef AIRLOCK_CLI_HELP_H
#define AIRLOCK_CLI_HELP_H

#include "cli/app.h"

void help_program(void);
void help_command(const struct command *c);

#endif
