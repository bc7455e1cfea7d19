/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS 80
#define COMMAND_COLUMN 13
#define OPTION_COLUMN 31

/* Words filled into lines; `at` is the column that the first one begins in. Line breaks of the text are
 * blanks. */
static void print_filled(const char *text, size_t at, size_t indent)
{
    while (*text) {
        size_t blanks = strspn(text, " \n"), word = strcspn(text + blanks, " \n");
        if (blanks && at + 1 + word > COLUMNS) {
            printf("\n%*s", (int)indent, "");
            at = indent;
        } else if (blanks) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)word, text + blanks);
        at += word;
        text += blanks + word;
    }
    putchar('\n');
}

static void print_option(const struct option *o)
{
    char left[64];
    int len = snprintf(left, sizeof left, "%s%s%s%s", strlen(o->name) == 1 ? "-" : "--", o->name,
                       o->value ? " " : "", o->value ? o->value : "");
    printf("  %s", left);
    if (2 + len + 1 > OPTION_COLUMN)
        printf("\n%*s", OPTION_COLUMN, "");
    else
        printf("%*s", OPTION_COLUMN - 2 - len, "");
    print_filled(o->help, OPTION_COLUMN, OPTION_COLUMN);
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
    for (const struct command *const *c = commands; *c; c++) {
        printf("  %-10s ", (*c)->name);
        print_filled((*c)->summary, COMMAND_COLUMN, COMMAND_COLUMN);
    }
    print_options("options of every command", global_option_table);
    printf("\nexit codes: 0 done; 1 failed inside; 2 usage; 3 refused; 4 nothing to install;\n"
           "5 network, cloud or login; 6 medium; 7 some of several failed; 130 interrupted\n"
           "'airlock COMMAND --help' says more about one\n");
}

void help_command(const struct command *c)
{
    printf("airlock %s: %s\n\nusage: airlock %s [OPTION]...%s%s\n", c->name, c->summary, c->name,
           *c->words ? " " : "", c->words);
    if (c->details) {
        putchar('\n');
        print_filled(c->details, 0, 0);
    }
    print_options("options", c->options);
    print_options("options of every command", global_option_table);
}
