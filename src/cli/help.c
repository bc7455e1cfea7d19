/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

static void print_option(const struct option *o)
{
    char left[64];
    snprintf(left, sizeof left, "%s%s%s%s", strlen(o->name) == 1 ? "-" : "--", o->name, o->value ? " " : "",
             o->value ? o->value : "");
    printf("  %-28s %s\n", left, o->help);
}

static void print_options(const char *title, const struct option *options)
{
    if (!options->name)
        return;
    printf("\n%s\n", title);
    for (const struct option *o = options; o->name; o++)
        print_option(o);
}

void help_program(void)
{
    printf("airlock %s: carry Torizon updates across an air gap\n\n"
           "usage: airlock COMMAND [OPTION]... [WORD]...\n\ncommands\n",
           AIRLOCK_VERSION);
    for (const struct command *const *c = commands; *c; c++)
        printf("  %-10s %s\n", (*c)->name, (*c)->summary);
    print_options("options of every command", global_option_table);
    printf("\nexit codes: 0 done; 1 failed inside; 2 usage; 3 refused; 4 nothing to install;\n"
           "5 network, cloud or login; 6 medium; 7 some of several failed; 130 interrupted\n"
           "'airlock COMMAND --help' says more about one\n");
}

void help_command(const struct command *c)
{
    printf("airlock %s: %s\n\nusage: airlock %s [OPTION]...%s%s\n", c->name, c->summary, c->name,
           *c->words ? " " : "", c->words);
    if (c->details)
        printf("\n%s\n", c->details);
    print_options("options", c->options);
    print_options("options of every command", global_option_table);
}
