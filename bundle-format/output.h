/* SPDX-License-Identifier: Apache-2.0
 *
 * One file of a bundle on its way to the medium: written as "….part", flushed, read back from the medium,
 * then renamed. A set of outputs remembers what it made, so that a failed writing leaves nothing behind.
 *
 *     output_create → output_write … → output_settle → (read back through o.fd) → output_rename
 */
#ifndef AIRLOCK_BUNDLE_OUTPUT_H
#define AIRLOCK_BUNDLE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "bundle-format/medium.h"

struct output_set {
    const struct medium *medium;
    bool keep_cache; /* tests: read back from the cache */
    char **made;     /* names of files that a failure removes again */
    size_t made_count, made_room;
};
/* Removes what was made since output_set_keep(). */
void output_set_free(struct output_set *set);
/* From now on the files stay, whatever happens. */
void output_set_keep(struct output_set *set);

struct output {
    struct output_set *set;
    char *part;
    int fd;
    uint64_t bytes, unflushed;
};

must_check int output_create(struct output *o, struct output_set *set, const char *name, struct err *e);
/* Flushes every 64 MiB, so that the end does not take minutes and an error comes early. */
must_check int output_write(struct output *o, const void *bytes, size_t n, struct err *e);
/* All that was written is on the medium, and reads through o->fd come from there. */
must_check int output_settle(struct output *o, struct err *e);
/* Reads n bytes at offset and compares: ERR_READ_BACK. */
must_check int output_compare(const struct output *o, const void *expected, size_t n, uint64_t offset,
                              struct err *e);
/* Closes the file and gives it its name; durable once the folder is flushed. */
must_check int output_rename(struct output *o, const char *name, struct err *e);
void output_free(struct output *o);

#endif
