/* SPDX-License-Identifier: Apache-2.0
 *
 * One object of an OSTree repository in archive mode: what it is called, whether its bytes are those that its
 * name promises, and which other objects it names. Pure functions of bytes: no file, no network. Why OSTree's
 * own library is not used stands in docs/decisions/0008.
 *
 *   commit, dirtree, dirmeta   the name is the SHA-256 of the bytes. A commit names the root's dirtree and
 *                              dirmeta, a dirtree names files and pairs of dirtree and dirmeta.
 *   filez                      a file: ostree_file.h
 *   commitmeta                 signatures and notes beside a commit, which no name vouches for.
 *
 * Structure is as strict as the device's library is when it imports objects, so that nothing is carried that
 * it would refuse.
 */
#ifndef AIRLOCK_FETCH_OSTREE_OBJECT_H
#define AIRLOCK_FETCH_OSTREE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/hash.h"

/* A commit, a dirtree or a dirmeta: one folder of 100 000 files has a dirtree of 7 MiB, from which on OSTree
 * itself warns. Such an object is held in memory. */
#define OSTREE_METADATA_MAX (16u << 20)

enum ostree_kind { OSTREE_COMMIT, OSTREE_DIRTREE, OSTREE_DIRMETA, OSTREE_FILE, OSTREE_COMMITMETA };

struct ostree_name {
    uint8_t checksum[HASH_SIZE];
    enum ostree_kind kind;
};

/* "objects/ab/cdef….filez" */
#define OSTREE_PATH_SIZE 96
void ostree_path(const struct ostree_name *name, char ret[OSTREE_PATH_SIZE]);
/* The reverse: false for any other path. */
bool ostree_path_parse(const char *path, struct ostree_name *ret);

/* ---- commit, dirtree, dirmeta ---- */

/* Told of each object that one names; its -1 ends the reading. */
struct ostree_visitor {
    int (*visit)(void *ctx, const struct ostree_name *name, struct err *e);
    void *ctx;
};

/* ERR_WRONG_HASH when the bytes are not the object of that name, ERR_BAD_OSTREE when they are and are not
 * what the kind asks for. `visitor` is called only for an object that is right up to there. */
must_check int ostree_metadata_read(const struct ostree_name *name, const void *bytes, size_t n,
                                    const struct ostree_visitor *visitor, struct err *e);

/* Could it be a commit's detached metadata: names, each with a value of any type? */
bool ostree_is_dictionary(const void *bytes, size_t n);
/* Extended attributes, as a dirmeta and a file's header have them: pairs of a name and a value. */
bool ostree_are_attributes(const void *bytes, size_t n);

#endif
