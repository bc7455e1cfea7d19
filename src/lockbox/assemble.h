/* SPDX-License-Identifier: Apache-2.0
 *
 * From what the store holds of a lockbox to the ordered list of members that every export consumes: the same
 * list for a bundle, a plain directory, a squashfs. Members read the store's objects when they are consumed,
 * and not before.
 */
#ifndef AIRLOCK_LOCKBOX_ASSEMBLE_H
#define AIRLOCK_LOCKBOX_ASSEMBLE_H

#include "bundle-format/member.h"
#include "store/record.h"

struct assembly {
    struct member *members; /* metadata/… first, then images/…, each sorted by path */
    size_t count;
    struct content *contents;   /* behind the members */
    struct content_file *files; /* behind the contents */
    char **paths;               /* behind members and files: two each */
};

/* The store must outlive the assembly. */
void assemble(const struct store *s, const struct record *r, struct assembly *ret);
void assembly_free(struct assembly *a);

#endif
