/* SPDX-License-Identifier: Apache-2.0
 *
 * What every command gets: the global options, the store, the clock, the output. The one object that main()
 * makes; the only code that prints is in this folder.
 */
#ifndef AIRLOCK_CLI_APP_H
#define AIRLOCK_CLI_APP_H

#include "base/progress.h"
#include "cli/options.h"
#include "store/store.h"

struct cJSON;

struct global_options {
    bool json, quiet, verbose, version, help;
    const char *progress, *profile, *store, *state, *cacert;
    struct option_time at;
};

struct app {
    struct global_options global;
    struct store store; /* opened by app_open_store() */
    const char *profile;
    int64_t now;
    struct progress *progress; /* NULL where nobody watches */
};

extern const struct option global_option_table[];

struct command {
    const char *name;
    const char *words;   /* what follows in the usage line: "PATH" */
    const char *summary; /* one line, no full stop */
    const char *details; /* paragraphs of --help */
    size_t min_words, max_words;
    const struct option *options; /* ends with {0} */
    size_t options_size;          /* of the struct that they fill */
    /* `values` is that struct. An answer goes to stdout; -1 with e where there is none. *exit_code is
     * EXIT_DONE before. */
    int (*run)(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e);
};

extern const struct command cmd_login, cmd_list, cmd_fetch, cmd_write, cmd_prepare, cmd_verify, cmd_inspect,
    cmd_diff, cmd_check, cmd_repack, cmd_remove, cmd_apply, cmd_trust, cmd_key, cmd_sign, cmd_sticks,
    cmd_eject, cmd_reports, cmd_sync;
extern const struct command *const commands[]; /* ends with NULL */

/* The three folders, by --store, --state and the XDG variables. */
must_check int app_open_store(struct app *app, struct err *e);
/* For commands that only read: folders that are not there are not made (store_look()). */
must_check int app_look_store(struct app *app, struct err *e);
void app_close(struct app *app);

/* $VARIABLE/folder, else ~/fallback/folder; NULL where the user has no home. The caller's. */
char *app_user_folder(const char *variable, const char *fallback, const char *folder);

/* Sets `now` by --at, else by the machine's clock: at the start, and after a long wait. */
void app_read_clock(struct app *app);

/* Prints the JSON answer and deletes it. */
void app_print_json(struct cJSON *answer);
/* The message and hint on stderr. */
void app_print_failure(const struct err *e);
/* With --json: the error object on stdout. */
void app_answer_error(const struct app *app, const struct err *e);
/* Both. */
void app_print_error(const struct app *app, const struct err *e);
/* A line on stderr, unless -q. */
void app_note(const struct app *app, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
