/* SPDX-License-Identifier: Apache-2.0
 *
 * From what the store holds of a lockbox to the ordered list of members that every export consumes: the same
 * list for a bundle, a plain directory, a squashfs. Members read the store's objects when they are consumed,
 * and not before.
 */
#ifndef AIRLOCK_LOCKBOX_ASSEMBLE_H
#define AIRLOCK_LOCKBOX_ASSEMBLE_H

#include "bundle-format/member.h"
#include "lockbox/container_members.h"
#include "lockbox/needs.h"
#include "store/record.h"

struct assembly {
    struct member *members; /* metadata/… first, then images/…, each sorted by path */
    size_t count;
    struct content *contents; /* behind the members */
    union assembly_source {
        struct content_file file;
        struct content_bytes text;
    } * sources;       /* behind the contents */
    char *needs;       /* behind a source: text of the member of that name */
    char **paths;      /* behind members and files: two each, or one that serves both */
    size_t file_count; /* of those: the members that are one content */
    struct container_members containers;
};

/* The store must outlive the assembly. `needs`: names what the device must have; NULL or of no commits: it
 * is not differential. */
void assemble(const struct store *s, const struct record *r, const struct needs *needs, struct assembly *ret);
/* For those who add their part to it (ostree_members.h); assemble() has made room. A file at `stored` beneath
 * the cache, or a text that outlives the assembly. */
void assembly_add_file(struct assembly *a, const struct store *s, const char *path, const char *stored,
                       const struct record_file *f);
void assembly_add_text(struct assembly *a, const char *path, const char *text);
void assembly_free(struct assembly *a);

#endif
