/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock: finds the command, fills its options, runs it, and turns its error into a message and an exit
 * code.
 */
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/app.h"
#include "cli/help.h"
#include "cli/progress_view.h"
#include "store/profile.h"

static const struct command *find_command(const char *name)
{
    for (const struct command *const *c = commands; *c; c++)
        if (!strcmp((*c)->name, name))
            return *c;
    return NULL;
}

/* The command decides which options there are, so it is looked for first: the first argument that is no
 * option and no global option's value (options of the command itself stand after its name). */
static int choose_command(int argc, char **argv, const struct command **ret, struct err *e)
{
    *ret = NULL;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            *ret = find_command(argv[i]);
            return *ret ? 0 : err_set(e, ERR_USAGE, "there is no command '%s'", argv[i]);
        }
        for (const struct option *o = global_option_table; o->name; o++)
            if (argv[i][1] == '-' && !strcmp(argv[i] + 2, o->name) && o->kind != OPTION_FLAG)
                i++;
    }
    return 0;
}

static int check_words(const struct command *c, const char **words, size_t count, struct err *e)
{
    if (count >= c->min_words && count <= c->max_words)
        return 0;
    if (count < c->min_words)
        err_set(e, ERR_USAGE, "%s: too few words", c->name);
    else
        err_set(e, ERR_USAGE, "%s: too many words: '%s'", c->name, words[c->max_words]);
    return err_hint(e, "usage: airlock %s [OPTION]...%s%s", c->name, *c->words ? " " : "", c->words);
}

static int prepare_app(struct app *app, struct err *e)
{
    app->profile = app->global.profile ? app->global.profile : PROFILE_DEFAULT;
    app_read_clock(app);
    return progress_view_open(&app->global, &app->progress, e);
}

static int run_command(struct app *app, const struct command *c, void *values, const char **words,
                       size_t count, int *exit_code, struct err *e)
{
    if (app->global.help) {
        help_command(c);
        return 0;
    }
    if (check_words(c, words, count, e) || prepare_app(app, e))
        return -1;
    int rc = c->run(app, values, words, count, exit_code, e);
    progress_view_close(app->progress);
    app_close(app);
    return rc;
}

static int run(struct app *app, int argc, char **argv, int *exit_code, struct err *e)
{
    static const struct option no_options[] = {{0}};
    const struct command *c;
    if (choose_command(argc, argv, &c, e))
        return -1;
    AUTO_FREE void *values = mem_zeroed(1, c ? c->options_size : 1);
    AUTO_FREE const char **words = NULL;
    size_t count = 0;
    const struct option_set sets[] = {
        {.options = global_option_table, .values = &app->global},
        {.options = c ? c->options : no_options, .values = values},
    };
    int rc = options_parse(argc - 1, argv + 1, sets, COUNT_OF(sets), &words, &count, e);
    if (rc == 0 && app->global.version)
        puts("airlock " AIRLOCK_VERSION);
    else if (rc == 0 && c)
        rc = run_command(app, c, values, words + 1, count - 1, exit_code, e); /* words[0] is the command */
    else if (rc == 0 && app->global.help)
        help_program();
    else if (rc == 0)
        rc = err_set(e, ERR_USAGE, "no command is given");
    options_free(&sets[1]);
    if (rc && c && e->id == ERR_USAGE && !*e->hint)
        err_hint(e, "airlock %s --help", c->name);
    return rc;
}

/* Whoever asks for JSON gets it also when the command line is wrong before that word, or all of it. */
static bool asks_for_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (!strcmp(argv[i], "--json"))
            return true;
    return false;
}

/* A killed run is harmless and the same command goes on, which the person should know. */
static void say_interrupted(int signal_number)
{
    static const char text[] = "\nairlock: interrupted; the same command can be given again\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    raise(signal_number); /* the default action, so that the shell sees it */
}

/* Whoever started us with interrupts ignored (nohup, a script's background job) keeps it so. */
static void catch_interrupt(void)
{
    const struct sigaction action = {.sa_handler = say_interrupted, .sa_flags = (int)SA_RESETHAND};
    struct sigaction before;
    if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(SIGINT, &action, NULL);
}

/* Freed memory of this size goes back to the system. By itself glibc raises the threshold with each large
 * block that is freed, and keeps what was needed only for a while: with 30 000 objects 12 MiB. */
#define GIVEN_BACK_FROM (1 << 20)

int main(int argc, char **argv)
{
    struct app app = {.store = STORE_CLOSED};
    struct err e = {0};
    int exit_code = EXIT_DONE;
    mallopt(M_MMAP_THRESHOLD, GIVEN_BACK_FROM);
    if (sodium_init() < 0)
        abort();
    catch_interrupt();
    app.global.json = asks_for_json(argc, argv);
    if (run(&app, argc, argv, &exit_code, &e)) {
        app_print_error(&app, &e);
        exit_code = (int)err_exit_code(e.id);
    }
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "airlock: cannot write the answer\n");
        return exit_code ? exit_code : EXIT_INTERNAL;
    }
    return exit_code;
}
