/* SPDX-License-Identifier: Apache-2.0
 *
 * What a device has already, so that it need not be carried there: the objects of an OSTree image, known from
 * a lockbox that holds it. A device pulls a commit into the repository that it runs from, and asks for no
 * object that is there.
 *
 *     AUTO(base) struct base base = {0};
 *     if (base_load(s, profile, judge, "old.lockbox", &base, e)) …
 *     if (base_plan(&base, s, &verdict, &needs, e)) …     // of each lockbox that is written
 *     assemble(s, &record, &needs, &assembly);
 *     base_leave_out(&base, &assembly, &files, &bytes);
 *
 * Its signed roles say which image it brings, but may have ended since: the device got it long ago. An object
 * counts only if that image's commit leads to it, from one folder to the next, each read and held against its
 * checksum. So whoever has the commit installed has the object, also where that lockbox was damaged since, or
 * was differential itself. Of several images a device has one, and nobody knows which: only what all of them
 * have in common counts.
 *
 * Only OSTree objects are left out. A device wants each container image as a tarball with all of its layers.
 */
#ifndef AIRLOCK_LOCKBOX_BASE_H
#define AIRLOCK_LOCKBOX_BASE_H

#include "lockbox/assemble.h"
#include "lockbox/judge.h"
#include "lockbox/ostree_graph.h"

struct base {
    struct needs images; /* its commits */
    struct ostree_graph graph;
    bool *held; /* by node: all of the commits lead there */
};

/* `what`: a bundle, a lockbox directory, or the name of a fetched lockbox. A bundle's payload is read once.
 * ERR_NOT_A_BASE, or what opening it brings. */
must_check int base_load(const struct store *s, const char *profile, const struct judge *judge,
                         const char *what, struct base *ret, struct err *e);
/* Does `what` name a file that says what a device has (device_file.h)? Then this is for it: of its primary's
 * image, which the store must have. `what` is for messages. */
bool base_is_device_file(const char *what);
must_check int base_load_device(const struct store *s, const struct device *device, const char *what,
                                struct base *ret, struct err *e);
void base_free(struct base *b);

/* What a lockbox of the store requires when the base's objects are left out; where there are none to leave
 * out, nothing. ERR_NO_SUCH_PATH or ERR_WRONG_HASH where the store is damaged. */
must_check int base_plan(const struct base *b, const struct store *s, const struct verdict *v,
                         struct needs *ret, struct err *e);
/* Takes them out of the list of members. */
void base_leave_out(const struct base *b, struct assembly *a, size_t *ret_files, uint64_t *ret_bytes);

#endif
