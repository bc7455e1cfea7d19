/* SPDX-License-Identifier: Apache-2.0
 *
 * One file of a bundle on its way to the medium: written as "….part", flushed, read back from the medium,
 * then renamed.
 *
 *     output_create (or _replace, _adopt) → output_write … → output_settle
 *         → unless output_is_held: (read back through o.fd) → output_rename
 *
 * What an earlier writing left is used again. As long as a file that is there holds, byte for byte and past
 * the page cache, what is written now, nothing is written; at the first difference it is cut and written on.
 * No journal says how far the earlier one came, so none can be wrong; and whatever it was that stopped it,
 * the result is the one of an uninterrupted writing.
 *
 * A set of outputs remembers what it made, so that a writing that failed for good leaves nothing behind.
 */
#ifndef AIRLOCK_BUNDLE_OUTPUT_H
#define AIRLOCK_BUNDLE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/pace.h"
#include "bundle-format/medium.h"

struct output_set {
    const struct medium *medium;
    struct progress *progress;
    bool keep_cache; /* tests: read back from the cache */
    char **made;     /* names of files that a failure removes again */
    size_t made_count, made_room;
};
/* Ends a set after a writing that returned `failure` (NULL: it did not fail). What was made since
 * output_set_keep() is removed, unless it was the medium that failed: the next writing goes on with it. */
void output_set_end(struct output_set *set, const struct err *failure);
/* From now on the files stay, whatever happens. */
void output_set_keep(struct output_set *set);

struct output {
    struct output_set *set;
    char *part;
    int fd;
    uint64_t bytes, unflushed;
    struct pace pace;
    bool compares; /* the file held so far what was written */
    bool adopted;  /* it is one with a final name, and not ours to change */
};

/* Begins "<name>.part", or goes on with the one that is there. */
must_check int output_create(struct output *o, struct output_set *set, const char *name, struct err *e);
/* The same where a finished file of that name may be there, which may hold all of it already; a part goes
 * first. */
must_check int output_replace(struct output *o, struct output_set *set, const char *name, struct err *e);
/* `finished` is a file that may hold all of it already, and is looked at before any part. */
must_check int output_adopt(struct output *o, struct output_set *set, const char *name, const char *finished,
                            struct err *e);
/* `worth`: what the bytes are in the set's progress, where they count once they are on the medium. Flushes
 * every 64 MiB, so that the end does not take minutes and an error comes early. */
must_check int output_write(struct output *o, const void *bytes, size_t n, uint64_t worth, struct err *e);
/* All that was written is on the medium, and reads through o->fd come from there. */
must_check int output_settle(struct output *o, struct err *e);
/* Settled: the finished file holds what was written, to its last byte; there is nothing to rename. */
bool output_is_held(const struct output *o);
/* Reads n bytes at offset and compares: ERR_READ_BACK. */
must_check int output_compare(const struct output *o, const void *expected, size_t n, uint64_t offset,
                              struct err *e);
/* Closes the file and gives it its name; durable once the folder is flushed. */
must_check int output_rename(struct output *o, const char *name, struct err *e);
void output_free(struct output *o);

#endif
