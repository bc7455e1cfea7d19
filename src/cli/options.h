/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line, from tables: each command says its options once, and parsing and --help come from that.
 *
 *     struct write_options { const char *as; bool single; };
 *     static const struct option options[] = {
 *         {"as", OPTION_TEXT, "bundle|plain", offsetof(struct write_options, as), "what to write"}, …, {0}};
 *
 * Options may stand anywhere; "--" ends them; "--name value" and "--name=value" are the same. An unknown
 * option, one given twice (other than a list) or without its value is ERR_USAGE.
 */
#ifndef AIRLOCK_CLI_OPTIONS_H
#define AIRLOCK_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum option_kind {
    OPTION_FLAG, /* bool */
    OPTION_TEXT, /* const char * */
    OPTION_LIST, /* struct text_list */
    OPTION_TIME, /* struct option_time */
    OPTION_SIZE, /* uint64_t: bytes, "64M", "1.5G" is not taken */
};

struct text_list {
    const char **items;
    size_t count;
};

struct option_time {
    bool given;
    int64_t time; /* of a date alone: its first second */
    int64_t last; /* of a date alone: its last second; else the same */
};

struct option {
    const char *name; /* without "--"; "-q" and "-v" are spelled "q" and "v" */
    enum option_kind kind;
    const char *value; /* what the help calls it; NULL for flags */
    size_t offset;
    const char *help;
};

/* Where one table's values go. */
struct option_set {
    const struct option *options; /* ends with {0} */
    void *values;
};

/* Fills the values of the sets; *ret_words are the arguments that are no options (pointing into argv, array
 * owned by the caller). Lists are allocated; free them with options_free(). */
must_check int options_parse(int argc, char **argv, const struct option_set *sets, size_t set_count,
                             const char ***ret_words, size_t *ret_count, struct err *e);
void options_free(const struct option_set *set);

#endif
