/* SPDX-License-Identifier: Apache-2.0
 *
 * The options that `write` and `prepare` share, and the delivery that they end in.
 */
#ifndef AIRLOCK_CLI_WRITE_OPTIONS_H
#define AIRLOCK_CLI_WRITE_OPTIONS_H

#include "cli/app.h"
#include "lockbox/deliver.h"

struct write_options {
    const char *as;
    bool single;
    struct option_time needed_until;
    uint64_t memory;
    const char *trust;
};

/* The rows of write_options, for a table whose struct begins with one. */
#define WRITE_OPTION_ROWS                                                                                    \
    {"as", OPTION_TEXT, "bundle|plain", offsetof(struct write_options, as),                                  \
     "one compressed bundle (default), or update/ as a stock device reads it"},                              \
        {"single", OPTION_FLAG, NULL, offsetof(struct write_options, single),                                \
         "bundle: one file, no volumes"},                                                                    \
        {"needed-until", OPTION_TIME, "TIME", offsetof(struct write_options, needed_until),                  \
         "refuse what ends before that time"},                                                               \
        {"memory", OPTION_SIZE, "SIZE", offsetof(struct write_options, memory),                              \
         "bundle: memory for compressing (default 40M)"},                                                    \
    {                                                                                                        \
        "trust", OPTION_TEXT, "DIR", offsetof(struct write_options, trust),                                  \
            "roots that the device trusts (default: those pinned for the profile)"                           \
    }

must_check int write_check(const struct write_options *o, size_t names, struct err *e);
/* Delivers each of the names (or bundle files) and prints what was written. One that fails does not stop the
 * others when there are several: then *exit_code is EXIT_SOME_FAILED. */
must_check int write_all(struct app *app, const struct write_options *o, const char **names, size_t count,
                         const char *to, int *exit_code, struct err *e);

#endif
