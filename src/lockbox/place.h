/* SPDX-License-Identifier: Apache-2.0
 *
 * Where something is delivered: which folder, under which name, and how to call it towards the person.
 */
#ifndef AIRLOCK_LOCKBOX_PLACE_H
#define AIRLOCK_LOCKBOX_PLACE_H

#include <stdbool.h>

#include "base/err.h"

struct place {
    int dirfd; /* the folder that the name is in */
    char *name;
    char *shown;   /* path for messages and answers */
    bool on_stick; /* the folder is the stick's "airlock" */
};

/* A bundle into `to`: a folder (then it goes to its airlock/, under `name`) or a path that ends in
 * ".lockbox". make: airlock/ is made where it is missing; else the folder around it stands for it. */
must_check int place_bundle(const char *to, const char *name, bool make, struct place *ret, struct err *e);
/* A folder `name` within the folder `to`. */
must_check int place_folder(const char *to, const char *name, struct place *ret, struct err *e);
/* "a/b" → its parent (made where missing) and "b". */
must_check int place_path(const char *path, struct place *ret, struct err *e);
/* The path of another file in the folder of `path`. The caller's. */
char *place_beside(const char *path, const char *name);
/* Would the path be a bundle's own (it ends in ".lockbox")? */
bool place_is_file(const char *to);
/* Before the work: can something be delivered there? Changes nothing. */
must_check int place_check(const char *to, bool as_bundle, struct err *e);
/* Two that write the same names in its folder would read back each other's bytes and blame the stick:
 * ERR_STORE_LOCKED. A file system that knows no locks is not refused. */
must_check int place_lock(const struct place *place, struct err *e);
void place_free(struct place *p);

#endif
