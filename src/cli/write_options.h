/* SPDX-License-Identifier: Apache-2.0
 *
 * The options that `write` and `prepare` share, and the delivery that they end in.
 */
#ifndef AIRLOCK_CLI_WRITE_OPTIONS_H
#define AIRLOCK_CLI_WRITE_OPTIONS_H

#include "cli/batch.h"
#include "cli/device_options.h"
#include "lockbox/deliver.h"

struct write_options {
    const char *as;
    bool single, share, dry_run;
    struct option_time needed_until;
    uint64_t memory, volume_size;
    const char *trust, *base, *squashfs_key;
    struct device_choice device;
    bool split; /* of bundles; `write` alone, as the next */
    struct text_list volumes_in;
};

/* The rows of write_options, for a table whose struct begins with one. */
#define WRITE_OPTION_ROWS                                                                                    \
    {"as", OPTION_TEXT, "bundle|plain|squashfs", offsetof(struct write_options, as),                         \
     "one compressed bundle (default), update/ as a stock device reads it, or an image of that"},            \
        {"single", OPTION_FLAG, NULL, offsetof(struct write_options, single),                                \
         "bundle: one file, no volumes"},                                                                    \
        {"share", OPTION_FLAG, NULL, offsetof(struct write_options, share),                                  \
         "bundle: do not write again what other bundles at TO hold"},                                        \
        {"needed-until", OPTION_TIME, "TIME", offsetof(struct write_options, needed_until),                  \
         "refuse what ends before that time, or day"},                                                       \
        {"memory", OPTION_SIZE, "SIZE", offsetof(struct write_options, memory),                              \
         "bundle: memory for compressing (default 48M)"},                                                    \
        {"volume-size", OPTION_SIZE, "SIZE", offsetof(struct write_options, volume_size),                    \
         "bundle: begin a new volume before that many bytes (default 4000M)"},                               \
        {"squashfs-key", OPTION_TEXT, "FILE", offsetof(struct write_options, squashfs_key),                  \
         "squashfs: private RSA key (PEM) that signs the image"},                                            \
        {"base", OPTION_TEXT, "A", offsetof(struct write_options, base),                                     \
         "leave out the OSTree objects that the device has: those of this lockbox"},                         \
        {"dry-run", OPTION_FLAG, NULL, offsetof(struct write_options, dry_run),                              \
         "only say what would be written and whether there is room; write nothing"},                         \
        DEVICE_ROWS(offsetof(struct write_options, device)),                                                 \
    {                                                                                                        \
        "trust", OPTION_TEXT, "DIR", offsetof(struct write_options, trust),                                  \
            "roots that the device trusts (default: those pinned for the profile)"                           \
    }

/* What is written, and where it goes. */
struct write_words {
    const char **names;
    size_t name_count;
    const char **places;
    size_t place_count;
};
/* NAME... TO...: the last word is a place, and so are those before it that are paths, but of no bundle. */
struct write_words write_take_words(const char **words, size_t count);
/* Before anything is fetched or written: do the options fit, can there be something at any
 * place? Those that are missing beside others are left to write_all(). */
must_check int write_check(const struct write_options *o, const struct write_words *w, struct err *e);
/* With --base: what of it can be left out. Before anything is fetched, too, since A may be mistyped. */
must_check int write_load_base(struct app *app, const struct write_options *o, const struct write_words *w,
                               struct base *ret, struct err *e);
/* Delivers each of the names (or bundle files) that is not NULL to all places, and says what was written; it
 * goes to b->done or b->failed. */
must_check int write_all(struct app *app, const struct write_options *o, const struct base *base,
                         const struct write_words *w, struct batch *b, struct err *e);

#endif
